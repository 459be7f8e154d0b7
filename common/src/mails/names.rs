//! How states and kinds of mails are named in the database, in answers and in questions.

use std::str::FromStr;

use super::MailKind;
use crate::parameters::{NotOneOf, names};

names! {
    /// Where a mail is on its way. It ends in `sent`, `dead`, `cancelled` or `expired`.
    MailState:
        /// It waits for its time.
        Scheduled = "scheduled",
        /// A worker has it in hand.
        Claimed = "claimed",
        /// Its body is on its way.
        Sending = "sending",
        /// The mail server has taken it.
        Sent = "sent",
        /// It was not taken, and is tried again.
        Retry = "retry",
        /// Nobody knows whether it was taken.
        Uncertain = "uncertain",
        /// It was refused for good.
        Dead = "dead",
        /// Nobody is owed it any more.
        Cancelled = "cancelled",
        /// It is too late for it.
        Expired = "expired";
}

impl MailState {
    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Claimed => "claimed",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Retry => "retry",
            Self::Uncertain => "uncertain",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl MailKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Reminder,
        Self::Invitation,
        Self::Verification,
        Self::AlreadyRegistered,
        Self::PasswordReset,
        Self::EmailChangeOld,
        Self::EmailChangeNew,
        Self::Notice,
        Self::Comment,
        Self::Digest,
    ];
    const NAMES: [&str; Self::ALL.len()] = {
        let mut names = [""; Self::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Self::ALL[at].as_str();
            at += 1;
        }
        names
    };
}

impl FromStr for MailKind {
    type Err = NotOneOf;

    fn from_str(text: &str) -> Result<Self, NotOneOf> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(NotOneOf(&Self::NAMES))
    }
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::*;

    fn described<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        serde_json::from_value(schema["enum"].clone()).unwrap()
    }

    #[test]
    fn whatever_is_described_can_be_asked_for() {
        let kinds = described::<MailKind>();
        assert_eq!(kinds.len(), MailKind::ALL.len(), "{kinds:?}");
        for name in kinds {
            assert_eq!(name.parse::<MailKind>().unwrap().as_str(), name);
        }
        for name in described::<MailState>() {
            assert_eq!(name.parse::<MailState>().unwrap().as_str(), name);
        }
        assert!("letter".parse::<MailKind>().is_err() && "lost".parse::<MailState>().is_err());
    }
}
