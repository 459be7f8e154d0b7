//! The sessions of an account: where it is signed in, and the end of that.

use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::{Core, Me, Scope, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::SessionId,
};

/// A session, without its token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when at most.
    pub expires_at: Timestamp,
    /// To about a minute.
    pub last_used_at: Timestamp,
    /// From where it was begun.
    pub address: Option<String>,
    /// From where it was used last.
    pub last_used_address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
}

/// The caller's sessions, the newest first.
///
/// # Errors
/// The database's.
pub async fn list(scope: &mut Scope<Me>) -> Result<Vec<Session>> {
    let sessions = sqlx::query_as!(
        Session,
        r#"select id as "id: SessionId", id = current_credential() as "current!", created_at, expires_at, last_used_at,
                  host(address) as address, host(last_used_address) as last_used_address, user_agent
           from sessions where expires_at > now() and last_used_at > now() - interval '14 days' order by id desc"#
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(sessions)
}

/// Ends one; it counts no more from the next request on, everywhere.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn end(scope: &mut Scope<Me>, id: SessionId) -> Result<Written<()>> {
    ended(scope.core(), Some(id)).await?.pop().map(|_| Written(())).ok_or(Error::NotFound)
}

/// Signs out.
///
/// # Errors
/// The database's.
pub async fn end_current(scope: &mut Scope<Me>) -> Result<Written<()>> {
    let current =
        sqlx::query_scalar!(r#"select current_credential() as "id!: SessionId""#).fetch_one(scope.sql()).await?;
    end(scope, current).await
}

/// Ends all but the one that asks.
///
/// # Errors
/// The database's.
pub async fn end_others(scope: &mut Scope<Me>) -> Result<Written<()>> {
    end_all_but_own(scope.core()).await.map(Written)
}

/// Ends those of the scope's account, but for the one that the scope was opened with; a mailed link is none.
pub(crate) async fn end_all_but_own(core: &mut Core) -> Result<()> {
    ended(core, None).await.map(drop)
}

async fn ended(core: &mut Core, only: Option<SessionId>) -> Result<Vec<SessionId>> {
    let ended = sqlx::query_scalar!(
        r#"delete from sessions where case when $1::uuid is null then id is distinct from current_credential() else id = $1 end
           returning id as "id: SessionId""#,
        only.map(|id| id.0),
    )
    .fetch_all(core.sql())
    .await?;
    let events = ended.iter().map(|id| Event::new(Action::SessionEnded).about(*id)).collect();
    audit::record_all(core, events).await?;
    Ok(ended)
}
