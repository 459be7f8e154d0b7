//! Projects: open to the organization, or private to those who were granted a role.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;

use crate::{
    access::{CreateProjects, GrantRole, InProject, ManageProject, Permission, ReadTasks, Scope, Written},
    error::{Error, Result},
    ids::{AccountId, ProjectId},
    input::Faults,
    text::{Name, ProjectKey},
};

/// A project.
#[derive(Clone, Debug, Serialize)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Stands before its tasks' numbers.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Who sees it.
    pub visibility: Visibility,
    /// Who made it.
    pub created_by: AccountId,
    /// Since when.
    pub created_at: Timestamp,
    /// Rises with every change.
    pub version: i32,
}

/// Who sees a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserr, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[deserr(rename_all = lowercase, error = Faults)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Visibility {
    /// Every member, by their role.
    Open,
    /// Those with a grant.
    Private,
}

impl Visibility {
    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Private => "private",
        }
    }
}

/// A project to be.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewProject {
    /// Stands before its tasks' numbers.
    pub key: ProjectKey,
    /// Its name.
    pub name: Name,
    /// Open unless said.
    #[deserr(default = Visibility::Open)]
    pub visibility: Visibility,
}

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

/// Creates a project; its author manages it.
///
/// # Errors
/// `key_taken`.
pub async fn create(scope: &mut Scope<CreateProjects>, new: NewProject) -> Result<Written<Project>> {
    let project = sqlx::query_as!(
        Project,
        r#"with project as (
               insert into projects (org_id, id, key, name, visibility, created_by)
               values (current_org(), $1, $2, $3, $4, current_account())
               returning id, key, name, visibility, created_by, created_at, version
           ), managed as (
               insert into project_grants (org_id, project_id, account_id, role)
               select current_org(), id, created_by, 'manager' from project
           )
           select id as "id: ProjectId", key, name, visibility as "visibility: Visibility",
                  created_by as "created_by: AccountId", created_at, version from project"#,
        ProjectId::new().0,
        new.key.as_str(),
        new.name.as_str(),
        new.visibility.as_str(),
    )
    .fetch_one(scope.sql())
    .await?;
    Ok(Written(project))
}

/// The projects that the caller can see, by key.
///
/// # Errors
/// The database's.
pub async fn list(scope: &mut Scope<impl Permission>) -> Result<Vec<Project>> {
    let projects = sqlx::query_as!(
        Project,
        r#"select id as "id: ProjectId", key, name, visibility as "visibility: Visibility",
                  created_by as "created_by: AccountId", created_at, version
           from projects where permissions_in(id, visibility) & $1 <> 0 order by key"#,
        ReadTasks::BITS,
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(projects)
}

/// One project.
///
/// # Errors
/// [`Error::NotFound`] when there is none that the caller can see.
pub async fn show(scope: &mut Scope<impl Permission>, id: ProjectId) -> Result<Project> {
    sqlx::query_as!(
        Project,
        r#"select id as "id: ProjectId", key, name, visibility as "visibility: Visibility",
                  created_by as "created_by: AccountId", created_at, version
           from projects where id = $1 and permissions_in(id, visibility) & $2 <> 0"#,
        id.0,
        ReadTasks::BITS,
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)
}

/// Gives a member a role in a project, or another one. The project's row is locked, so that two managers who demote each
/// other at once leave one.
///
/// # Errors
/// `not_a_member`, `last_manager`.
pub async fn grant(
    project: &mut InProject<'_, ManageProject>,
    account: AccountId,
    choice: GrantChoice,
) -> Result<Written<Grant>> {
    sqlx::query!("select id from projects where id = $1 for no key update", project.id.0)
        .fetch_one(project.core.sql())
        .await?;
    // Asked again under the lock: another manager may have taken the permission while this request waited.
    project.admit_again().await?;
    let grant = sqlx::query_as!(
        Grant,
        r#"insert into project_grants (org_id, project_id, account_id, role) values (current_org(), $1, $2, $3)
           on conflict on constraint project_grants_pkey do update set role = excluded.role
           where excluded.role = 'manager' or project_grants.role <> 'manager' or exists (
               select from project_grants other
               where other.project_id = $1 and other.account_id <> $2 and other.role = 'manager')
           returning account_id as "account_id: AccountId", role as "role: GrantRole""#,
        project.id.0,
        account.0,
        choice.role.as_str(),
    )
    .fetch_optional(project.core.sql())
    .await?
    .ok_or(Error::Conflict { code: "last_manager", detail: "a project keeps at least one manager" })?;
    Ok(Written(grant))
}
