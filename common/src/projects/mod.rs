//! Projects: open to the organization, or private to those who were granted a role.

mod archive;
mod change;
mod glass;
mod grants;
mod place;

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

pub(crate) use archive::keep;
pub use archive::{archive, destroy, unarchive};
pub use change::{ProjectChanges, update};
pub use glass::{BreakGlass, break_glass};
pub use grants::{Grant, GrantChoice, grant, grants, withdraw};
pub use place::{ProjectPlace, place};

use crate::{
    access::{Core, CreateProjects, Permission, Permissions, ReadTasks, Scope, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::{AccountId, ProjectId},
    input::{Faults, Flag},
    memberships,
    quotas::Quota,
    shown::shown,
    text::{Colour, Description, Name, ProjectKey},
};

/// A project.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Stands before its tasks' numbers.
    #[schema(example = "OPS")]
    pub key: String,
    /// Its name.
    pub name: String,
    /// Markdown.
    pub description: String,
    /// `#2f6f4e`, where it has one.
    pub colour: Option<String>,
    /// Who sees it.
    pub visibility: Visibility,
    /// Its place among the projects: the list goes by it.
    pub position: f64,
    /// Since when nothing in it can be written.
    pub archived_at: Option<Timestamp>,
    /// How many tasks are to be done in it.
    pub open_count: i64,
    /// How many tasks there are in it.
    pub task_count: i32,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserr, sqlx::Type, ToSchema)]
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
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Private => "private",
        }
    }
}

/// A project to be.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewProject {
    /// Stands before its tasks' numbers.
    pub key: ProjectKey,
    /// Its name.
    pub name: Name,
    /// Markdown.
    #[deserr(default)]
    pub description: Option<Description>,
    /// To be recognized by.
    #[deserr(default)]
    pub colour: Option<Colour>,
    /// Open unless said.
    #[deserr(default = Visibility::Open)]
    pub visibility: Visibility,
}

/// Which projects.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ProjectFilter {
    /// The archived ones instead of the others.
    #[deserr(default)]
    #[schema(value_type = Option<bool>)]
    pub archived: Option<Flag>,
}

/// Creates a project, behind the others; its author manages it.
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
               insert into projects (org_id, id, key, name, description, colour, visibility, position, created_by)
               select current_org(), $1, $2, $3, $4, $5, $6, coalesce(floor(max(position)), 0) + 1, current_account() from projects
               returning *
           ), managed as (
               insert into project_grants (org_id, project_id, account_id, role)
               select current_org(), id, created_by, 'manager' from project
           )
           select id as "id: ProjectId", key, name, description, colour, visibility as "visibility: Visibility",
                  position::float8 as "position!", archived_at, 0::bigint as "open_count!", task_count,
                  created_by as "created_by: AccountId", created_at,
                  grant_permissions('manager') & current_scopes() as "permissions!: Permissions", version
           from project"#,
        ProjectId::new().0,
        new.key.as_str(),
        new.name.as_str(),
        new.description.as_ref().map_or("", Description::as_str),
        new.colour.as_ref().map(Colour::as_str),
        new.visibility.as_str(),
    )
    .fetch_one(scope.sql())
    .await?;
    audit::record(scope.core(), Event::new(Action::ProjectCreated).about(project.id).after(told(&project))).await?;
    Ok(Written(project))
}

/// The projects that the caller can see, in their order; without those that are archived, unless asked for these.
///
/// # Errors
/// The database's.
pub async fn list(scope: &mut Scope<impl Permission>, filter: ProjectFilter) -> Result<Vec<Project>> {
    let projects = sqlx::query_as!(
        Project,
        r#"select id as "id: ProjectId", key, name, description, colour, visibility as "visibility: Visibility",
                  position::float8 as "position!", archived_at,
                  (select count(*) from tasks t where t.org_id = p.org_id and t.project_id = p.id
                                                  and t.completed_at is null and t.deleted_at is null) as "open_count!",
                  task_count, created_by as "created_by: AccountId", created_at,
                  permissions_in(id, visibility) & grant_permissions('manager') as "permissions!: Permissions", version
           from projects p where permissions_in(id, visibility) & $1 <> 0 and (archived_at is not null) = $2
           order by p.position, id"#,
        ReadTasks::BITS,
        filter.archived == Some(Flag::True),
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
        r#"select id as "id: ProjectId", key, name, description, colour, visibility as "visibility: Visibility",
                  position::float8 as "position!", archived_at,
                  (select count(*) from tasks t where t.org_id = p.org_id and t.project_id = p.id
                                                  and t.completed_at is null and t.deleted_at is null) as "open_count!",
                  task_count, created_by as "created_by: AccountId", created_at,
                  permissions_in(id, visibility) & grant_permissions('manager') as "permissions!: Permissions", version
           from projects p where id = $1 and permissions_in(id, visibility) & $2 <> 0"#,
        id.0,
        ReadTasks::BITS,
    )
    .fetch_optional(core.sql())
    .await?;
    Ok(project)
}

/// What the audit log tells of a project. Not the description: the log is no second copy of what people write.
fn told(project: &Project) -> Value {
    let Project { key, name, colour, visibility, .. } = project;
    json!({ "key": key, "name": name, "colour": colour, "visibility": visibility })
}
