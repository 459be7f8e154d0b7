//! Reading the audit log.

use std::net::IpAddr;

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, Postgres, QueryBuilder};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type},
    },
};
use uuid::Uuid;

use super::Action;
use crate::{
    access::{Core, Implies, Me, ReadAudit, Scope},
    error::Result,
    ids::{AccountId, AuditEventId},
    input::Faults,
    page::{Cursor, Limit, Page},
    time::Instant,
};

/// Something that was done.
#[derive(Clone, Debug, Serialize, FromRow, ToSchema)]
pub struct AuditEvent {
    /// Its id; later events have higher ones.
    pub id: AuditEventId,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// What.
    #[schema(value_type = Action)]
    pub action: String,
    /// Who; null when nobody had proved to be somebody, or it was the system.
    pub actor_id: Option<AccountId>,
    /// Their name now.
    pub actor_name: Option<String>,
    /// Their session or personal token.
    pub credential_id: Option<Uuid>,
    /// To whom or what: the id of an account, an invitation, a project, a token, …
    pub subject_id: Option<Uuid>,
    /// The request, as its answer and the log name it.
    pub request_id: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// What was changed, before.
    pub before: Option<Value>,
    /// What was changed, after.
    pub after: Option<Value>,
}

/// Which page of which events.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct AuditFilter {
    /// Of one kind.
    #[deserr(default)]
    pub action: Option<Action>,
    /// By one person.
    #[deserr(default)]
    pub actor: Option<AccountId>,
    /// Done to one person or thing.
    #[deserr(default)]
    pub subject: Option<AccountId>,
    /// From one address.
    #[deserr(default)]
    pub address: Option<Address>,
    /// Not before.
    #[deserr(default)]
    pub since: Option<Instant>,
    /// Before.
    #[deserr(default)]
    pub until: Option<Instant>,
    /// Items a page.
    #[deserr(default)]
    pub limit: Limit,
    /// Where the page begins.
    #[deserr(default)]
    pub cursor: Option<Cursor>,
}

/// An IP address as a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Address(IpAddr);

impl PartialSchema for Address {
    fn schema() -> RefOr<Schema> {
        let form = |format, example: &str| {
            let format = SchemaFormat::KnownFormat(format);
            ObjectBuilder::new().schema_type(Type::String).format(Some(format)).examples([example])
        };
        let forms = AnyOfBuilder::new().item(form(KnownFormat::Ipv4, "192.0.2.7"));
        forms.item(form(KnownFormat::Ipv6, "2001:db8::7")).description(Some("An IP address.")).into()
    }
}

impl ToSchema for Address {}

/// The text is no IP address.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be an IP address")]
pub struct NotAnAddress;

impl crate::input::Fault for NotAnAddress {
    fn code(&self) -> &'static str {
        "not_an_address"
    }
}

impl std::str::FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        text.parse().map(Self).map_err(|_| NotAnAddress)
    }
}

crate::input::parsed_field!(Address);

/// The events of the organization, newest first.
///
/// # Errors
/// [`crate::Error::BadCursor`].
pub async fn list(scope: &mut Scope<impl Implies<ReadAudit>>, filter: AuditFilter) -> Result<Page<AuditEvent>> {
    page(scope.core(), filter).await
}

/// The events of the caller's account, newest first.
///
/// # Errors
/// [`crate::Error::BadCursor`].
pub async fn list_mine(scope: &mut Scope<Me>, filter: AuditFilter) -> Result<Page<AuditEvent>> {
    page(scope.core(), filter).await
}

/// Row security decides whose events; `audit_events_log_idx` gives them in order.
async fn page(core: &mut Core, filter: AuditFilter) -> Result<Page<AuditEvent>> {
    let AuditFilter { action, actor, subject, address, since, until, limit, cursor } = filter;
    let name = format!("audit {action:?} {actor:?} {subject:?} {address:?} {since:?} {until:?}");
    let after = cursor.map(|cursor| cursor.open(core, &name)).transpose()?;
    let mut sql = QueryBuilder::<Postgres>::new(
        // The name as a question of its own: asked for the rows of the page alone.
        "select e.id, e.at, e.action, e.actor_id, (select a.name from accounts a where a.id = e.actor_id) as actor_name,
                e.credential_id, e.subject_id, e.request_id, host(e.address) as address, e.before, e.after
         from audit_events e where true",
    );
    if let Some(action) = action {
        sql.push(" and e.action = ").push_bind(action.as_str());
    }
    if let Some(actor) = actor {
        sql.push(" and e.actor_id = ").push_bind(actor.0);
    }
    if let Some(subject) = subject {
        sql.push(" and e.subject_id = ").push_bind(subject.0);
    }
    if let Some(Address(address)) = address {
        sql.push(" and e.address = ").push_bind(address.to_string()).push("::inet");
    }
    if let Some(since) = since {
        sql.push(" and e.at >= ").push_bind(since.sql());
    }
    if let Some(until) = until {
        sql.push(" and e.at < ").push_bind(until.sql());
    }
    if let Some(after) = after {
        sql.push(" and e.id < ").push_bind(after);
    }
    sql.push(format_args!(" order by e.id desc limit {}", limit.and_one()));
    let events = sql.build_query_as().fetch_all(core.sql()).await?;
    Ok(Page::of(events, limit, core, &name, |event: &AuditEvent| event.id.0))
}
