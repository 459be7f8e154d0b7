use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::{ListMembers, ManageMembers, Permission, ReadTasks, Scope},
    error::Result,
    ids::AccountId,
    shown::shown,
};

crate::schema::words! {
    /// Whether a member may come in.
    MemberStatus: "active", "suspended";
}

/// One member.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Membership {
    /// Who.
    pub account_id: AccountId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// The key of their role.
    pub role: String,
    /// Whether they may come in.
    #[schema(value_type = MemberStatus)]
    pub status: String,
    /// Since when mail servers refuse their address for good, for whoever manages members, and for themselves.
    pub mail_refused_at: Option<Timestamp>,
    /// Since when.
    pub created_at: Timestamp,
    /// Rises with every change.
    pub version: i32,
}

shown!(Membership, version);

/// The members, in the order in which they joined. Who may not list them sees the people of their own projects.
///
/// # Errors
/// The database's.
pub async fn list(scope: &mut Scope<impl Permission>) -> Result<Vec<Membership>> {
    let members = sqlx::query_as!(
        Membership,
        r#"select m.account_id as "account_id: AccountId", a.email, a.name, m.role, m.status, m.created_at, m.version,
                  case when has_permission($3) or m.account_id = current_account() then a.mail_refused_at end as mail_refused_at
           from memberships m join accounts a on a.id = m.account_id
           where m.status <> 'removed'
             and (has_permission($1) or m.account_id = current_account() or m.account_id in (
                 select theirs.account_id from project_grants own join project_grants theirs on theirs.project_id = own.project_id
                 where own.account_id = current_account() and current_scopes() & $2 <> 0))
           order by m.created_at, m.account_id"#,
        ListMembers::BITS,
        ReadTasks::BITS,
        ManageMembers::BITS,
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(members)
}
