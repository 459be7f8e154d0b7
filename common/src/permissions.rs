//! What the caller may do, and why: the answer to "why can't I?".

use deserr::Deserr;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::{GrantRole, Member, Permissions, ReadTasks, Scope},
    error::{Error, Result},
    ids::ProjectId,
    input::Faults,
    projects::Visibility,
    shown::shown,
};

/// Where: in the organization, or in one of its projects.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct PermissionsFilter {
    /// In this project.
    #[deserr(default)]
    pub project: Option<ProjectId>,
}

/// What the caller may do, and what it comes from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Explained {
    /// What the caller may do here.
    pub permissions: Permissions,
    /// The key of their role in the organization.
    pub role: String,
    /// What the role gives.
    pub by_role: Permissions,
    /// In a project: who sees it. What the role gives counts in open ones alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub visibility: Option<Visibility>,
    /// In a project: the role granted in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub grant: Option<GrantRole>,
    /// In a project: what the grant gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub by_grant: Option<Permissions>,
    /// What the personal token that asks lets through at most; null for a session, which lets everything through.
    pub scopes: Option<Permissions>,
}

shown!(Explained);

/// The caller's permissions and their reasons.
///
/// # Errors
/// [`Error::NotFound`] for a project that the caller cannot see.
pub async fn explain(scope: &mut Scope<Member>, filter: &PermissionsFilter) -> Result<Explained> {
    let row = sqlx::query!(
        r#"select m.role, permissions_of_role(m.org_id, m.role) as "by_role!: Permissions", current_permissions() as "held!: Permissions",
                  case when current_scopes() <> -1 then current_scopes() end as "scopes: Permissions",
                  p.visibility as "visibility?: Visibility", g.role as "grant?: GrantRole",
                  permissions_in(p.id, p.visibility) as "in_project!: Permissions"
           from memberships m left join projects p on p.id = $1
                left join project_grants g on g.project_id = p.id and g.account_id = m.account_id
           where m.account_id = current_account()"#,
        filter.project.map(|id| id.0),
    )
    .fetch_one(scope.sql())
    .await?;
    let in_project = filter.project.is_some();
    if in_project && (row.visibility.is_none() || !row.in_project.hold::<ReadTasks>()) {
        return Err(Error::NotFound);
    }
    let granted = row.grant.map(|grant| Permissions::of(grant.permissions()));
    Ok(Explained {
        // Of what a role gives in the organization, only what concerns projects means anything in one.
        permissions: if in_project { row.in_project.in_projects() } else { row.held },
        role: row.role,
        by_role: row.by_role,
        visibility: row.visibility,
        grant: row.grant,
        by_grant: granted,
        scopes: row.scopes,
    })
}
