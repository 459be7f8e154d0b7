//! Reminders: the rule says when and who; what somebody is owed by it is a delivery.
//!
//! `plan` goes from rules to what is owed, `shares` knows by which clock each person lives, `anew` plans somebody's reminders again,
//! `outlook` tells what would be planned.

mod anew;
mod outlook;
mod plan;
mod rules;
mod shares;

use std::str::FromStr;

use deserr::Deserr;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub use anew::replan_asked;
pub(crate) use anew::{ask, ask_everywhere, ask_who_follows_the_organization, ask_who_have, ask_who_see_it_now};
pub use outlook::{Outlook, Prospect, outlook};
pub(crate) use plan::{Whom, create, in_project, replan};
pub use rules::{Reminder, Share, add, list, remove};

use crate::{
    ids::{AccountId, DeliveryId, ReminderId},
    input::{Fault, Faults, FieldFault},
    time::{Due, SkipAfter, When},
};

/// A reminder to be.
#[derive(Clone, Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewReminder {
    /// When.
    pub when: When,
    /// `me`, `assignees`, or an account's id.
    pub to: Recipient,
    /// How late it is still of use; twelve hours unless said.
    #[deserr(default)]
    pub skip_after: Option<SkipAfter>,
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The caller.
    Me,
    /// Whoever the task is assigned to.
    Assignees,
    /// One person.
    Account(AccountId),
}

impl FromStr for Recipient {
    type Err = ReminderFault;

    fn from_str(text: &str) -> Result<Self, ReminderFault> {
        match text {
            "me" => Ok(Self::Me),
            "assignees" => Ok(Self::Assignees),
            id => id.parse().map(Self::Account).map_err(|_| ReminderFault::Recipient),
        }
    }
}

crate::input::parsed_field!(Recipient);
crate::schema::reads_as_text!(
    Recipient,
    "Who is told: `me`, `assignees`, or an account's id.",
    "me",
    pattern: crate::schema::id_pattern!("^(?:me|assignees|", ")$"),
);

/// Why a reminder was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum ReminderFault {
    /// Not a recipient.
    #[error("must be `me`, `assignees` or an account's id")]
    Recipient,
    /// An offset counts from a due value.
    #[error("an offset needs the task to be due")]
    NoDue,
    /// The moment is too far away.
    #[error("is too far away for somebody who would be told")]
    OutOfRange,
}

impl Fault for ReminderFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Recipient => "not_a_recipient",
            Self::NoDue => "offset_without_due",
            Self::OutOfRange => "out_of_range",
        }
    }
}

/// What a reminder has planned.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReminderPlan {
    /// Its id.
    pub id: ReminderId,
    /// When, as it was asked for.
    pub when: When,
    /// How late it is still of use, if that was said.
    pub skip_after: Option<SkipAfter>,
    /// Who gets what, when, and why not.
    pub plan: Vec<Planned>,
}

crate::schema::words! {
    /// Why somebody gets no mail of a reminder.
    WhyNot: "already_past", "cannot_see_the_project", "muted", "no_due", "organization_deleted", "out_of_range", "project_archived",
            "project_muted", "task_completed", "task_deleted", "unassigned", "unsubscribed", "reminder_removed";
}

/// One person's share of a reminder.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Planned {
    /// Who.
    pub account_id: AccountId,
    /// When; null for an offset from a due value that there is not.
    pub due_at: Option<Timestamp>,
    /// When it would have been, had they no quiet hours and no days off; null unless these move it.
    pub moved_from: Option<Timestamp>,
    /// What they are owed; null when skipped.
    pub delivery_id: Option<DeliveryId>,
    /// Why not.
    #[schema(value_type = Option<WhyNot>)]
    pub skipped: Option<&'static str>,
}

/// What can be said of new reminders before anything is written.
pub(crate) fn check(new: &[NewReminder], due: Option<&Due>) -> Vec<FieldFault> {
    let homeless = new.iter().enumerate().filter(|(_, r)| due.is_none() && matches!(r.when, When::Offset { .. }));
    homeless.flat_map(|(index, _)| Faults::at(&format!("/reminders/{index}/when"), &ReminderFault::NoDue).0).collect()
}
