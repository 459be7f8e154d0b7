use deserr::Deserr;
use utoipa::ToSchema;

use super::{Membership, a_place_is_free, an_owner_remains, lock_actor, lock_target, permissions_of, role_event};
use crate::{
    access::{Core, ManageMembers, ReadTasks, RoleChange, Scope, Written, may_act_on, may_change_role},
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::AccountId,
    input::Faults,
    reminders,
    text::RoleKey,
};

/// A role for somebody.
#[derive(Clone, Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct RoleChoice {
    /// The key of the role.
    pub role: RoleKey,
}

/// Gives a member another role.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Refused`], `no_such_role`, `last_owner`.
pub async fn change_role(
    scope: &mut Scope<ManageMembers>,
    account: AccountId,
    choice: RoleChoice,
) -> Result<Written<Membership>> {
    let core = scope.core();
    let actor = lock_actor::<ManageMembers>(core).await?;
    let target = lock_target(core, account).await?;
    let wanted = permissions_of(core, &choice.role).await?;
    may_change_role(RoleChange {
        actor: (actor.id, actor.permissions),
        target: (target.id, target.permissions),
        wanted,
    })
    .map_err(Error::Refused)?;
    if !wanted.own() {
        an_owner_remains(core, &target).await?;
    }
    sqlx::query!(
        "update memberships set role = $2, version = version + 1 where account_id = $1",
        account.0,
        choice.role.as_str()
    )
    .execute(core.sql())
    .await?;
    if !target.permissions.hold::<ReadTasks>() && wanted.hold::<ReadTasks>() {
        reminders::ask(core, account).await?;
    }
    let event = Event::new(Action::MemberRoleChanged)
        .about(account)
        .before(role_event(&target.role))
        .after(role_event(choice.role.as_str()));
    audit::record(core, event).await?;
    member(core, account).await.map(Written)
}

/// Lets a suspended member in again. What they were assigned to does not come back by itself; reminders of their own do (by the trigger
/// `replan_returned`).
///
/// # Errors
/// [`Error::NotFound`], [`Error::Refused`], as many members as there may be.
pub async fn reinstate(scope: &mut Scope<ManageMembers>, account: AccountId) -> Result<Written<Membership>> {
    let core = scope.core();
    let actor = lock_actor::<ManageMembers>(core).await?;
    let target = lock_target(core, account).await?;
    may_act_on(actor.permissions, target.permissions).map_err(Error::Refused)?;
    if target.status == "suspended" {
        sqlx::query!(
            "update memberships set status = 'active', version = version + 1 where account_id = $1",
            account.0
        )
        .execute(core.sql())
        .await?;
        a_place_is_free(core).await?;
        audit::record(core, Event::new(Action::MemberReinstated).about(account)).await?;
    }
    member(core, account).await.map(Written)
}

pub(super) async fn member(core: &mut Core, account: AccountId) -> Result<Membership> {
    let member = sqlx::query_as!(
        Membership,
        r#"select m.account_id as "account_id: AccountId", a.email, a.name, m.role, m.status, m.created_at, m.version,
                  a.mail_refused_at
           from memberships m join accounts a on a.id = m.account_id where m.account_id = $1"#,
        account.0,
    )
    .fetch_one(core.sql())
    .await?;
    Ok(member)
}
