//! Identifiers: `UUIDv7`, one type for each thing, so that a task's id cannot stand where a project's is asked for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Declares an identifier type.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema, sqlx::Type)]
        $(#[$doc])*
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
    #[schema(example = "01a20393-c05f-7000-8000-000000000001")]
    AccountId
    /// A tenant.
    #[schema(example = "01a20393-c05f-7000-8000-000000000002")]
    OrgId
    /// A project of one organization.
    #[schema(example = "01a20393-c05f-7000-8000-000000000003")]
    ProjectId
    /// A task of one project.
    #[schema(example = "01a20393-c05f-7000-8000-000000000004")]
    TaskId
    /// What is stuck on tasks of one project.
    #[schema(example = "01a20393-c05f-7000-8000-000000000016")]
    LabelId
    /// What somebody has said about a task.
    #[schema(example = "01a20393-c05f-7000-8000-000000000018")]
    CommentId
    /// A change of a task.
    #[schema(example = "01a20393-c05f-7000-8000-000000000017")]
    TaskEventId
    /// A rule that says when somebody is told of a task.
    #[schema(example = "01a20393-c05f-7000-8000-000000000005")]
    ReminderId
    /// What one person is owed.
    #[schema(example = "01a20393-c05f-7000-8000-000000000006")]
    DeliveryId
    /// What is sent for one or more deliveries.
    #[schema(example = "01a20393-c05f-7000-8000-000000000007")]
    MailId
    /// An offer of membership.
    #[schema(example = "01a20393-c05f-7000-8000-000000000008")]
    InvitationId
    /// A sign-up that waits for its mail.
    #[schema(example = "01a20393-c05f-7000-8000-000000000009")]
    VerificationId
    /// A credential from a sign-in.
    #[schema(example = "01a20393-c05f-7000-8000-000000000010")]
    SessionId
    /// A credential for a program.
    #[schema(example = "01a20393-c05f-7000-8000-000000000011")]
    TokenId
    /// A lost password.
    #[schema(example = "01a20393-c05f-7000-8000-000000000012")]
    PasswordResetId
    /// A change of address that waits for both mailboxes.
    #[schema(example = "01a20393-c05f-7000-8000-000000000013")]
    EmailChangeId
    /// What an authenticator was set up with.
    #[schema(example = "01a20393-c05f-7000-8000-000000000014")]
    SecondFactorId
    /// An entry of the audit log.
    #[schema(example = "01a20393-c05f-7000-8000-000000000015")]
    AuditEventId
}
