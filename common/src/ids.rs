//! Identifiers: `UUIDv7`, one type for each thing, so that a task's id cannot stand where a project's is asked for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Declares an identifier type.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier; later ones sort after earlier ones.
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Only the hyphenated form: one thing has one address.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == 36 => Ok(Self(id)),
                    _ => Err(NotAnId),
                }
            }
        }

        crate::input::parsed_field!($name);
    )+};
}

/// The text is no identifier.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be an identifier such as 01980e5c-7f3a-7c4e-9d2b-3f6a8c1e5b70")]
pub struct NotAnId;

impl crate::input::Fault for NotAnId {
    fn code(&self) -> &'static str {
        "not_an_id"
    }
}

id! {
    /// A person.
    AccountId
    /// A tenant.
    OrgId
    /// A project of one organization.
    ProjectId
    /// A task of one project.
    TaskId
    /// What is stuck on tasks of one project.
    LabelId
    /// A rule that says when somebody is told of a task.
    ReminderId
    /// What one person is owed.
    DeliveryId
    /// What is sent for one or more deliveries.
    MailId
    /// An offer of membership.
    InvitationId
    /// A sign-up that waits for its mail.
    VerificationId
    /// A credential from a sign-in.
    SessionId
    /// A credential for a program.
    TokenId
    /// A lost password.
    PasswordResetId
    /// A change of address that waits for both mailboxes.
    EmailChangeId
    /// What an authenticator was set up with.
    SecondFactorId
    /// An entry of the audit log.
    AuditEventId
}
