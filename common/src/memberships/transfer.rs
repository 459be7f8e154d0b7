use deserr::Deserr;
use serde_json::json;
use utoipa::ToSchema;

use super::{Membership, change::member, lock_actor, lock_target};
use crate::{
    access::{OwnOrganization, ReadTasks, Role, Scope, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::AccountId,
    input::Faults,
    mails::{self, Notice, Owed},
    passwords::ClaimedPassword,
    reminders,
    sessions::{Confirmed, StepUp},
};

/// To whom an organization is handed over, and the password of whoever does it.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Transfer {
    /// An active member.
    pub account: AccountId,
    /// The caller's.
    pub password: ClaimedPassword,
}

impl StepUp for Transfer {
    fn password(&self) -> &ClaimedPassword {
        &self.password
    }
}

/// Hands the organization over: the member becomes an owner and the caller an admin, in one step; both are told by mail.
///
/// # Errors
/// [`Error::NotFound`] when there is no such member; `not_active`, `already_owner`.
pub async fn transfer(
    scope: &mut Scope<OwnOrganization>,
    confirmed: &Confirmed,
    to: AccountId,
) -> Result<Written<Membership>> {
    let core = scope.core();
    let actor = lock_actor::<OwnOrganization>(core).await?;
    if actor.id != confirmed.account {
        return Err(Error::Unauthenticated);
    }
    // Both will change: in the order of ids, as whoever keeps several members.
    sqlx::query!(
        "select account_id from memberships where account_id in ($1, current_account()) order by account_id for no key update",
        to.0,
    )
    .fetch_all(core.sql())
    .await?;
    let target = lock_target(core, to).await?;
    if target.status != "active" {
        return Err(Error::Conflict { code: "not_active", detail: "the member is suspended" });
    }
    if target.role == Role::Owner.as_str() {
        return Err(Error::Conflict { code: "already_owner", detail: "the member owns the organization already" });
    }
    sqlx::query!(
        "update memberships set role = case account_id when $1 then 'owner' else 'admin' end, version = version + 1
         where account_id in ($1, current_account())",
        to.0,
    )
    .execute(core.sql())
    .await?;
    if !target.permissions.hold::<ReadTasks>() {
        reminders::ask(core, to).await?;
    }
    let event = Event::new(Action::OrganizationTransferred)
        .about(to)
        .before(json!({ "owner": actor.id, "role": target.role }))
        .after(json!({ "owner": to }));
    audit::record(core, event).await?;
    let names =
        sqlx::query!("select o.name as organization, a.name from organizations o, accounts a where a.id = $1", to.0)
            .fetch_one(core.sql())
            .await?;
    let notice = Notice::Transferred { organization: names.organization, to: names.name };
    let told = [actor.id, to].map(|account| Owed::notice(account, &notice));
    let written = mails::owe(core, &told).await?;
    let member = member(core, to).await?;
    Ok(written.map(|()| member))
}
