//! Personal access tokens: what a person gives to a program, for one organization, for a while, with less than they hold.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    access::{Core, Me, OrgRef, Permissions, Scope, Scopes, Written},
    audit::{self, Action, Event},
    error::{Error, Refusal, Result},
    ids::{OrgId, TokenId},
    input::{Fault, Faults},
    quotas::Quota,
    secrets::PersonalToken,
    shown::shown,
    text::Name,
    time::Instant,
};

/// A personal token, without its text.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PersonalToken)]
pub struct TokenView {
    /// Its id.
    pub id: TokenId,
    /// The organization it is for.
    pub org_id: OrgId,
    /// What it is for.
    pub name: String,
    /// What it may do at most; never more than its owner.
    pub scopes: Permissions,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// To about a minute; null if never.
    pub last_used_at: Option<Timestamp>,
    /// From where it was used last.
    pub last_used_address: Option<String>,
}

/// A new token; the only time its text is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = NewPersonalToken)]
pub struct CreatedToken {
    /// For the header `Authorization: Bearer …`.
    pub token: String,
    /// The rest.
    #[serde(flatten)]
    pub view: TokenView,
}

shown!(once CreatedToken);

/// A token to be.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: Name,
    /// The organization it is for, by slug or id.
    pub org: OrgRef,
    /// What it may do at most: permissions, or `me:read`.
    pub scopes: Scopes,
    /// Until when; ninety days unless given, a year at most.
    #[deserr(default)]
    pub expires_at: Option<Instant>,
}

/// When a token cannot end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must lie in the future, within 366 days")]
struct BadExpiry;

impl Fault for BadExpiry {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

/// Makes a token. Each scope must be held by the caller at this moment, by role or in some project; and again whenever the
/// token is used.
///
/// # Errors
/// [`Error::NotFound`] for an organization one does not belong to; a scope one does not hold; as many as there may be.
pub async fn create(scope: &mut Scope<Me>, new: NewToken) -> Result<Written<CreatedToken>> {
    let place = sqlx::query!(
        r#"select org_id as "org_id!: OrgId", held as "held!: Permissions" from held_in($1)"#,
        new.org.to_string()
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    let scopes = new.scopes.0;
    // Held to the end, so that of two at once the second one counts the first.
    sqlx::query!("select id from accounts where id = current_account() for no key update")
        .fetch_one(scope.sql())
        .await?;
    if !place.held.cover(scopes.in_organization()) {
        return Err(Error::Refused(Refusal::ScopeNotHeld));
    }
    let (id, token) = (TokenId::new(), PersonalToken::random()?);
    let hash = token.hash();
    let view = sqlx::query_as!(
        TokenView,
        r#"insert into tokens (org_id, id, account_id, name, token_hash, scopes, expires_at)
           select $1, $2, current_account(), $3, $4, $5, at
           from (select coalesce($6, now() + interval '90 days') as at) ends
           where at > now() and at <= now() + interval '366 days'
           returning id as "id: TokenId", org_id as "org_id: OrgId", name, scopes as "scopes: Permissions", created_at, expires_at,
                     last_used_at, host(last_used_address) as last_used_address"#,
        place.org_id.0,
        id.0,
        new.name.as_str(),
        hash.as_bytes(),
        scopes.bits(),
        new.expires_at.map(Instant::sql) as _,
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or_else(|| Error::Invalid(Faults::at("/expires_at", &BadExpiry)))?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from tokens where account_id = current_account() and revoked_at is null and expires_at > now()"#
    )
    .fetch_one(scope.sql())
    .await?;
    scope.db().quotas.admit(Quota::Tokens, count)?;
    let told =
        json!({ "name": view.name, "org_id": view.org_id, "scopes": view.scopes, "expires_at": view.expires_at });
    audit::record(scope.core(), Event::new(Action::TokenCreated).about(id).after(told)).await?;
    Ok(Written(CreatedToken { token: token.reveal(), view }))
}

/// The caller's tokens that count, the newest first.
///
/// # Errors
/// The database's.
pub async fn list(scope: &mut Scope<Me>) -> Result<Vec<TokenView>> {
    let tokens = sqlx::query_as!(
        TokenView,
        r#"select id as "id: TokenId", org_id as "org_id: OrgId", name, scopes as "scopes: Permissions", created_at, expires_at,
                  last_used_at, host(last_used_address) as last_used_address
           from tokens where account_id = current_account() and revoked_at is null and expires_at > now() order by id desc"#
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(tokens)
}

/// Revokes a token; it counts no more from the next request on, everywhere.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn revoke(scope: &mut Scope<Me>, id: TokenId) -> Result<Written<()>> {
    let name = sqlx::query_scalar!(
        "update tokens set revoked_at = now() where id = $1 and account_id = current_account() and revoked_at is null returning name",
        id.0,
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    audit::record(scope.core(), Event::new(Action::TokenRevoked).about(id).before(json!({ "name": name }))).await?;
    Ok(Written(()))
}

/// Revokes all of the scope's account, in whatever organization.
pub(crate) async fn revoke_all(core: &mut Core) -> Result<()> {
    let revoked = sqlx::query!(
        r#"update tokens set revoked_at = now() where account_id = current_account() and revoked_at is null
           returning id as "id: TokenId", name"#
    )
    .fetch_all(core.sql())
    .await?;
    let event = |id: TokenId, name: &str| Event::new(Action::TokenRevoked).about(id).before(json!({ "name": name }));
    audit::record_all(core, revoked.iter().map(|token| event(token.id, &token.name)).collect()).await
}
