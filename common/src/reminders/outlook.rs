//! What the reminders of a task would do now: who is told when, and who is not, and why.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Planned, WhyNot, rules::Share, shares::to_look_at};
use crate::{
    access::{Implies, InProject, ReadTasks},
    error::Result,
    ids::{AccountId, ReminderId},
    shown::shown,
    tasks::Task,
    time::{SkipAfter, When},
};

/// What a reminder would plan now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Outlook {
    /// Its id.
    pub id: ReminderId,
    /// When, as it was asked for.
    pub when: When,
    /// How late it is still of use; null: twelve hours.
    pub skip_after: Option<SkipAfter>,
    /// Whom it tells.
    pub plan: Vec<Prospect>,
}

shown!(Outlook);

/// One person's share of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Prospect {
    /// Who.
    pub account_id: AccountId,
    /// When, by their own clock and what they have said about it; null for an offset from a due value that there is not.
    pub due_at: Option<jiff::Timestamp>,
    /// When it would be, had they no quiet hours and no days off; null unless these move it.
    pub moved_from: Option<jiff::Timestamp>,
    /// Why they would not be told, if it were planned now.
    #[schema(value_type = Option<WhyNot>)]
    pub skipped: Option<&'static str>,
    /// What they are owed by it, or were, and what became of that.
    pub delivery: Option<Share>,
}

/// Of each of a task's reminders.
///
/// # Errors
/// The database's.
pub async fn outlook(project: &mut InProject<'_, impl Implies<ReadTasks>>, task: &Task) -> Result<Vec<Outlook>> {
    let (now, shares) = to_look_at(project.core, &[task.id], None).await?;
    let mut all: Vec<Outlook> = Vec::new();
    for share in shares {
        let Planned { account_id, due_at, moved_from, skipped, .. } = share.planned(now);
        let prospect =
            Prospect { account_id, due_at, moved_from, skipped, delivery: share.last.map(|last| last.share) };
        match all.last_mut() {
            Some(last) if last.id == share.reminder => last.plan.push(prospect),
            _ => all.push(Outlook {
                id: share.reminder,
                when: share.when,
                skip_after: share.skip_after,
                plan: vec![prospect],
            }),
        }
    }
    Ok(all)
}
