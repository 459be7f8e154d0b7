//! What can go wrong in the domain. `api` turns each into one problem document.

use std::error::Error as StdError;

use crate::{input::Faults, quotas::Quota};

/// Shorthand for the domain's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of a domain function.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No credential, or none that is valid any more.
    #[error("a valid credential is required")]
    Unauthenticated,
    /// E-mail and password do not belong together; never says which.
    #[error("e-mail or password is wrong")]
    WrongPassword,
    /// The second factor is missing, or its code is wrong.
    #[error("{}", if *.given { "the code of the second factor is wrong or was used before" } else { "the code of the second factor is needed" })]
    SecondFactor {
        /// Whether there was a code.
        given: bool,
    },
    /// Too many tries; the next one counts after so many seconds.
    #[error("too many tries; wait {0} s")]
    Throttled(u64),
    /// The organization has another slug now; told to members only.
    #[error("the organization has moved to `{0}`")]
    Moved(String),
    /// A member without the permission; names it.
    #[error("this needs the permission `{0}`")]
    Forbidden(&'static str),
    /// A rule about who may act on whom (access.rules); names it.
    #[error("{}", .0.sentence())]
    Refused(Refusal),
    /// Not there, or not for the caller's eyes: the two are never told apart.
    #[error("there is nothing here")]
    NotFound,
    /// The input is well-formed but not valid.
    #[error(transparent)]
    Invalid(#[from] Faults),
    /// A cursor that this list did not give out.
    #[error(transparent)]
    BadCursor(Faults),
    /// It was not said which version of a thing is meant, or not so that it can be read.
    #[error("{}", if *.given { "If-Match is no list of entity tags" } else { "If-Match must say which version is meant" })]
    Precondition {
        /// Whether anything was said.
        given: bool,
    },
    /// Another version was meant than the one that there is.
    #[error("there is another version of it by now")]
    Stale {
        /// The one that there is.
        current: i32,
    },
    /// What has changed since cannot be told any more: begin anew.
    #[error("what has changed since then cannot be told; begin anew without `since`")]
    SyncAgain,
    /// The state of things forbids it; the code is stable.
    #[error("{detail}")]
    Conflict {
        /// Stable name.
        code: &'static str,
        /// A sentence.
        detail: &'static str,
    },
    /// One of several deeds that stand or fall together: nothing was done.
    #[error("one of the operations failed, and none was done: {cause}")]
    Batch {
        /// Where it stands.
        place: String,
        /// Why.
        cause: Box<Self>,
    },
    /// There is as much of something as the operator lets there be.
    #[error("this would be more than the {most} {quota}")]
    Quota {
        /// Of what.
        quota: Quota,
        /// How many there may be.
        most: u32,
    },
    /// The request was sent before, and cannot be answered as it was.
    #[error("{}", .0.sentence())]
    Repeated(Repetition),
    /// Too much at once; try again soon.
    #[error("the service is busy")]
    Busy,
    /// Postgres cannot be reached or has no connection to spare.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// A fault of ours or of the machine; the detail is for the log only.
    #[error("internal error")]
    Internal(#[source] Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// What went wrong and why, for a log: each cause in its own words. Never a database's detail line, which may hold a row.
    #[must_use]
    pub fn story(&self) -> String {
        let mut story = self.to_string();
        let mut cause = StdError::source(self);
        while let Some(fault) = cause {
            story.push_str(": ");
            story.push_str(&fault.to_string());
            cause = fault.source();
        }
        story
    }
}

/// Why a request that was sent before is not answered as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// It is still being done.
    Running,
    /// It was done in the meantime: the next try will find the answer. The openers look for it at once.
    Answered,
    /// The key was another request's.
    OtherRequest,
    /// The answer showed a secret, which was not kept.
    ShownOnce,
}

impl Repetition {
    /// Stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Running | Self::Answered => "still_running",
            Self::OtherRequest => "idempotency_key_reused",
            Self::ShownOnce => "shown_once",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Running | Self::Answered => "a request with this Idempotency-Key is still running",
            Self::OtherRequest => "this Idempotency-Key was used for another request",
            Self::ShownOnce => "this was done, and its answer showed a secret, which is shown once",
        }
    }
}

