//! Memberships: who belongs to an organization, with which role.

mod change;
mod end;
mod join;
mod list;
mod transfer;

pub use change::{RoleChoice, change_role, reinstate};
pub use end::{leave, remove, suspend};
pub(crate) use join::take_up;
pub use join::{Acceptance, Joined, accept};
pub use list::{Membership, list};
pub use transfer::{Transfer, transfer};

use serde_json::Value;

use crate::{
    access::{Core, Permission, Permissions, Role},
    error::{Error, Result},
    ids::AccountId,
    input::{Fault, Faults},
    quotas::Quota,
    tasks::TaskRef,
    text::RoleKey,
};

/// The caller, read under the locks that a change of members holds.
pub(crate) struct Actor {
    pub(crate) id: AccountId,
    /// What they hold in the organization, narrowed by their token's scopes.
    pub(crate) permissions: Permissions,
    /// Signed in; not by a personal token.
    pub(crate) session: bool,
}

/// Somebody to whom something is about to be done, locked.
struct Target {
    id: AccountId,
    role: String,
    permissions: Permissions,
    status: String,
}

/// The role is none of the organization's.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("is not a role of the organization")]
struct NoSuchRole;

impl Fault for NoSuchRole {
    fn code(&self) -> &'static str {
        "no_such_role"
    }
}

/// Locks the organization and keeps the caller's own membership before anything is decided about members, so that two
/// demotions at once cannot leave the organization without an owner (tests/api/memberships.rs:
/// `two_owners_who_demote_each_other_at_once_leave_one`). `no key`: a foreign key's check must not wait for it, or a task that
/// is being created and a role that changes wait for each other. `share`: nobody changes a membership without the lock of its
/// organization; whoever keeps this one too ([`keep`]) need not wait.
pub(crate) async fn lock_actor<P: Permission>(core: &mut Core) -> Result<Actor> {
    sqlx::query!("select id from organizations where id = current_org() for no key update")
        .fetch_one(core.sql())
        .await?;
    let actor = sqlx::query!(
        r#"select account_id as "id: AccountId", current_scopes() = -1 as "session!",
                  permissions_of_role(org_id, role) & current_scopes() as "permissions!: Permissions"
           from memberships where account_id = current_account() and status = 'active' for share"#
    )
    .fetch_optional(core.sql())
    .await?
    .ok_or(Error::NotFound)?;
    // Read again under the lock: the permission may have gone while this request waited for it.
    if actor.permissions.hold::<P>() {
        Ok(Actor { id: actor.id, permissions: actor.permissions, session: actor.session })
    } else {
        Err(Error::Forbidden(P::NAME))
    }
}

/// Somebody who is kept as they are.
pub(crate) struct Kept {
    pub(crate) id: AccountId,
    pub(crate) active: bool,
}

/// Keeps the caller, who must still be let in, and those of `people` who are members as they are until the end of the
/// transaction: whoever removes, suspends or demotes one of them at this moment waits, and then takes from them what is done
/// here (tests/api/races.rs). Always in the order of ids, and before any project: two who keep the same people, or one of
/// them who is about to be removed, never wait for each other.
pub(crate) async fn keep(core: &mut Core, people: impl IntoIterator<Item = AccountId>) -> Result<Vec<Kept>> {
    keep_told(core, None, people).await
}

/// The same, and of whomever the reminders of a task and of its parts tell.
pub(crate) async fn keep_told(
    core: &mut Core,
    task: Option<&TaskRef>,
    people: impl IntoIterator<Item = AccountId>,
) -> Result<Vec<Kept>> {
    let (id, key, number) = task.map_or((None, None, None), TaskRef::parts);
    let kept = sqlx::query!(
        r#"with whole as materialized (
               select coalesce($2, (select t.id from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id
                                    where p.key = $3 and t.number = $4)) as id
           ), named as materialized (
               select id from whole union all select t.id from whole w join tasks t on t.parent_id = w.id
           )
           select account_id as "id: AccountId", status = 'active' as "active!", account_id = current_account() as "own!"
           from memberships
           where account_id = any($1::uuid[] || current_account()
                                  || array(select a.account_id from named n join task_assignees a on a.task_id = n.id)
                                  || array(select r.account_id from named n join reminders r on r.task_id = n.id
                                           where r.removed_at is null))
             and status <> 'removed'
           order by account_id for share"#,
        &people.into_iter().map(|account| account.0).collect::<Vec<_>>(),
        id,
        key,
        number,
    )
    .fetch_all(core.sql())
    .await?;
    if kept.iter().any(|member| member.own && member.active) {
        Ok(kept.into_iter().map(|member| Kept { id: member.id, active: member.active }).collect())
    } else {
        Err(Error::NotFound)
    }
}

/// Whether there is a place for somebody who has just been invited, or comes back. To be asked under [`lock_actor`].
pub(crate) async fn a_place_is_free(core: &mut Core) -> Result<()> {
    let taken = sqlx::query_scalar!(
        r#"select (select count(*) from memberships where status = 'active')
                + (select count(*) from invitations where accepted_at is null and revoked_at is null and declined_at is null
                                                          and expires_at > now()) as "taken!""#
    )
    .fetch_one(core.sql())
    .await?;
    core.db.quotas.admit(Quota::Members, taken)
}

async fn lock_target(core: &mut Core, account: AccountId) -> Result<Target> {
    sqlx::query_as!(
        Target,
        r#"select account_id as "id: AccountId", role, status, permissions_of_role(org_id, role) as "permissions!: Permissions"
           from memberships where account_id = $1 and status <> 'removed' for no key update"#,
        account.0,
    )
    .fetch_optional(core.sql())
    .await?
    .ok_or(Error::NotFound)
}

/// Whether an active owner remains when `without` is none any more. To be asked under [`lock_actor`].
async fn an_owner_remains(core: &mut Core, without: &Target) -> Result<()> {
    if without.role != Role::Owner.as_str() || without.status != "active" {
        return Ok(());
    }
    let remains = sqlx::query_scalar!(
        r#"select exists (select from memberships where account_id <> $1 and role = 'owner' and status = 'active') as "remains!""#,
        without.id.0,
    )
    .fetch_one(core.sql())
    .await?;
    if remains {
        Ok(())
    } else {
        Err(Error::Conflict { code: "last_owner", detail: "an organization keeps at least one active owner" })
    }
}

/// What a role gives that an input names under `/role`.
pub(crate) async fn permissions_of(core: &mut Core, role: &RoleKey) -> Result<Permissions> {
    let known = sqlx::query_scalar!(
        r#"select coalesce(role_permissions($1), (select permissions from roles where key = $1 for share)) as "known: Permissions""#,
        role.as_str(),
    )
    .fetch_one(core.sql())
    .await?;
    known.ok_or_else(|| Error::Invalid(Faults::at("/role", &NoSuchRole)))
}

fn role_event(role: &str) -> Value {
    serde_json::json!({ "role": role })
}
