//! Projects: open to the organization, or private to those who were granted a role.

mod glass;
mod grants;

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use serde_json::json;

pub use glass::{BreakGlass, break_glass};
pub use grants::{Grant, GrantChoice, grant, grants, withdraw};

use crate::{
    access::{Core, CreateProjects, InProject, ManageProject, Permission, Permissions, ReadTasks, Scope, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::{AccountId, ProjectId},
    input::{Faults, Given},
    memberships,
    quotas::Quota,
    precondition::Precondition,
    shown::shown,
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
    /// What the caller may do in it.
    pub permissions: Permissions,
    /// Rises with every change.
    pub version: i32,
}

shown!(Project, version);

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

/// A change of a project; what is absent stays, and nothing can be cleared.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ProjectChanges {
    /// Its name.
    #[deserr(default)]
    pub name: Given<Name>,
    /// Who sees it. In a private one only grants count, for whoever closes it too.
    #[deserr(default)]
    pub visibility: Given<Visibility>,
}

/// Creates a project; its author manages it.
///
/// # Errors
/// `key_taken`, or as many as there may be.
pub async fn create(scope: &mut Scope<CreateProjects>, new: NewProject) -> Result<Written<Project>> {
    // Who is being removed would leave a project that nobody runs; and of two at once the second one counts the first.
    memberships::lock_actor::<CreateProjects>(scope.core()).await?;
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from projects"#).fetch_one(scope.sql()).await?;
    scope.db().quotas.admit(Quota::Projects, count + 1)?;
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
                  created_by as "created_by: AccountId", created_at,
                  grant_permissions('manager') & current_scopes() as "permissions!: Permissions", version
           from project"#,
        ProjectId::new().0,
        new.key.as_str(),
        new.name.as_str(),
        new.visibility.as_str(),
    )
    .fetch_one(scope.sql())
    .await?;
    let told = json!({ "key": project.key, "name": project.name, "visibility": project.visibility });
    audit::record(scope.core(), Event::new(Action::ProjectCreated).about(project.id).after(told)).await?;
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
                  created_by as "created_by: AccountId", created_at,
                  permissions_in(id, visibility) & grant_permissions('manager') as "permissions!: Permissions", version
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
    find(scope.core(), id).await?.ok_or(Error::NotFound)
}

async fn find(core: &mut Core, id: ProjectId) -> Result<Option<Project>> {
    let project = sqlx::query_as!(
        Project,
        r#"select id as "id: ProjectId", key, name, visibility as "visibility: Visibility",
                  created_by as "created_by: AccountId", created_at,
                  permissions_in(id, visibility) & grant_permissions('manager') as "permissions!: Permissions", version
           from projects where id = $1 and permissions_in(id, visibility) & $2 <> 0"#,
        id.0,
        ReadTasks::BITS,
    )
    .fetch_optional(core.sql())
    .await?;
    Ok(project)
}

/// Changes a project. What is the same already makes no version.
///
/// # Errors
/// Those of the precondition.
pub async fn update(
    project: &mut InProject<'_, ManageProject>,
    precondition: &Precondition,
    changes: ProjectChanges,
) -> Result<Written<Project>> {
    let id = project.id;
    sqlx::query!("select id from projects where id = $1 for no key update", id.0).fetch_one(project.core.sql()).await?;
    // Asked again under the lock: the permission may have gone while this request waited for it.
    project.admit_again().await?;
    let before = find(project.core, id).await?.ok_or(Error::NotFound)?;
    precondition.check(before.version)?;
    let written = sqlx::query!(
        "update projects set name = coalesce($2, name), visibility = coalesce($3, visibility), version = version + 1
         where id = $1 and (name, visibility) is distinct from (coalesce($2, name), coalesce($3, visibility))",
        id.0,
        changes.name.0.as_ref().map(Name::as_str),
        changes.visibility.0.map(Visibility::as_str),
    )
    .execute(project.core.sql())
    .await?;
    if written.rows_affected() == 0 {
        return Ok(Written(before));
    }
    let after = Project {
        name: changes.name.0.map_or_else(|| before.name.clone(), |name| name.to_string()),
        visibility: changes.visibility.0.unwrap_or(before.visibility),
        version: before.version + 1,
        ..before.clone()
    };
    let told = |p: &Project| json!({ "name": p.name, "visibility": p.visibility });
    let event = Event::new(Action::ProjectUpdated).about(id).before(told(&before)).after(told(&after));
    audit::record(project.core, event).await?;
    // What the caller may do in it now.
    Ok(Written(find(project.core, id).await?.unwrap_or(after)))
}
