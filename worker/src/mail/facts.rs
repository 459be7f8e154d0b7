//! What the templates of each mail may say: lines of text, each safe to stand anywhere.

use common::{
    ids::DeliveryId,
    mails::{CommentContent, DigestContent, DigestTask, ReminderContent},
    secrets::{Purpose, ServerKey},
    time::TimeZoneName,
};
use jiff::Timestamp;

use super::{
    late::delay,
    text::{lines, one_line},
};

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
    /// The page where its reader says what becomes of it.
    pub(super) link: String,
    /// The task's address in the API.
    pub(super) address: String,
}

impl Reminder {
    pub(super) fn of(about: &ReminderContent, name: String, date: Timestamp, pages: &Pages<'_>) -> Self {
        let ReminderContent {
            organization, org_slug, project, task_id, task_key, title, due, time_zone, due_at, ..
        } = about;
        Self {
            name,
            organization: one_line(organization),
            project: one_line(project),
            task_key: one_line(task_key),
            title: one_line(title),
            due: due.as_deref().map(one_line),
            delay: delay(*due_at, date, &TimeZoneName::stored(time_zone)),
            link: pages.of(DeliveryId(about.delivery)),
            address: format!("{}/v1/orgs/{}/tasks/{task_id}", pages.base_url, one_line(org_slug)),
        }
    }
}

/// Many reminders in one mail.
pub(super) struct Reminders {
    pub(super) name: String,
    pub(super) organization: String,
    /// `7 tasks: Oil the gears, Water the plants, …`.
    pub(super) subject: String,
    pub(super) each: Vec<Reminder>,
    /// The page of the first: no more of them.
    pub(super) link: String,
}

impl Reminders {
    pub(super) fn of(all: &[ReminderContent], name: &str, date: Timestamp, pages: &Pages<'_>) -> Self {
        let each: Vec<Reminder> = all.iter().map(|about| Reminder::of(about, name.to_owned(), date, pages)).collect();
        let first = each.first();
        Self {
            name: name.to_owned(),
            organization: first.map(|reminder| reminder.organization.clone()).unwrap_or_default(),
            subject: many(&each),
            link: first.map(|reminder| reminder.link.clone()).unwrap_or_default(),
            each,
        }
    }
}

/// As many titles as a line has room for: the rest is in the mail.
const ROOM: usize = 100;

/// What many are about, in a line.
fn many(reminders: &[Reminder]) -> String {
    let mut titles: Vec<(&str, &str)> = Vec::new();
    for reminder in reminders {
        let task = (reminder.task_key.as_str(), reminder.title.as_str());
        if !titles.contains(&task) {
            titles.push(task);
        }
    }
    let tasks = if titles.len() == 1 { "1 task".to_owned() } else { format!("{} tasks", titles.len()) };
    let (mut line, mut told) = (String::new(), 0);
    for (_, title) in &titles {
        let more = if told == 0 { (*title).to_owned() } else { format!(", {title}") };
        if told > 0 && line.chars().count() + more.chars().count() > ROOM {
            break;
        }
        line.push_str(&more);
        told += 1;
    }
    let rest = if told < titles.len() { ", …" } else { "" };
    let late = match reminders.iter().filter(|reminder| !reminder.delay.is_empty()).count() {
        0 => String::new(),
        late if late == reminders.len() => " (delayed)".to_owned(),
        late => format!(" ({late} delayed)"),
    };
    format!("{tasks}: {line}{rest}{late}")
}

/// What somebody has said about a task.
pub(super) struct Comment {
    pub(super) name: String,
    pub(super) organization: String,
    pub(super) project: String,
    pub(super) task_key: String,
    pub(super) title: String,
    pub(super) author: String,
    /// Whether the reader is mentioned.
    pub(super) mentioned: bool,
    /// What was said.
    pub(super) lines: Vec<String>,
    /// The page where the task is muted.
    pub(super) link: String,
    /// The task's address in the API.
    pub(super) address: String,
}

impl Comment {
    pub(super) fn of(about: &CommentContent, name: String, pages: &Pages<'_>) -> Self {
        let CommentContent {
            organization, org_slug, project, task_id, task_key, title, author, body, mentioned, ..
        } = about;
        Self {
            name,
            organization: one_line(organization),
            project: one_line(project),
            task_key: one_line(task_key),
            title: one_line(title),
            author: one_line(author),
            mentioned: *mentioned,
            lines: lines(body),
            link: pages.of(DeliveryId(about.delivery)),
            address: format!("{}/v1/orgs/{}/tasks/{task_id}", pages.base_url, one_line(org_slug)),
        }
    }
}

