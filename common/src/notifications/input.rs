//! What people say of it.

use deserr::Deserr;
use utoipa::ToSchema;

use super::{DefaultReminders, Digest, NotificationSettings};
use crate::{
    input::{Faults, Given, Patch},
    time::{DaysOff, Hour, QuietHours, SomeDays, Weekdays},
};

/// A merge patch: what is absent stays, null clears.
#[derive(Debug, Default, Deserr, ToSchema)]
#[schema(example = json!({ "reminder_hour": "08:30", "quiet_hours": { "from": "22:00", "until": "07:00" }, "days_off": ["sunday"] }))]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct SettingsChanges {
    /// When dates count as come; null for nine in the morning.
    #[deserr(default)]
    pub reminder_hour: Patch<Hour>,
    /// When they are not disturbed.
    #[deserr(default)]
    pub quiet_hours: Patch<QuietHours>,
    /// Days on which they are not disturbed.
    #[deserr(default)]
    pub days_off: Patch<DaysOff>,
    /// Mail for reminders.
    #[deserr(default)]
    pub reminders: Given<bool>,
    /// Mail for comments.
    #[deserr(default)]
    pub comments: Given<bool>,
    /// A mail about their day; null: none.
    #[deserr(default)]
    pub digest: Patch<DigestChoice>,
    /// What a new task of theirs gets that says nothing of reminders; null: the organization's.
    #[deserr(default)]
    pub default_reminders: Patch<DefaultReminders>,
}

/// When a mail about somebody's day shall come.
#[derive(Clone, Debug, PartialEq, Eq, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct DigestChoice {
    /// The time of day.
    pub hour: Hour,
    /// On which days.
    pub days: SomeDays,
}

impl SettingsChanges {
    /// What it shall be.
    pub(super) fn applied(self, before: &NotificationSettings) -> NotificationSettings {
        let mut after = before.clone();
        match self.reminder_hour {
            Patch::Keep => {}
            Patch::Clear => after.reminder_hour = Hour::MORNING,
            Patch::Set(hour) => after.reminder_hour = hour,
        }
        match self.days_off {
            Patch::Keep => {}
            Patch::Clear => after.days_off = Weekdays::default(),
            Patch::Set(days) => after.days_off = days.0,
        }
        if let Some(hours) = self.quiet_hours.as_ref() {
            after.quiet_hours = hours.copied();
        }
        if let Some(digest) = self.digest.as_ref() {
            after.digest = digest.map(|digest| Digest { hour: digest.hour, days: digest.days.0 });
        }
        if let Some(defaults) = self.default_reminders.as_ref() {
            after.default_reminders = defaults.cloned();
        }
        after.reminders = self.reminders.0.unwrap_or(before.reminders);
        after.comments = self.comments.0.unwrap_or(before.comments);
        after
    }
}
