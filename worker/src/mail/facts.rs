//! What the templates of each mail may say: one line of text each, safe to stand anywhere.

use common::{mails::ReminderContent, time::TimeZoneName};
use jiff::Timestamp;

use super::{late::delay, text::one_line};

/// A task's reminder.
pub(super) struct Reminder {
    pub(super) name: String,
    pub(super) organization: String,
    pub(super) project: String,
    pub(super) task_key: String,
    pub(super) title: String,
    pub(super) due: Option<String>,
    /// Empty, or how late it is.
    pub(super) delay: String,
    /// The task's address in the API.
    pub(super) address: String,
}

impl Reminder {
    pub(super) fn of(about: &ReminderContent, name: String, date: Timestamp, base_url: &str) -> Self {
        let ReminderContent { organization, org_slug, project, task_id, task_key, title, due, time_zone, due_at } =
            about;
        Self {
            name,
            organization: one_line(organization),
            project: one_line(project),
            task_key: one_line(task_key),
            title: one_line(title),
            due: due.as_deref().map(one_line),
            delay: delay(*due_at, date, &TimeZoneName::stored(time_zone)),
            address: format!("{base_url}/v1/orgs/{}/tasks/{task_id}", one_line(org_slug)),
        }
    }
}

/// An offer of membership.
pub(super) struct Invitation {
    pub(super) organization: String,
    pub(super) inviter: String,
    pub(super) role: String,
    pub(super) until: String,
    pub(super) base_url: String,
    pub(super) token: String,
    /// The page where it is accepted or declined.
    pub(super) link: String,
}

/// The proof of an e-mail address.
pub(super) struct Verification {
    pub(super) until: String,
    pub(super) base_url: String,
    pub(super) token: String,
    /// The page with the button.
    pub(super) link: String,
}

/// Somebody signed up with the address of an account.
pub(super) struct AlreadyRegistered {
    pub(super) name: String,
}

/// The page that a mail's link opens. It shows what the token is for, and acts when its reader says so.
pub(super) fn link(base_url: &str, page: &str, token: &str) -> String {
    format!("{base_url}/links/{page}/{token}")
}

/// A moment for readers whose zone is not known.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
