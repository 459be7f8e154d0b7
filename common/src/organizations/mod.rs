//! Organizations: the tenants.

mod change;
mod end;

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

pub use change::{OrganizationChanges, update};
pub use end::{Deletion, delete, restore};

use crate::{
    access::{Core, Me, Permission, Permissions, Role, Scope, Written},
    audit::{self, Action, Event},
    error::Result,
    ids::OrgId,
    input::Faults,
    notifications::DefaultReminders,
    quotas::Quota,
    shown::shown,
    text::{Name, Slug},
    time::TimeZoneName,
};

/// A tenant, as one of its members sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Organization {
    /// Its id.
    pub id: OrgId,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// IANA name; counts for members who have chosen none.
    pub time_zone: String,
    /// The key of the caller's role in it.
    pub role: String,
    /// What the caller may do in it.
    pub permissions: Permissions,
    /// When it will be deleted; until then its owners may restore it, and nobody else sees it.
    pub deletion_due_at: Option<Timestamp>,
    /// What a new task gets that is due and says nothing of reminders, unless whoever creates it has default reminders of their own.
    pub default_reminders: DefaultReminders,
    /// Since when.
    pub created_at: Timestamp,
    /// Rises with every change.
    pub version: i32,
}

shown!(Organization, version);

/// A tenant to be.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewOrganization {
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name.
    pub name: Name,
    /// IANA name; UTC unless given.
    #[deserr(default = TimeZoneName::utc())]
    pub time_zone: TimeZoneName,
}

/// Founds an organization; the caller becomes its owner.
///
/// # Errors
/// `slug_taken`; as many as one may own.
pub async fn create(scope: &mut Scope<Me>, new: NewOrganization) -> Result<Written<Organization>> {
    // Held to the end, so that of two at once the second one counts the first.
    sqlx::query!("select id from accounts where id = current_account() for no key update")
        .fetch_one(scope.sql())
        .await?;
    let owned = sqlx::query_scalar!(r#"select count(*) as "count!" from my_organizations() where role = 'owner'"#)
        .fetch_one(scope.sql())
        .await?;
    scope.db().quotas.admit(Quota::Organizations, owned + 1)?;
    let id = OrgId::new();
    let created_at = sqlx::query_scalar!(
        r#"select found_organization($1, $2, $3, $4) as "founded!""#,
        id.0,
        new.slug.as_str(),
        new.name.as_str(),
        new.time_zone.as_str(),
    )
    .fetch_one(scope.sql())
    .await?;
    // The function has entered the organization: the event goes into its log.
    let told = json!({ "slug": new.slug, "name": new.name });
    audit::record(scope.core(), Event::new(Action::OrganizationCreated).about(id).after(told)).await?;
    Ok(Written(Organization {
        id,
        slug: new.slug.to_string(),
        name: new.name.to_string(),
        time_zone: new.time_zone.to_string(),
        role: Role::Owner.as_str().to_owned(),
        permissions: Permissions::of(Role::Owner.permissions()),
        deletion_due_at: None,
        default_reminders: DefaultReminders::default(),
        created_at,
        version: 1,
    }))
}

/// The caller's organizations, oldest first. One that is being deleted is shown to its owners alone.
///
/// # Errors
/// The database's.
pub async fn mine(scope: &mut Scope<Me>) -> Result<Vec<Organization>> {
    let organizations = sqlx::query_as!(
        Organization,
        r#"select id as "id!: OrgId", slug as "slug!", name as "name!", time_zone as "time_zone!", role as "role!",
                  permissions as "permissions!: Permissions", deletion_due_at, created_at as "created_at!", version as "version!",
                  default_reminders as "default_reminders!: DefaultReminders"
           from my_organizations()"#
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(organizations)
}

/// The organization of the scope.
///
/// # Errors
/// The database's.
pub async fn show(scope: &mut Scope<impl Permission>) -> Result<Organization> {
    find(scope.core()).await
}

async fn find(core: &mut Core) -> Result<Organization> {
    let organization = sqlx::query_as!(
        Organization,
        r#"select o.id as "id: OrgId", o.slug, o.name, o.time_zone, m.role, current_permissions() as "permissions!: Permissions",
                  o.deletion_due_at, o.created_at, o.version, o.default_reminders as "default_reminders!: DefaultReminders"
           from organizations o join memberships m on m.org_id = o.id and m.account_id = current_account()"#
    )
    .fetch_one(core.sql())
    .await?;
    Ok(organization)
}
