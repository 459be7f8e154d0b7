//! A rule and somebody whom it tells: when, by their own clock and what they have said about it, and why not.

use jiff::Timestamp;
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Planned, rules};
use crate::{
    access::Core,
    error::Result,
    ids::{AccountId, DeliveryId, ReminderId, TaskId},
    mails::{MailKind, Owed},
    time::{Due, DueColumns, Hour, Quiet, QuietHours, SkipAfter, TimeZoneName, Weekdays, When, WhenColumns},
};

/// As the database tells it (`reminder_shares` in `migrations/0061_planning.sql`).
struct Row {
    now: jiff_sqlx::Timestamp,
    task: TaskId,
    due_on: Option<jiff_sqlx::Date>,
    due_local: Option<jiff_sqlx::DateTime>,
    due_zone: Option<String>,
    due_at: Option<jiff_sqlx::Timestamp>,
    generation: i32,
    reminder: ReminderId,
    offset: Option<String>,
    local_time: Option<jiff_sqlx::DateTime>,
    time_zone: Option<String>,
    at: Option<jiff_sqlx::Timestamp>,
    skip_after: Option<String>,
    for_assignees: bool,
    person: AccountId,
    zone: String,
    reminder_hour: Option<jiff_sqlx::Time>,
    quiet_from: Option<jiff_sqlx::Time>,
    quiet_until: Option<jiff_sqlx::Time>,
    days_off: i16,
    refusal: Option<String>,
    last: Option<Json<Last>>,
    told: Option<Json<Told>>,
}

/// What somebody was told by it last.
#[derive(Clone, Debug, Deserialize)]
struct Told {
    /// The due value that it was counted from.
    due_value: Option<String>,
}

/// What somebody is owed by it, or was.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Last {
    #[serde(flatten)]
    pub(super) share: rules::Share,
    /// The due value that it was counted from.
    pub(super) due_value: Option<String>,
    /// It has been on its way already.
    pub(super) frozen: bool,
}

/// A rule and somebody whom it tells.
pub(super) struct Share {
    pub(super) task: TaskId,
    pub(super) generation: i32,
    pub(super) reminder: ReminderId,
    pub(super) when: When,
    pub(super) skip_after: Option<SkipAfter>,
    pub(super) for_assignees: bool,
    pub(super) person: AccountId,
    due: Option<Due>,
    zone: TimeZoneName,
    hour: Hour,
    quiet: Quiet,
    refusal: Option<&'static str>,
    /// Where it was asked for.
    pub(super) last: Option<Last>,
    told: Option<Told>,
}

pub(super) const OUT_OF_RANGE: &str = "out_of_range";
pub(super) const ALREADY_PAST: &str = "already_past";
/// Why somebody is told nothing now, but may be yet: they may see the project again before it is time, and the organization may stay.
pub(super) const AWAY: [&str; 2] = ["cannot_see_the_project", "organization_deleted"];

/// What `reminder_refusal` says.
const REFUSALS: [&str; 10] = [
    "reminder_removed",
    "task_completed",
    "task_deleted",
    "project_archived",
    "organization_deleted",
    "unassigned",
    "cannot_see_the_project",
    "muted",
    "project_muted",
    "unsubscribed",
];

impl Share {
    /// None for what cannot be read any more.
    fn of(row: Row) -> Option<(Timestamp, Self)> {
        let when = WhenColumns { offset: row.offset, local: row.local_time, zone: row.time_zone, at: row.at }.when()?;
        let hours = row.quiet_from.zip(row.quiet_until);
        let refusal = row.refusal.map(|code| REFUSALS.into_iter().find(|known| *known == code).unwrap_or(REFUSALS[6]));
        let share = Self {
            task: row.task,
            generation: row.generation,
            reminder: row.reminder,
            when,
            skip_after: row.skip_after.and_then(|text| text.parse().ok()),
            for_assignees: row.for_assignees,
            person: row.person,
            due: DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.due_at }.due(),
            zone: TimeZoneName::stored(&row.zone),
            hour: row.reminder_hour.map_or(Hour::MORNING, Hour::stored),
            quiet: Quiet {
                hours: hours.map(|(from, until)| QuietHours { from: Hour::stored(from), until: Hour::stored(until) }),
                days_off: Weekdays::stored(row.days_off),
            },
            refusal,
            last: row.last.map(|last| last.0),
            told: row.told.map(|told| told.0),
        };
        Some((row.now.to_jiff(), share))
    }

    /// What becomes of it now.
    pub(super) fn planned(&self, now: Timestamp) -> Planned {
        let asked = self.when.instant(self.due.as_ref(), self.zone.rules(), self.hour.time());
        let at = asked.as_ref().ok().copied().flatten();
        let due_at = at.map(|at| self.quiet.over(at, self.zone.rules()));
        let skipped = match (&asked, self.refusal, due_at) {
            (Err(_), ..) => Some(OUT_OF_RANGE),
            (Ok(None), ..) => Some("no_due"),
            (_, Some(refusal), _) => Some(refusal),
            // Their mail has gone out, whenever it would be by today's clocks: nobody is told twice of one due value
            // (tests/worker/sight.rs: `who_has_been_told_is_not_told_again_when_the_task_is_opened_or_moved`).
            _ if self.told.as_ref().is_some_and(|told| told.due_value == self.due_value()) => Some(ALREADY_PAST),
            // What quiet hours have moved is not past before they end.
            (_, _, Some(due_at)) if due_at < now => Some(ALREADY_PAST),
            _ => None,
        };
        Planned {
            account_id: self.person,
            due_at,
            moved_from: at.filter(|at| Some(*at) != due_at),
            delivery_id: skipped.is_none().then(DeliveryId::new),
            skipped,
        }
    }

    /// What is owed by it then.
    pub(super) fn owed(&self, delivery: DeliveryId, due_at: Timestamp, generation: i32) -> Owed {
        Owed {
            delivery,
            reminder: Some(self.reminder),
            task: Some(self.task),
            generation,
            due_at: Some(due_at),
            due_value: self.due_value(),
            life: self.skip_after.map(SkipAfter::exact),
            ..Owed::to_account(MailKind::Reminder, self.person)
        }
    }

    /// The due value that it counts from.
    pub(super) fn due_value(&self) -> Option<String> {
        let due = self.due.as_ref().filter(|_| matches!(self.when, When::Offset { .. }))?;
        serde_json::to_string(due).ok()
    }
}

