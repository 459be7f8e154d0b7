//! What somebody wants to hear from an organization, and when: it is everybody's own.

mod change;
mod defaults;
mod input;
mod mute;

use serde::Serialize;
use utoipa::ToSchema;

pub use change::update;
pub(crate) use change::{apply, set_clock};
pub(crate) use defaults::of_the_caller;
pub use defaults::{DefaultRecipient, DefaultReminder, DefaultReminders, FromDue};
pub use input::{DigestChoice, SettingsChanges};
pub use mute::{Mute, Muted, list as mutes, mute, unmute};

use crate::{
    access::{Core, Permission, ReadTasks, Scope},
    error::{Error, Result},
    ids::AccountId,
    shown::shown,
    time::{Hour, Quiet, QuietHours, Weekdays},
};

/// What somebody wants to hear from an organization, and when.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct NotificationSettings {
    /// When dates count as come.
    pub reminder_hour: Hour,
    /// When they are not disturbed; what falls into it waits for the end.
    pub quiet_hours: Option<QuietHours>,
    /// Days on which they are not disturbed.
    pub days_off: Weekdays,
    /// Mail for reminders.
    pub reminders: bool,
    /// Mail for comments.
    pub comments: bool,
    /// A mail about their day; null: none.
    pub digest: Option<Digest>,
    /// What a new task of theirs gets that says nothing of reminders; null: the organization's.
    pub default_reminders: Option<DefaultReminders>,
    /// Rises with every change; 0 before the first.
    pub version: i32,
}

shown!(NotificationSettings, version);

/// When a mail about somebody's day comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Digest {
    /// The time of day.
    pub hour: Hour,
    /// On which days.
    pub days: Weekdays,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            reminder_hour: Hour::MORNING,
            quiet_hours: None,
            days_off: Weekdays::default(),
            reminders: true,
            comments: true,
            digest: None,
            default_reminders: None,
            version: 0,
        }
    }
}

impl NotificationSettings {
    /// When they are not disturbed.
    #[must_use]
    pub fn quiet(&self) -> Quiet {
        Quiet { hours: self.quiet_hours, days_off: self.days_off }
    }
}

/// The caller's.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn show(scope: &mut Scope<impl Permission>) -> Result<NotificationSettings> {
    let caller = caller(scope.core()).await?;
    find(scope.core(), caller).await
}

/// A session needs nothing for one's own; a personal token needs to read tasks.
async fn caller(core: &mut Core) -> Result<AccountId> {
    let caller = sqlx::query!(
        r#"select current_account() as "id!: AccountId", current_scopes() & $1 <> 0 as "may!""#,
        ReadTasks::BITS
    )
    .fetch_one(core.sql())
    .await?;
    if caller.may { Ok(caller.id) } else { Err(Error::Forbidden(ReadTasks::NAME)) }
}

/// Somebody's: as they have set them, or as they are for whoever has set nothing.
pub(crate) async fn find(core: &mut Core, account: AccountId) -> Result<NotificationSettings> {
    let row = sqlx::query!(
        r#"select reminder_hour, quiet_from, quiet_until, days_off, reminders, comments, digest_hour, digest_days,
                  default_reminders as "default_reminders: DefaultReminders", version
           from notification_settings where account_id = $1"#,
        account.0,
    )
    .fetch_optional(core.sql())
    .await?;
    let Some(row) = row else { return Ok(NotificationSettings::default()) };
    let hours = row.quiet_from.zip(row.quiet_until);
    let digest = row.digest_hour.zip(row.digest_days);
    Ok(NotificationSettings {
        reminder_hour: row.reminder_hour.map_or(Hour::MORNING, Hour::stored),
        quiet_hours: hours.map(|(from, until)| QuietHours { from: Hour::stored(from), until: Hour::stored(until) }),
        days_off: Weekdays::stored(row.days_off),
        reminders: row.reminders,
        comments: row.comments,
        digest: digest.map(|(hour, days)| Digest { hour: Hour::stored(hour), days: Weekdays::stored(days) }),
        default_reminders: row.default_reminders,
        version: row.version,
    })
}
