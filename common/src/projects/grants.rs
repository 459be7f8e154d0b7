//! Roles in one project: they add to what the organization's role gives, and are the only way into a private one.

use deserr::Deserr;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    access::{
        Core, GrantRole, Implies, InProject, ManageProject, Permissions, ReadTasks, Written, may_act_on, may_give,
    },
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::{AccountId, ProjectId},
    input::Faults,
    memberships, reminders,
    shown::shown,
};

/// A role in a project for somebody.
#[derive(Clone, Copy, Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct GrantChoice {
    /// The role.
    pub role: GrantRole,
}

/// Somebody's role in a project.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Grant {
    /// Whose.
    pub account_id: AccountId,
    /// The role.
    pub role: GrantRole,
}

shown!(Grant);

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
    let Locked { own, before, member } = lock(project, account).await?;
    may_give(own, Permissions::of(choice.role.permissions())).map_err(Error::Refused)?;
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
    if before.is_none() {
        // Of what they did not see, what is still to come.
        reminders::ask(project.core, account).await?;
    }
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
    let before = lock(project, account).await?.before.ok_or(Error::NotFound)?;
    a_manager_remains(project.core, project.id, account, Some(before)).await?;
    sqlx::query!("delete from project_grants where project_id = $1 and account_id = $2", project.id.0, account.0)
        .execute(project.core.sql())
        .await?;
    let event =
        Event::new(Action::GrantRemoved).about(account).before(json!({ "project": project.id, "role": before }));
    audit::record(project.core, event).await?;
    Ok(Written(()))
}

/// What is known of a project and of somebody whose role in it is to change, under locks.
struct Locked {
    /// What the caller holds in the project.
    own: Permissions,
    /// The other's role in it, which is the caller's to touch.
    before: Option<GrantRole>,
    /// Whether the other belongs to the organization.
    member: bool,
}

/// Keeps both people, so that nobody who is being removed gets a role or gives one (tests/api/races.rs:
/// `nobody_is_granted_a_role_who_was_removed_at_that_moment`); then locks the project, so that two managers who demote each
/// other at once leave one.
async fn lock(project: &mut InProject<'_, ManageProject>, account: AccountId) -> Result<Locked> {
    let member = memberships::keep(project.core, [account]).await?.iter().any(|kept| kept.id == account);
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
    Ok(Locked { own, before, member })
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
        // Who is suspended runs nothing.
        r#"select exists (
               select from project_grants g
               join memberships m on m.org_id = g.org_id and m.account_id = g.account_id and m.status = 'active'
               where g.project_id = $1 and g.account_id <> $2 and g.role = 'manager') as "remains!""#,
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