/// Somebody's day.
pub(super) struct Digest {
    pub(super) name: String,
    pub(super) organization: String,
    /// `2 overdue, 1 due today`.
    pub(super) subject: String,
    /// `Tuesday, 1 December 2026`.
    pub(super) day: String,
    /// Empty, or how late it is.
    pub(super) delay: String,
    /// None of them is empty.
    pub(super) parts: Vec<(&'static str, Vec<Due>)>,
    /// How many tasks are not in it.
    pub(super) more: i64,
    /// Reminders that were not sent.
    pub(super) expired: Vec<Due>,
    /// How many of those are not in it.
    pub(super) more_expired: i64,
    /// The page where it is switched off.
    pub(super) link: String,
    /// The tasks' address in the API.
    pub(super) address: String,
}

/// A line of a digest.
pub(super) struct Due {
    pub(super) title: String,
    /// The task, and its project.
    pub(super) place: String,
    pub(super) when: String,
}

impl Digest {
    pub(super) fn of(about: &DigestContent, name: String, date: Timestamp, pages: &Pages<'_>) -> Self {
        let zone = TimeZoneName::stored(&about.time_zone);
        let (overdue, today, week) = (&about.overdue, &about.today, &about.week);
        let each = |tasks: &[DigestTask]| {
            let line = |task: &DigestTask| Due {
                title: one_line(&task.title),
                place: format!("{}, {}", one_line(&task.task_key), one_line(&task.project)),
                when: one_line(&task.due),
            };
            tasks.iter().map(line).collect::<Vec<_>>()
        };
        let parts = [("Overdue", overdue), ("Due today", today), ("Due in the next seven days", week)];
        let in_subject = [(overdue, "overdue"), (today, "due today"), (week, "due within a week")];
        let counts = in_subject.iter().filter(|(tasks, _)| !tasks.is_empty());
        let mut subject: Vec<String> = counts.map(|(tasks, what)| format!("{} {what}", tasks.len())).collect();
        if subject.is_empty() {
            subject.push("reminders that were not sent".to_owned());
        }
        Self {
            name,
            organization: one_line(&about.organization),
            subject: subject.join(", "),
            day: about.day.strftime("%A, %-d %B %Y").to_string(),
            delay: delay(about.due_at, date, &zone),
            parts: parts
                .iter()
                .filter(|(_, tasks)| !tasks.is_empty())
                .map(|(what, tasks)| (*what, each(tasks)))
                .collect(),
            more: about.more,
            expired: about
                .expired
                .iter()
                .map(|reminder| Due {
                    title: one_line(&reminder.title),
                    place: one_line(&reminder.task_key),
                    when: common::time::Due::At { at: reminder.due_at }.in_words(&zone),
                })
                .collect(),
            more_expired: about.more_expired,
            link: pages.of(DeliveryId(about.delivery)),
            address: format!("{}/v1/orgs/{}/tasks", pages.base_url, one_line(&about.org_slug)),
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

/// A way in for somebody who has lost their password.
pub(super) struct PasswordReset {
    pub(super) name: String,
    pub(super) until: String,
    pub(super) base_url: String,
    pub(super) token: String,
    /// The page with the form.
    pub(super) link: String,
}

/// A change of address, to one of its two mailboxes.
pub(super) struct EmailChange {
    /// Whether this is the address that the account has now.
    pub(super) old: bool,
    pub(super) new_email: String,
    pub(super) until: String,
    pub(super) base_url: String,
    pub(super) token: String,
    /// The page with the button.
    pub(super) link: String,
}

/// Something that has happened.
pub(super) struct Notice {
    pub(super) name: String,
    pub(super) headline: String,
    pub(super) what: String,
    pub(super) advice: &'static str,
}

impl Notice {
    pub(super) fn of(notice: &common::mails::Notice, name: String) -> Self {
        use common::mails::Notice as Told;
        const NOT_YOU: &str = "If it was not you, reset your password at once and look at your sessions.";
        const KNOW: &str = "You need not do anything.";
        let (headline, what, advice) = match notice {
            Told::PasswordChanged => (
                "Your password was changed".to_owned(),
                "The password of your account was changed. All other sessions have ended.".to_owned(),
                NOT_YOU,
            ),
            Told::PasswordReset => (
                "Your password was reset".to_owned(),
                "A new password was set with a link from a mail. All sessions have ended; sign in again.".to_owned(),
                NOT_YOU,
            ),
            Told::SecondFactorEnabled => (
                "A second factor protects your account".to_owned(),
                "From now on a sign-in takes a code of your authenticator app, or one of your recovery codes."
                    .to_owned(),
                NOT_YOU,
            ),
            Told::SecondFactorDisabled => (
                "Your second factor was switched off".to_owned(),
                "A sign-in takes the password alone again.".to_owned(),
                NOT_YOU,
            ),
            Told::DeletionRequested { due_at } => (
                "Your account will be deleted".to_owned(),
                format!(
                    "Your account will be deleted at {}. Until then you can sign in and change your mind.",
                    moment(*due_at)
                ),
                NOT_YOU,
            ),
            Told::Transferred { organization, to } => (
                format!("{} has another owner", one_line(organization)),
                format!("{} is now an owner of {}.", one_line(to), one_line(organization)),
                KNOW,
            ),
            Told::GlassBroken { organization, project, by, reason } => (
                format!("An owner took access to {}", one_line(project)),
                format!(
                    "{}, an owner of {}, has made themselves a manager of the project {}. The reason given: {}",
                    one_line(by),
                    one_line(organization),
                    one_line(project),
                    one_line(reason)
                ),
                "It stands in the organization's audit log too.",
            ),
            Told::OrganizationDeleted { organization, by, due_at } => (
                format!("{} will be deleted", one_line(organization)),
                format!(
                    "{} has deleted {}. It is closed now and will be gone at {}; until then an owner can restore it.",
                    one_line(by),
                    one_line(organization),
                    moment(*due_at)
                ),
                KNOW,
            ),
        };
        Self { name, headline, what, advice }
    }
}

/// Where the pages of mails are, and the key that their tokens are derived with.
pub(super) struct Pages<'a> {
    pub(super) base_url: &'a str,
    pub(super) key: &'a ServerKey,
}

impl Pages<'_> {
    /// The page of a delivery.
    pub(super) fn of(&self, delivery: DeliveryId) -> String {
        link(self.base_url, "mail", &self.key.mailed_token(Purpose::Delivery, delivery.0).reveal())
    }
}

/// The page that a mail's link opens. It shows what the token is for, and acts when its reader says so.
pub(super) fn link(base_url: &str, page: &str, token: &str) -> String {
    format!("{base_url}/links/{page}/{token}")
}

/// A moment for readers whose zone is not known.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
