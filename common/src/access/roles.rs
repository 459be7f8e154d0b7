//! The policy on one screen: which role holds what. The database has the same table (`role_permissions`,
//! `grant_permissions`); the test `the_database_and_the_code_grant_the_same_permissions` holds the two together.

use deserr::Deserr;
use serde::Serialize;
use utoipa::ToSchema;

use super::permissions::*;
use crate::input::Faults;

/// A built-in role of every organization; each holds all that the later ones hold. Custom ones stand in the table `roles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but the organization's own fate.
    Admin,
    /// Works in open projects, creates projects.
    Member,
    /// Nothing but grants in single projects.
    Guest,
}

impl Role {
    /// All of them, highest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Guest];

    /// The bits of its permissions.
    #[must_use]
    pub const fn permissions(self) -> i64 {
        let member = ListMembers::BITS | CreateProjects::BITS | editor();
        let admin = member
            | UpdateOrganization::BITS
            | ManageMembers::BITS
            | ManageRoles::BITS
            | ReadAudit::BITS
            | ReadDeliveries::BITS
            | ManageProject::BITS;
        match self {
            Self::Owner => admin | OwnOrganization::BITS,
            Self::Admin => admin,
            Self::Member => member,
            Self::Guest => 0,
        }
    }

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Guest => "guest",
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Member => "Member",
            Self::Guest => "Guest",
        }
    }

    /// Whether a custom role would be taken for this one.
    #[must_use]
    pub fn is_built_in(key: &str) -> bool {
        Self::ALL.iter().any(|role| role.as_str() == key)
    }
}

/// A role in one project; adds to what the organization role gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserr, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[deserr(rename_all = lowercase, error = Faults)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum GrantRole {
    /// Runs the project.
    Manager,
    /// Works in it.
    Editor,
    /// Reads and comments.
    Commenter,
    /// Reads.
    Viewer,
}

impl GrantRole {
    /// All of them, highest first.
    pub const ALL: [Self; 4] = [Self::Manager, Self::Editor, Self::Commenter, Self::Viewer];

    /// The bits of its permissions.
    #[must_use]
    pub const fn permissions(self) -> i64 {
        match self {
            Self::Manager => editor() | ManageProject::BITS,
            Self::Editor => editor(),
            Self::Commenter => ReadTasks::BITS | WriteComments::BITS,
            Self::Viewer => ReadTasks::BITS,
        }
    }

    /// The name in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manager => "manager",
            Self::Editor => "editor",
            Self::Commenter => "commenter",
            Self::Viewer => "viewer",
        }
    }
}

const fn editor() -> i64 {
    ReadTasks::BITS | WriteTasks::BITS | CompleteTasks::BITS | WriteComments::BITS
}
