//! What a notice tells: something that has happened to an account or an organization, and that its people should know of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that has happened. Facts only; words are the worker's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// The password was changed by somebody who knew it; other sessions have ended.
    PasswordChanged,
    /// The password was set by a mailed link; all sessions have ended.
    PasswordReset,
    /// A second factor counts from now on.
    SecondFactorEnabled,
    /// None does any more.
    SecondFactorDisabled,
    /// The account will be deleted.
    DeletionRequested {
        /// When.
        due_at: Timestamp,
    },
    /// An organization has another owner.
    Transferred {
        /// Its name.
        organization: String,
        /// The new owner's name.
        to: String,
    },
    /// An owner took access to a private project.
    GlassBroken {
        /// The organization's name.
        organization: String,
        /// The project's name.
        project: String,
        /// The owner's name.
        by: String,
        /// Why, in their words.
        reason: String,
    },
    /// An organization will be deleted.
    OrganizationDeleted {
        /// Its name.
        organization: String,
        /// The name of the owner who did it.
        by: String,
        /// When.
        due_at: Timestamp,
    },
}

impl Notice {
    /// As the delivery keeps it.
    pub(crate) fn stored(&self) -> Value {
        // It has neither maps with keys that are no text nor types of others: this cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }
}
