//! Memberships: who belongs to an organization, with which role.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;

use crate::{
    access::{Core, Implies, ListMembers, ManageMembers, Me, Role, RoleChange, Scope, Written, may_change_role},
    error::{Error, Result},
    ids::{AccountId, OrgId},
    input::Faults,
    secrets::Token,
};

/// One member.
#[derive(Clone, Debug, Serialize)]
pub struct Membership {
    /// Who.
    pub account_id: AccountId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// `active` or `suspended`.
    pub status: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Rises with every change.
    pub version: i32,
}

/// A role for somebody.
#[derive(Clone, Copy, Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct RoleChoice {
    /// The role.
    pub role: Role,
}

/// The token of an invitation's mail.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Acceptance {
    /// From the mail.
    pub invitation: Token,
}

/// What an accepted invitation gives.
#[derive(Clone, Debug, Serialize)]
pub struct Joined {
    /// The organization.
    pub org_id: OrgId,
    /// Its name in URLs.
    pub org_slug: String,
    /// The role that was given.
    pub role: Role,
}

/// The members, in the order in which they joined.
///
/// # Errors
/// The database's.
pub async fn list(scope: &mut Scope<impl Implies<ListMembers>>) -> Result<Vec<Membership>> {
    let members = sqlx::query_as!(
        Membership,
        r#"select m.account_id as "account_id: AccountId", a.email, a.name, m.role as "role: Role", m.status, m.created_at, m.version
           from memberships m join accounts a on a.id = m.account_id
           order by m.created_at, m.account_id"#
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(members)
}

/// Gives a member another role.
///
/// The organization's row and the actor's own membership are locked before anything is decided, so that two demotions at
/// once cannot leave the organization without an owner (tests/api/memberships.rs:
/// `two_owners_who_demote_each_other_at_once_leave_one`). `no key`: a foreign key's check must not wait for it, or a task that
/// is being created and a role that changes wait for each other.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Refused`], `last_owner`.
pub async fn change_role(
    scope: &mut Scope<ManageMembers>,
    target: AccountId,
    choice: RoleChoice,
) -> Result<Written<Membership>> {
    sqlx::query!("select id from organizations where id = current_org() for no key update")
        .fetch_one(scope.sql())
        .await?;
    let people = sqlx::query!(
        r#"select account_id as "id: AccountId", role as "role: Role", status = 'active' as "active!",
                  account_id = current_account() as "own!"
           from memberships where account_id in (current_account(), $1) order by account_id for no key update"#,
        target.0,
    )
    .fetch_all(scope.sql())
    .await?;
    let actor = people.iter().find(|p| p.own && p.active).ok_or(Error::NotFound)?;
    let person = people.iter().find(|p| p.id == target).ok_or(Error::NotFound)?;
    // Read again under the lock: the permission may have gone while this request waited for it.
    if actor.role.permissions() & <ManageMembers as crate::access::Permission>::BITS == 0 {
        return Err(Error::Forbidden(<ManageMembers as crate::access::Permission>::NAME));
    }
    may_change_role(RoleChange {
        actor: (actor.id, actor.role),
        target: (person.id, person.role),
        wanted: choice.role,
    })
    .map_err(Error::Refused)?;
    let changed = sqlx::query_as!(
        Membership,
        r#"update memberships m set role = $2, version = m.version + 1 from accounts a
           where m.account_id = $1 and a.id = m.account_id
             and ($2 = 'owner' or m.role <> 'owner' or exists (
                 select from memberships other
                 where other.account_id <> $1 and other.role = 'owner' and other.status = 'active'))
           returning m.account_id as "account_id: AccountId", a.email, a.name, m.role as "role: Role", m.status, m.created_at, m.version"#,
        target.0,
        choice.role.as_str(),
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::Conflict { code: "last_owner", detail: "an organization keeps at least one active owner" })?;
    Ok(Written(changed))
}

/// Joins the organization that an invitation offers. It must have been sent to the caller's own address.
///
/// # Errors
/// [`Error::NotFound`] for whatever is wrong with the invitation, `already_member`.
pub async fn accept(scope: &mut Scope<Me>, acceptance: &Acceptance) -> Result<Written<Joined>> {
    take_up(scope.core(), &acceptance.invitation).await
}

/// Accepts an invitation for the account of the context, which the caller has verified.
pub(crate) async fn take_up(core: &mut Core, invitation: &Token) -> Result<Written<Joined>> {
    let hash = invitation.hash();
    let joined = sqlx::query_as!(
        Joined,
        r#"select org_id as "org_id!: OrgId", slug as "org_slug!", role as "role!: Role" from accept_invitation($1)"#,
        hash.as_bytes(),
    )
    .fetch_one(core.sql())
    .await?;
    Ok(Written(joined))
}
