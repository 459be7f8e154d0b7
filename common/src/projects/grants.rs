//! Roles in one project: they add to what the organization's role gives, and are the only way into a private one.

use deserr::Deserr;
use serde::Serialize;
use serde_json::json;

use crate::{
    access::{
        Core, GrantRole, Implies, InProject, ManageProject, Permissions, ReadTasks, Written, may_act_on, may_give,
    },
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::{AccountId, ProjectId},
    input::Faults,
};

/// A role in a project for somebody.
#[derive(Clone, Copy, Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct GrantChoice {
    /// The role.
    pub role: GrantRole,
}

/// Somebody's role in a project.
#[derive(Clone, Debug, Serialize)]
pub struct Grant {
    /// Whose.
    pub account_id: AccountId,
    /// The role.
    pub role: GrantRole,
}

/// Who has been granted what in a project.
///
/// # Errors
/// The database's.
pub async fn grants(project: &mut InProject<'_, impl Implies<ReadTasks>>) -> Result<Vec<Grant>> {
    let grants = sqlx::query_as!(
        Grant,
        r#"select account_id as "account_id: AccountId", role as "role: GrantRole" from project_grants
           where project_id = $1 order by account_id"#,
        project.id.0,
    )
    .fetch_all(project.core.sql())
    .await?;
    Ok(grants)
}

/// Gives a member a role in a project, or another one. Neither the role that is given nor the one that is replaced may hold
/// what the caller lacks in the project.
///
/// # Errors
/// `not_a_member`, `last_manager`, [`Error::Refused`].
pub async fn grant(
    project: &mut InProject<'_, ManageProject>,
    account: AccountId,
    choice: GrantChoice,
) -> Result<Written<Grant>> {
    let (own, before) = lock(project, account).await?;
    may_give(own, Permissions::of(choice.role.permissions())).map_err(Error::Refused)?;
    let member = sqlx::query_scalar!(
        r#"select exists (select from memberships where account_id = $1 and status <> 'removed') as "member!""#,
        account.0,
    )
    .fetch_one(project.core.sql())
    .await?;
    if !member {
        return Err(Error::Conflict {
            code: "not_a_member",
            detail: "the account is not a member of the organization",
        });
    }
    if choice.role != GrantRole::Manager {
        a_manager_remains(project.core, project.id, account, before).await?;
    }
    sqlx::query!(
        "insert into project_grants (org_id, project_id, account_id, role) values (current_org(), $1, $2, $3)
         on conflict on constraint project_grants_pkey do update set role = excluded.role",
        project.id.0,
        account.0,
        choice.role.as_str(),
    )
    .execute(project.core.sql())
    .await?;
    let event = Event::new(Action::GrantSet)
        .about(account)
        .before(json!({ "project": project.id, "role": before }))
        .after(json!({ "project": project.id, "role": choice.role }));
    audit::record(project.core, event).await?;
    Ok(Written(Grant { account_id: account, role: choice.role }))
}

/// Takes somebody's role in a project back.
///
/// # Errors
/// [`Error::NotFound`] when there is none, `last_manager`, [`Error::Refused`].
pub async fn withdraw(project: &mut InProject<'_, ManageProject>, account: AccountId) -> Result<Written<()>> {
    let (_, before) = lock(project, account).await?;
    let before = before.ok_or(Error::NotFound)?;
    a_manager_remains(project.core, project.id, account, Some(before)).await?;
    sqlx::query!("delete from project_grants where project_id = $1 and account_id = $2", project.id.0, account.0)
        .execute(project.core.sql())
        .await?;
    let event =
        Event::new(Action::GrantRemoved).about(account).before(json!({ "project": project.id, "role": before }));
    audit::record(project.core, event).await?;
    Ok(Written(()))
}

/// Locks the project, so that two managers who demote each other at once leave one; gives what the caller holds in it, and
/// the role that the other has now, which must be the caller's to touch.
async fn lock(
    project: &mut InProject<'_, ManageProject>,
    account: AccountId,
) -> Result<(Permissions, Option<GrantRole>)> {
    sqlx::query!("select id from projects where id = $1 for no key update", project.id.0)
        .fetch_one(project.core.sql())
        .await?;
    // Asked again under the lock: another manager may have taken the permission while this request waited.
    let own = project.admit_again().await?;
    let before = sqlx::query_scalar!(
        r#"select role as "role: GrantRole" from project_grants where project_id = $1 and account_id = $2"#,
        project.id.0,
        account.0,
    )
    .fetch_optional(project.core.sql())
    .await?;
    let held = Permissions::of(before.map_or(0, GrantRole::permissions));
    may_act_on(own, held).map_err(Error::Refused)?;
    Ok((own, before))
}

async fn a_manager_remains(
    core: &mut Core,
    project: ProjectId,
    without: AccountId,
    role: Option<GrantRole>,
) -> Result<()> {
    if role != Some(GrantRole::Manager) {
        return Ok(());
    }
    let remains = sqlx::query_scalar!(
        r#"select exists (select from project_grants where project_id = $1 and account_id <> $2 and role = 'manager') as "remains!""#,
        project.0,
        without.0,
    )
    .fetch_one(core.sql())
    .await?;
    if remains {
        Ok(())
    } else {
        Err(Error::Conflict { code: "last_manager", detail: "a project keeps at least one manager" })
    }
}
