//! What the reader of a mail sees and does by its link, without signing in: the token of the delivery proves the mailbox.
//!
//! Looking changes nothing. A deed done twice is done once, and one that is not possible any more says why.

mod act;
mod later;
mod look;
mod quiet;

pub use act::{complete, snooze};
pub use later::{Later, Postponement};
pub use look::{Linked, LinkedTask, Standing, look};
pub use quiet::{Mute, mute, unsubscribe};

/// What came of a deed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The task is done.
    Completed {
        /// When it is due again, in words; of one that comes round.
        next: Option<String>,
    },
    /// It was done before.
    CompletedBefore,
    /// The mail was about another time of a task that comes round: that one is over.
    Over,
    /// It is somebody else's to complete.
    NotTheirs,
    /// It comes once more.
    Snoozed {
        /// When, in words.
        until: String,
    },
    /// That moment is over, or too far away.
    NoSuchMoment,
    /// The reader has said that they want no reminders of it.
    NotWanted,
    /// No mail about the task any more.
    Muted,
    /// None about its project.
    ProjectMuted,
    /// No reminders from the organization.
    RemindersOff,
    /// No digests from it.
    DigestOff,
    /// The reader cannot see the task any more, or it is gone.
    Unseen,
    /// Its project is archived.
    Archived,
}

/// A deed, and what it was about, as that stood before.
#[derive(Clone, Debug)]
pub struct Did {
    /// What the link is about.
    pub about: Linked,
    /// What came of it.
    pub deed: Deed,
}
