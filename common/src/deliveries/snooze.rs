//! "Tell me again later". The time that somebody chose becomes a reminder of their own, which is planned, cancelled and sent like any
//! other; what was still to come of the delivery is cancelled.

use deserr::Deserr;
use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Cancel, Which, cancel};
use crate::{
    access::{Core, Implies, Permission, ReadTasks, Scope, Written},
    error::{Error, Result},
    ids::{AccountId, DeliveryId, ReminderId, TaskId},
    input::{Fault, Faults},
    memberships,
    reminders::{self, NewReminder, Recipient, ReminderPlan},
    tasks::{self, TaskRef, TaskStatus},
    time::{Ahead, Instant, LocalTime, Offset, TimeFault, TimeZoneName, When},
};

/// For how long somebody puts a reminder off, or until when.
#[derive(Clone, Debug, Serialize, Deserr, ToSchema)]
#[serde(untagged)]
#[deserr(error = Faults, try_from(RawSnooze) = Snooze::try_from -> TimeFault)]
pub enum Snooze {
    /// From now on. Days and weeks are calendar days of one's own zone.
    For {
        /// How long, a year at most.
        #[serde(rename = "for")]
        #[schema(value_type = Ahead)]
        length: Offset,
    },
    /// Until a moment.
    Until {
        /// Within a year.
        until: Until,
    },
}

/// The moment until which something is put off.
#[derive(Clone, Debug, Serialize, Deserr, ToSchema)]
#[serde(untagged)]
#[deserr(error = Faults, try_from(When) = Until::try_from -> TimeFault)]
pub enum Until {
    /// A time on somebody's wall clock.
    Local {
        /// What the clock shows.
        #[schema(value_type = LocalTime)]
        local: civil::DateTime,
        /// Where it hangs.
        time_zone: TimeZoneName,
    },
    /// An instant.
    At {
        /// The instant.
        #[schema(value_type = Instant)]
        at: Timestamp,
    },
}

#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
struct RawSnooze {
    #[deserr(default, rename = "for")]
    length: Option<Offset>,
    #[deserr(default)]
    until: Option<Until>,
}

impl TryFrom<RawSnooze> for Snooze {
    type Error = TimeFault;

    fn try_from(raw: RawSnooze) -> Result<Self, TimeFault> {
        match raw {
            RawSnooze { length: Some(length), until: None } => Ok(Self::For { length }),
            RawSnooze { length: None, until: Some(until) } => Ok(Self::Until { until }),
            _ => Err(TimeFault::OneForm("for; until")),
        }
    }
}

impl TryFrom<When> for Until {
    type Error = TimeFault;

    fn try_from(when: When) -> Result<Self, TimeFault> {
        match when {
            When::Local { local, time_zone } => Ok(Self::Local { local, time_zone }),
            When::At { at } => Ok(Self::At { at }),
            When::Offset { .. } => Err(TimeFault::OneForm("at; local with time_zone")),
        }
    }
}

/// Why something cannot be put off so far.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum SnoozeFault {
    #[error("must lead to a moment that is still to come")]
    Past,
    #[error("must not lead further than a year ahead")]
    TooFar,
}

impl Fault for SnoozeFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Past => "already_past",
            Self::TooFar => "out_of_range",
        }
    }
}

impl Snooze {
    /// When its reminder is, for a person in `zone`: after now, and within a year.
    fn when(&self, now: Timestamp, zone: &TimeZone) -> Result<When, Faults> {
        let here = now.to_zoned(zone.clone());
        let (pointer, when) = match self {
            Self::For { length } => ("/for", length.from_anchor(&here).map(|at| When::At { at })),
            Self::Until { until: Until::At { at } } => ("/until", Ok(When::At { at: *at })),
            Self::Until { until: Until::Local { local, time_zone } } => {
                ("/until", Ok(When::Local { local: *local, time_zone: time_zone.clone() }))
            }
        };
        let instant = when.as_ref().map_err(Clone::clone).and_then(|when| when.instant(None, zone, civil::Time::MIN));
        let last = here.checked_add(1.year()).map(|end| end.timestamp());
        match (when, instant, last) {
            (Ok(when), Ok(Some(at)), Ok(last)) if now < at && at <= last => Ok(when),
            (_, Ok(Some(at)), _) if at <= now => Err(Faults::at(pointer, &SnoozeFault::Past)),
            _ => Err(Faults::at(pointer, &SnoozeFault::TooFar)),
        }
    }
}

