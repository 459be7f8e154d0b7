//! The audit log: who did what, when, from where. An event is written in the transaction of the deed, and the database lets
//! the application neither change nor delete it.

mod action;
mod list;

use std::net::IpAddr;

use serde_json::Value;
use uuid::Uuid;

pub use action::Action;
pub use list::{AuditEvent, AuditFilter, list, list_mine};

use crate::{
    access::{Core, Member, OrgRef, Written},
    db::Db,
    error::{Error, Result},
    ids::AuditEventId,
    secrets::Credential,
};

/// Which request something was done by. The default is for what nobody asked for.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// As the answer tells it.
    pub request_id: String,
    /// The client's, behind the proxies that are trusted.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// Something that was done.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    action: Action,
    subject: Option<Uuid>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Event {
    pub(crate) fn new(action: Action) -> Self {
        Self { action, subject: None, before: None, after: None }
    }

    /// To whom or what it was done.
    pub(crate) fn about(self, subject: impl Into<Uuid>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    pub(crate) fn before(self, before: Value) -> Self {
        Self { before: Some(before), ..self }
    }

    pub(crate) fn after(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }
}

/// Writes an event into the log of the scope's organization, or of its account where it has none.
pub(crate) async fn record(core: &mut Core, event: Event) -> Result<()> {
    record_all(core, vec![event]).await
}

/// Several at once.
pub(crate) async fn record_all(core: &mut Core, events: Vec<Event>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let origin = core.origin.clone();
    sqlx::query!(
        "insert into audit_events (id, org_id, account_id, action, actor_id, credential_id, subject_id, request_id, address, before, after)
         select e.id, current_org(), case when current_org() is null then current_account() end, e.action,
                case when current_scopes() <> 0 then current_account() end,
                current_credential(), e.subject, $6, $7::text::inet, e.before, e.after
         from unnest($1::uuid[], $2::text[], $3::uuid[], $4::jsonb[], $5::jsonb[]) as e (id, action, subject, before, after)",
        &events.iter().map(|_| AuditEventId::new().0).collect::<Vec<_>>(),
        &events.iter().map(|e| e.action.as_str().to_owned()).collect::<Vec<_>>(),
        &events.iter().map(|e| e.subject).collect::<Vec<_>>() as _,
        &events.iter().map(|e| e.before.clone()).collect::<Vec<_>>() as _,
        &events.iter().map(|e| e.after.clone()).collect::<Vec<_>>() as _,
        (!origin.request_id.is_empty()).then_some(origin.request_id),
        origin.address.map(|address| address.to_string()),
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// A member was denied something: what the answer said, in the organization's log.
///
/// # Errors
/// The database's. Who is no member any more has no log to be written to.
pub async fn denied(db: &Db, credential: &Credential, org: OrgRef, origin: &Origin, what: &str) -> Result<()> {
    let mut scope = match db.begin_request::<Member>(credential, org, origin).await {
        Err(Error::NotFound | Error::Unauthenticated | Error::Moved(_)) => return Ok(()),
        scope => scope?,
    };
    let denial = serde_json::json!({ "denied": what });
    record_once_a_minute(scope.core(), Event::new(Action::AccessDenied).after(denial)).await?;
    scope.commit(Written(())).await.map(drop)
}

/// The same by the same person counts once a minute, so that nobody fills a log by knocking.
pub(crate) async fn record_once_a_minute(core: &mut Core, event: Event) -> Result<()> {
    let recent = sqlx::query_scalar!(
        r#"select exists (select from audit_events
                          where id > $1 and action = $2 and actor_id is not distinct from
                                case when current_scopes() <> 0 then current_account() end
                            and after is not distinct from $3) as "recent!""#,
        a_minute_before(AuditEventId::new().0),
        event.action.as_str(),
        event.after,
    )
    .fetch_one(core.sql())
    .await?;
    if recent { Ok(()) } else { record(core, event).await }
}

/// The smallest id that could have been made in the last minute: the index on ids is one on time.
fn a_minute_before(id: Uuid) -> Uuid {
    let milliseconds = (id.as_u128() >> 80).saturating_sub(60_000);
    Uuid::from_u128(milliseconds << 80)
}
