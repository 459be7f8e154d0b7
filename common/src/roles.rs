//! Roles of an organization: the four built-in ones, and those it has made itself.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    access::{
        Implies, ListMembers, ManageRoles, Permissions, ReadTasks, Role, RolePermissions, Scope, Written, may_act_on,
        may_give,
    },
    audit::{self, Action, Event},
    error::{Error, Result},
    input::{Faults, Given},
    memberships,
    precondition::Precondition,
    reminders,
    shown::shown,
    text::{Name, RoleKey},
};

/// A named set of permissions.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleView {
    /// What memberships call it.
    #[schema(example = "night-shift")]
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it gives.
    pub permissions: Permissions,
    /// Whether it is one of the four that cannot be edited.
    pub built_in: bool,
    /// Since when; null for a built-in one.
    pub created_at: Option<Timestamp>,
    /// Rises with every change.
    pub version: i32,
}

shown!(RoleView, version);

/// A role to be.
#[derive(Debug, Deserr, ToSchema)]
#[schema(example = json!({ "key": "night-shift", "name": "Night shift", "permissions": ["tasks:read", "tasks:complete"] }))]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewRole {
    /// What memberships call it.
    pub key: RoleKey,
    /// What people call it.
    pub name: Name,
    /// What it gives.
    pub permissions: RolePermissions,
}

/// A change of a role; what is absent stays, and nothing can be cleared.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct RoleChanges {
    /// What people call it.
    #[deserr(default)]
    pub name: Given<Name>,
    /// What it gives.
    #[deserr(default)]
    pub permissions: Given<RolePermissions>,
}

/// What becomes of those who have a role that is deleted.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Replacement {
    /// The role they get instead.
    #[deserr(default)]
    pub replacement: Option<RoleKey>,
}

/// The built-in roles, highest first, then the custom ones by key.
///
/// # Errors
/// The database's.
pub async fn list(scope: &mut Scope<impl Implies<ListMembers>>) -> Result<Vec<RoleView>> {
    let built_in = Role::ALL.into_iter().map(|role| RoleView {
        key: role.as_str().to_owned(),
        name: role.name().to_owned(),
        permissions: Permissions::of(role.permissions()),
        built_in: true,
        created_at: None,
        version: 1,
    });
    let custom = sqlx::query_as!(
        RoleView,
        r#"select key, name, permissions as "permissions: Permissions", false as "built_in!", created_at as "created_at?", version
           from roles order by key"#
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(built_in.chain(custom).collect())
}

/// One role.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn show(scope: &mut Scope<impl Implies<ListMembers>>, key: &RoleKey) -> Result<RoleView> {
    list(scope).await?.into_iter().find(|role| role.key == key.as_str()).ok_or(Error::NotFound)
}

/// Makes a role of any permissions that its author holds.
///
/// # Errors
/// `role_exists`, or a permission that the author lacks.
pub async fn create(scope: &mut Scope<ManageRoles>, new: NewRole) -> Result<Written<RoleView>> {
    let own = memberships::lock_actor::<ManageRoles>(scope.core()).await?;
    may_give(own.permissions, new.permissions.0).map_err(Error::Refused)?;
    let role = sqlx::query_as!(
        RoleView,
        r#"insert into roles (org_id, key, name, permissions) values (current_org(), $1, $2, $3)
           returning key, name, permissions as "permissions: Permissions", false as "built_in!", created_at as "created_at?", version"#,
        new.key.as_str(),
        new.name.as_str(),
        new.permissions.0.bits(),
    )
    .fetch_one(scope.sql())
    .await?;
    let event = Event::new(Action::RoleCreated).after(json!({ "key": role.key, "permissions": role.permissions }));
    audit::record(scope.core(), event).await?;
    Ok(Written(role))
}