/// Puts one of the caller's own reminders off: it comes once more then, whether it was sent already or not. A person has one snooze of
/// a task; a later one takes its place.
///
/// # Errors
/// [`Error::NotFound`], `not_a_reminder`, `already_past`, `out_of_range`, `task_completed`, `task_deleted`, `project_archived`,
/// `not_wanted`.
pub async fn snooze(
    scope: &mut Scope<impl Implies<ReadTasks>>,
    id: DeliveryId,
    snooze: &Snooze,
) -> Result<Written<ReminderPlan>> {
    put_off(scope.core(), id, snooze).await
}

/// The same for whoever acts as the recipient by another way than a session: the context of the transaction says who that is, and what
/// they may see.
pub(crate) async fn put_off(core: &mut Core, id: DeliveryId, snooze: &Snooze) -> Result<Written<ReminderPlan>> {
    let found = sqlx::query!(
        r#"select d.kind, d.task_id as "task_id: TaskId", current_account() as "caller!: AccountId",
                  coalesce(r.recipient = 'assignees' or r.of_assignees, false) as "of_assignees!"
           from deliveries d left join reminders r on r.org_id = d.org_id and r.id = d.reminder_id
           where d.id = $1 and d.account_id = current_account() and current_scopes() & $2 <> 0"#,
        id.0,
        ReadTasks::BITS,
    )
    .fetch_optional(core.sql())
    .await?
    .ok_or(Error::NotFound)?;
    let (Some(task), "reminder") = (found.task_id, found.kind.as_str()) else {
        return Err(Error::Conflict { code: "not_a_reminder", detail: "only reminders can be put off" });
    };
    memberships::keep(core, []).await?;
    // Locked until the end: whoever completes the task at this moment cancels what is written here (tests/api/snooze.rs:
    // `a_task_that_is_completed_or_deleted_is_not_put_off`).
    let (project, task) = tasks::lock_live::<ReadTasks>(core, &TaskRef::Id(task)).await?;
    project.in_use()?;
    if task.status == TaskStatus::Completed {
        return Err(Error::Conflict { code: "task_completed", detail: "the task is completed; reopen it first" });
    }
    let core = project.core;
    let (now, zone) = present(core).await?;
    let when = snooze.when(now, zone.rules())?;
    make_room(core, task.id, found.caller).await?;
    let owed = Cancel { tasks: &[task.id], people: None, which: Which::Delivery(id), reason: "snoozed" };
    cancel(core, owed).await?;
    let own = NewReminder { when, to: Recipient::Me, skip_after: None };
    let Written(planned) = reminders::create(core, &task, &[own], true).await?;
    let plan = planned.into_iter().next().ok_or(Error::NotFound)?;
    if plan.plan.iter().any(|share| share.skipped.is_some()) {
        // It would never come: who has muted the task has said so. Nothing of it is written.
        return Err(Error::Conflict { code: "not_wanted", detail: "you have said that you want no reminders of it" });
    }
    // Whoever is no assignee any more, and asks to be told all the same, is told.
    let of_assignees = found.of_assignees && task.assignees.contains(&found.caller);
    sqlx::query!("update reminders set snooze = true, of_assignees = $2 where id = $1", plan.id.0, of_assignees)
        .execute(core.sql())
        .await?;
    Ok(Written(plan))
}

/// Takes away whatever was put off of a task that comes round: it was of the time that is completed now.
pub(crate) async fn forget_snoozes(core: &mut Core, task: TaskId, reason: &'static str) -> Result<()> {
    let owed = Cancel { tasks: &[task], people: None, which: Which::Snoozes, reason };
    cancel(core, owed).await?;
    sqlx::query!(
        "update reminders set removed_at = now() where task_id = $1 and snooze and removed_at is null",
        task.0
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// Takes the snooze that there is away.
async fn make_room(core: &mut Core, task: TaskId, caller: AccountId) -> Result<()> {
    let former = sqlx::query_scalar!(
        r#"update reminders set removed_at = now()
           where task_id = $1 and account_id = $2 and snooze and removed_at is null returning id as "id: ReminderId""#,
        task.0,
        caller.0,
    )
    .fetch_optional(core.sql())
    .await?;
    match former {
        Some(former) => {
            let owed = Cancel { tasks: &[task], people: None, which: Which::One(former), reason: "snoozed" };
            cancel(core, owed).await
        }
        None => Ok(()),
    }
}

/// The database's present, and the caller's zone.
async fn present(core: &mut Core) -> Result<(Timestamp, TimeZoneName)> {
    let row = sqlx::query!(
        r#"select now() as "now!", coalesce(a.time_zone, o.time_zone) as "zone!"
           from organizations o, accounts a where o.id = current_org() and a.id = current_account()"#
    )
    .fetch_one(core.sql())
    .await?;
    Ok((row.now.to_jiff(), TimeZoneName::stored(&row.zone)))
}