/// All shares of the reminders of some tasks that are open and in use, and the database's present. With `anew` a new generation of
/// theirs begins. Whoever is told is kept as they are, as in [`crate::memberships::keep`] (tests/api/races.rs).
pub(super) async fn to_plan(core: &mut Core, tasks: &[TaskId], anew: bool) -> Result<(Timestamp, Vec<Share>)> {
    let rows = sqlx::query_as!(
        Row,
        r#"with anew as (
               update tasks t set generation = generation + 1
               where $2 and t.id = any($1) and t.completed_at is null and t.deleted_at is null
                 and exists (select from reminders r where r.task_id = t.id and r.removed_at is null)
               returning t.id, t.generation
           )
           select now() as "now!", s.task_id as "task!: TaskId", s.due_on, s.due_local, s.due_zone, s.due_at,
                  coalesce(n.generation, s.generation) as "generation!", s.reminder_id as "reminder!: ReminderId", s."offset",
                  s.local_time, s.time_zone, s.at, s.skip_after, s.for_assignees as "for_assignees!", m.account_id as "person: AccountId",
                  s.zone as "zone!", s.reminder_hour, s.quiet_from, s.quiet_until, s.days_off as "days_off!",
                  case when m.status = 'active' then s.refusal else 'cannot_see_the_project' end as refusal,
                  null::jsonb as "last: Json<Last>", last_told(s.reminder_id, m.account_id) as "told: Json<Told>"
           from reminder_shares($1) s left join anew n on n.id = s.task_id
                join memberships m on m.org_id = current_org() and m.account_id = s.account_id
           where s.refusal is null or s.refusal not in ('task_completed', 'task_deleted', 'project_archived')
           order by m.account_id for share of m"#,
        &ids(tasks),
        anew,
    )
    .fetch_all(core.sql())
    .await?;
    Ok(read(rows))
}

/// The same of all their tasks, whatever has become of them, each with what was planned last; nobody is kept. Of `one` person only, if
/// it is given.
pub(super) async fn to_look_at(
    core: &mut Core,
    tasks: &[TaskId],
    one: Option<AccountId>,
) -> Result<(Timestamp, Vec<Share>)> {
    let rows = sqlx::query_as!(
        Row,
        r#"select now() as "now!", s.task_id as "task!: TaskId", s.due_on, s.due_local, s.due_zone, s.due_at,
                  s.generation as "generation!", s.reminder_id as "reminder!: ReminderId", s."offset", s.local_time, s.time_zone, s.at,
                  s.skip_after, s.for_assignees as "for_assignees!", s.account_id as "person!: AccountId", s.zone as "zone!",
                  s.reminder_hour, s.quiet_from, s.quiet_until, s.days_off as "days_off!", s.refusal,
                  last_delivery(s.reminder_id, s.account_id) as "last: Json<Last>",
                  last_told(s.reminder_id, s.account_id) as "told: Json<Told>"
           from reminder_shares($1) s where $2::uuid is null or s.account_id = $2"#,
        &ids(tasks),
        one.map(|account| account.0),
    )
    .fetch_all(core.sql())
    .await?;
    Ok(read(rows))
}

fn read(rows: Vec<Row>) -> (Timestamp, Vec<Share>) {
    let mut now = Timestamp::MAX;
    let mut shares = Vec::with_capacity(rows.len());
    for (at, share) in rows.into_iter().filter_map(Share::of) {
        now = at;
        shares.push(share);
    }
    shares.sort_by_key(|share| (share.reminder, share.person));
    (now, shares)
}

fn ids(tasks: &[TaskId]) -> Vec<Uuid> {
    tasks.iter().map(|task| task.0).collect()
}