/// A denial that no permission describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Roles above one's own cannot be given, nor their holders changed.
    RoleAboveOwn,
    /// Nobody promotes themselves.
    SelfPromotion,
    /// A personal token where only a session will do.
    SessionNeeded,
    /// A token for what its owner does not hold.
    ScopeNotHeld,
    /// The deployment takes no sign-ups.
    RegistrationClosed,
    /// Nobody puts words into somebody else's mouth.
    NotTheAuthor,
}

impl Refusal {
    /// Stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::RoleAboveOwn => "role_above_own",
            Self::SelfPromotion => "self_promotion",
            Self::SessionNeeded => "session_needed",
            Self::ScopeNotHeld => "scope_not_held",
            Self::RegistrationClosed => "registration_closed",
            Self::NotTheAuthor => "not_the_author",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::RoleAboveOwn => "a role above your own can neither be given nor changed",
            Self::SelfPromotion => "nobody can raise their own role",
            Self::SessionNeeded => "personal tokens cannot do this; sign in",
            Self::ScopeNotHeld => "a token gives no more than its owner holds",
            Self::RegistrationClosed => "this deployment takes no new accounts",
            Self::NotTheAuthor => "only its author changes a comment",
        }
    }
}

/// Constraint names are error codes: the migration names the rule, this table says it in a sentence.
const CONSTRAINTS: &[(&str, &str, &str)] = &[
    ("organizations_slug_key", "slug_taken", "another organization has this slug"),
    ("projects_key_key", "key_taken", "another project of the organization has this key"),
    ("labels_name_key", "label_taken", "another label of the project has this name, in small or capital letters"),
    ("invitations_pending_key", "already_invited", "an invitation to this e-mail is already pending"),
    ("memberships_pkey", "already_member", "the account is already a member of the organization"),
    ("roles_pkey", "role_exists", "another role of the organization has this key"),
    ("roles_key_check", "role_exists", "a built-in role has this key"),
    ("memberships_role_fkey", "role_in_use", "members or invitations have this role; name a replacement"),
    ("invitations_role_fkey", "role_in_use", "members or invitations have this role; name a replacement"),
    ("former_slugs_pkey", "slug_taken", "another organization has this slug"),
    ("accounts_email_key", "email_taken", "another account has this address"),
    ("memberships_active_owner", "last_owner", "an organization keeps at least one active owner"),
    ("task_assignees_account_fkey", "not_a_member", "an assignee is not a member of the organization"),
    ("task_labels_label_fkey", "label_gone", "a label was deleted at this moment"),
    ("reminders_account_fkey", "not_a_member", "the reminder's recipient is not a member of the organization"),
    ("project_grants_account_fkey", "not_a_member", "the account is not a member of the organization"),
];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::RowNotFound => Self::NotFound,
                sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Self::Unavailable(error),
                other => Self::Internal(Box::new(other)),
            };
        };
        if let Some((_, code, detail)) = CONSTRAINTS.iter().find(|(name, ..)| Some(*name) == database.constraint()) {
            return Self::Conflict { code, detail };
        }
        match database.code().as_deref() {
            Some("TB401") => Self::Unauthenticated,
            Some("TB404") => Self::NotFound,
            Some("TB308") => Self::Moved(database.message().to_owned()),
            Some("TB409") => Self::Repeated(Repetition::Running),
            Some("TB208") => Self::Repeated(Repetition::Answered),
            Some("TB422") => Self::Repeated(Repetition::OtherRequest),
            Some("TB410") => Self::Repeated(Repetition::ShownOnce),
            // Shutting down, starting up, too many connections.
            Some("57P01" | "57P02" | "57P03" | "53300") => Self::Unavailable(error),
            // Two transactions in each other's way: nothing was done, the client may repeat it.
            Some("40001" | "40P01") => Self::Busy,
            _ => Self::Internal(Box::new(error)),
        }
    }
}