/// Changes a role, and with it what its holders may do from their next request on. Both what it gave and what it will give
/// must be the author's to give. What is the same already makes no version.
///
/// # Errors
/// [`Error::NotFound`]; `role_built_in`; a permission that the author lacks; those of the precondition.
pub async fn update(
    scope: &mut Scope<ManageRoles>,
    key: &RoleKey,
    precondition: &Precondition,
    changes: RoleChanges,
) -> Result<Written<RoleView>> {
    let own = memberships::lock_actor::<ManageRoles>(scope.core()).await?;
    let before = custom(scope, key, precondition).await?;
    may_act_on(own.permissions, before.permissions).map_err(Error::Refused)?;
    precondition.check(before.version)?;
    let permissions = changes.permissions.0.map_or(before.permissions, |permissions| permissions.0);
    may_give(own.permissions, permissions).map_err(Error::Refused)?;
    let role = sqlx::query_as!(
        RoleView,
        r#"update roles set name = coalesce($2, name), permissions = $3, version = version + 1
           where key = $1 and (name, permissions) is distinct from (coalesce($2, name), $3)
           returning key, name, permissions as "permissions: Permissions", false as "built_in!", created_at as "created_at?", version"#,
        key.as_str(),
        changes.name.0.as_ref().map(Name::as_str),
        permissions.bits(),
    )
    .fetch_optional(scope.sql())
    .await?;
    let Some(role) = role else { return Ok(Written(before)) };
    if !before.permissions.hold::<ReadTasks>() && permissions.hold::<ReadTasks>() {
        reminders::ask_who_have(scope.core(), key).await?;
    }
    let told = |role: &RoleView| json!({ "key": role.key, "name": role.name, "permissions": role.permissions });
    audit::record(scope.core(), Event::new(Action::RoleUpdated).before(told(&before)).after(told(&role))).await?;
    Ok(Written(role))
}

/// Deletes a role. Who has it, or is invited with it, gets the replacement; without one it must be unused.
///
/// # Errors
/// [`Error::NotFound`]; `role_built_in`, `role_in_use`; a permission that the author lacks; those of the precondition.
pub async fn delete(
    scope: &mut Scope<ManageRoles>,
    key: &RoleKey,
    precondition: &Precondition,
    to: &Replacement,
) -> Result<Written<()>> {
    let own = memberships::lock_actor::<ManageRoles>(scope.core()).await?;
    let role = custom(scope, key, precondition).await?;
    may_act_on(own.permissions, role.permissions).map_err(Error::Refused)?;
    precondition.check(role.version)?;
    if let Some(replacement) = to.replacement.as_ref().filter(|replacement| *replacement != key) {
        let given = memberships::permissions_of(scope.core(), replacement).await?;
        may_give(own.permissions, given).map_err(Error::Refused)?;
        // In the order of ids, as whoever keeps several members.
        sqlx::query!(
            "select account_id from memberships where custom_role = $1 order by account_id for no key update",
            key.as_str(),
        )
        .fetch_all(scope.sql())
        .await?;
        if !role.permissions.hold::<ReadTasks>() && given.hold::<ReadTasks>() {
            reminders::ask_who_have(scope.core(), key).await?;
        }
        sqlx::query!(
            "with moved as (
                 update memberships set role = $2, version = version + 1 where custom_role = $1)
             update invitations set role = $2 where custom_role = $1",
            key.as_str(),
            replacement.as_str(),
        )
        .execute(scope.sql())
        .await?;
    }
    sqlx::query!("delete from roles where key = $1", key.as_str()).execute(scope.sql()).await?;
    let told = json!({ "key": role.key, "permissions": role.permissions });
    let after = to.replacement.as_ref().map(|replacement| json!({ "replacement": replacement }));
    let event = Event::new(Action::RoleDeleted).before(told).after(after.unwrap_or_default());
    audit::record(scope.core(), event).await?;
    Ok(Written(()))
}

/// A custom role, locked. Whoever has not said which version they mean is told that first.
async fn custom(scope: &mut Scope<ManageRoles>, key: &RoleKey, precondition: &Precondition) -> Result<RoleView> {
    if Role::is_built_in(key.as_str()) {
        precondition.versions()?;
        return Err(Error::Conflict {
            code: "role_built_in",
            detail: "a built-in role can neither be changed nor deleted",
        });
    }
    sqlx::query_as!(
        RoleView,
        r#"select key, name, permissions as "permissions: Permissions", false as "built_in!", created_at as "created_at?", version
           from roles where key = $1 for update"#,
        key.as_str(),
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)
}
