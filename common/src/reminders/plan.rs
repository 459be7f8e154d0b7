//! From rules to what is owed: when a task is new, and whenever something has happened to it (docs/reminders.md).

use jiff_sqlx::Timestamp;
use uuid::Uuid;

use super::{NewReminder, Planned, REMINDER_HOUR, Recipient, ReminderFault, ReminderPlan};
use crate::{
    access::{Core, Permission, ReadTasks, Written},
    error::Result,
    ids::{AccountId, DeliveryId, ProjectId, ReminderId, TaskId},
    input::Faults,
    mails::{self, MailKind, Owed},
    tasks::Task,
    time::{DueColumns, TimeZoneName, When, WhenColumns},
};

/// Which reminders are planned, for whom.
#[derive(Clone, Debug)]
pub(crate) enum Whom {
    /// All of them, for everybody: a task that is open again.
    Everybody,
    /// All that concern one person, who has muted the task no longer.
    One(AccountId),
    /// Those that were just made.
    New(Vec<ReminderId>),
    /// After a change.
    Changed {
        /// The due value is another one: what is relative to it.
        due: bool,
        /// To whom the task is assigned now, and was not: what is for the assignees.
        assigned: Vec<AccountId>,
    },
}

/// A rule and somebody whom it tells.
struct Share {
    task: TaskId,
    due: DueColumns,
    generation: i32,
    reminder: ReminderId,
    when: WhenColumns,
    for_assignees: bool,
    person: AccountId,
    zone: TimeZoneName,
    sees: bool,
    muted: bool,
}

impl Whom {
    fn covers(&self, share: &Share) -> bool {
        match self {
            Self::Everybody => true,
            Self::One(account) => share.person == *account,
            Self::New(reminders) => reminders.contains(&share.reminder),
            Self::Changed { due, assigned } => {
                (*due && share.when.offset.is_some()) || (share.for_assignees && assigned.contains(&share.person))
            }
        }
    }
}

/// Writes the reminders of a task and everything they owe.
///
/// # Errors
/// `out_of_range`, `not_a_member`.
pub(crate) async fn create(core: &mut Core, task: &Task, new: &[NewReminder]) -> Result<Written<Vec<ReminderPlan>>> {
    if new.is_empty() {
        return Ok(Written(Vec::new()));
    }
    let ids: Vec<ReminderId> = new.iter().map(|_| ReminderId::new()).collect();
    insert(core, task, new, &ids).await?;
    let Written(mut planned) = replan(core, &[task.id], Whom::New(ids.clone())).await?;
    let mut plans = Vec::with_capacity(new.len());
    for (index, (id, reminder)) in ids.into_iter().zip(new).enumerate() {
        let known = planned.iter_mut().find(|plan| plan.id == id).map(|plan| std::mem::take(&mut plan.plan));
        let plan = known.unwrap_or_default();
        if plan.iter().any(|share| share.skipped == Some(OUT_OF_RANGE)) {
            return Err(Faults::at(&format!("/reminders/{index}/when"), &ReminderFault::OutOfRange).into());
        }
        plans.push(ReminderPlan { id, when: reminder.when.clone(), plan });
    }
    Ok(Written(plans))
}

const OUT_OF_RANGE: &str = "out_of_range";

/// Plans what is still to come of the reminders of open tasks. What they owed before is cancelled by whoever knows the reason
/// ([`crate::deliveries::cancel`]), before this.
///
/// # Errors
/// The database's.
pub(crate) async fn replan(core: &mut Core, tasks: &[TaskId], whom: Whom) -> Result<Written<Vec<ReminderPlan>>> {
    let (now, shares) = shares(core, tasks, !matches!(whom, Whom::New(_))).await?;
    let (mut plans, mut owed): (Vec<ReminderPlan>, Vec<Owed>) = (Vec::new(), Vec::new());
    for share in shares.iter().filter(|share| whom.covers(share)) {
        let Some(when) = share.when.clone().when() else { continue };
        let planned = share.planned(&when, now);
        if let (Some(delivery), Some(due_at)) = (planned.delivery_id, planned.due_at) {
            owed.push(Owed {
                delivery,
                reminder: Some(share.reminder),
                task: Some(share.task),
                generation: share.generation,
                due_at: Some(due_at),
                ..Owed::to_account(MailKind::Reminder, share.person)
            });
        }
        match plans.last_mut() {
            Some(last) if last.id == share.reminder => last.plan.push(planned),
            _ => plans.push(ReminderPlan { id: share.reminder, when, plan: vec![planned] }),
        }
    }
    if owed.is_empty() {
        return Ok(Written(plans));
    }
    Ok(mails::owe(core, &owed).await?.map(|()| plans))
}

impl Share {
    fn planned(&self, when: &When, now: jiff::Timestamp) -> Planned {
        let instant = when.instant(self.due.clone().due().as_ref(), self.zone.rules(), REMINDER_HOUR);
        let skipped = match instant {
            Err(_) => Some(OUT_OF_RANGE),
            Ok(None) => Some("no_due"),
            Ok(_) if !self.sees => Some("cannot_see_the_project"),
            Ok(_) if self.muted => Some("muted"),
            Ok(Some(at)) if at < now => Some("already_past"),
            Ok(Some(_)) => None,
        };
        Planned {
            account_id: self.person,
            due_at: instant.ok().flatten(),
            delivery_id: skipped.is_none().then(DeliveryId::new),
            skipped,
        }
    }
}

/// All rules of the tasks that are open, each with everybody whom it tells and their zone (their own, else the organization's);
/// and the database's present. Whoever is told is kept as they are, as in [`crate::memberships::keep`] (tests/api/races.rs).
async fn shares(core: &mut Core, tasks: &[TaskId], anew: bool) -> Result<(jiff::Timestamp, Vec<Share>)> {
    let rows = sqlx::query!(
        r#"with anew as (
               update tasks t set generation = generation + 1
               where $2 and t.id = any($1) and t.completed_at is null and t.deleted_at is null
                 and exists (select from reminders r where r.task_id = t.id and r.removed_at is null)
               returning t.id, t.generation
           )
           select now() as "now!", t.id as "task: TaskId", t.due_on, t.due_local, t.due_zone, t.due_at,
                  coalesce(n.generation, t.generation) as "generation!", r.id as "reminder: ReminderId", r."offset",
                  r.local_time, r.time_zone, r.at, r.recipient = 'assignees' as "for_assignees!", m.account_id as "person: AccountId",
                  coalesce(a.time_zone, o.time_zone) as "zone!",
                  m.status = 'active' and permissions_of(m.account_id, p.id, p.visibility) & $3 <> 0 as "sees!",
                  exists (select from task_watches w where w.task_id = t.id and w.account_id = m.account_id and w.state = 'muted') as "muted!"
           from tasks t left join anew n on n.id = t.id
                join projects p on p.org_id = t.org_id and p.id = t.project_id and p.archived_at is null
                join organizations o on o.id = t.org_id
                join reminders r on r.org_id = t.org_id and r.task_id = t.id and r.removed_at is null
                join lateral (
                    select r.account_id where r.recipient = 'account'
                    union all
                    select s.account_id from task_assignees s where s.task_id = t.id and r.recipient = 'assignees'
                ) told on true
                join memberships m on m.org_id = t.org_id and m.account_id = told.account_id
                join accounts a on a.id = m.account_id
           where t.id = any($1) and t.completed_at is null and t.deleted_at is null
           order by m.account_id for share of m"#,
        &tasks.iter().map(|task| task.0).collect::<Vec<Uuid>>(),
        anew,
        ReadTasks::BITS,
    )
    .fetch_all(core.sql())
    .await?;
    let now = rows.first().map_or(jiff::Timestamp::MAX, |row| row.now.to_jiff());
    let mut shares: Vec<Share> = rows
        .into_iter()
        .map(|row| Share {
            task: row.task,
            due: DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.due_at },
            generation: row.generation,
            reminder: row.reminder,
            when: WhenColumns { offset: row.offset, local: row.local_time, zone: row.time_zone, at: row.at },
            for_assignees: row.for_assignees,
            person: row.person,
            zone: TimeZoneName::stored(&row.zone),
            sees: row.sees,
            muted: row.muted,
        })
        .collect();
    shares.sort_by_key(|share| (share.reminder, share.person));
    Ok((now, shares))
}

/// Everybody whom the reminders of a task tell.
///
/// # Errors
/// The database's.
pub(crate) async fn told(core: &mut Core, task: TaskId) -> Result<Vec<AccountId>> {
    let told = sqlx::query_scalar!(
        r#"select account_id as "id!: AccountId" from reminders
           where task_id = $1 and removed_at is null and account_id is not null
           union select account_id from task_assignees where task_id = $1"#,
        task.0,
    )
    .fetch_all(core.sql())
    .await?;
    Ok(told)
}

/// The tasks of a project that have reminders.
///
/// # Errors
/// The database's.
pub(crate) async fn in_project(core: &mut Core, project: ProjectId) -> Result<Vec<TaskId>> {
    let tasks = sqlx::query_scalar!(
        r#"select t.id as "id: TaskId" from tasks t where t.project_id = $1 and t.completed_at is null and t.deleted_at is null
             and exists (select from reminders r where r.task_id = t.id and r.removed_at is null) order by t.id"#,
        project.0,
    )
    .fetch_all(core.sql())
    .await?;
    Ok(tasks)
}

async fn insert(core: &mut Core, task: &Task, new: &[NewReminder], ids: &[ReminderId]) -> Result<()> {
    let columns: Vec<WhenColumns> = new.iter().map(|reminder| WhenColumns::from(&reminder.when)).collect();
    let told = |to| match to {
        Recipient::Account(account) => Some(account.0),
        Recipient::Me | Recipient::Assignees => None,
    };
    sqlx::query!(
        r#"insert into reminders (org_id, id, task_id, "offset", local_time, time_zone, at, recipient, account_id, created_by)
           select current_org(), r.id, $1, r."offset", r.local_time, r.time_zone, r.at,
                  case when r.assignees then 'assignees' else 'account' end,
                  case when not r.assignees then coalesce(r.account_id, current_account()) end, current_account()
           from unnest($2::uuid[], $3::text[], $4::timestamp[], $5::text[], $6::timestamptz[], $7::uuid[], $8::bool[])
                as r (id, "offset", local_time, time_zone, at, account_id, assignees)"#,
        task.id.0,
        &ids.iter().map(|id| id.0).collect::<Vec<Uuid>>(),
        &columns.iter().map(|c| c.offset.clone()).collect::<Vec<_>>() as _,
        columns.iter().map(|c| c.local).collect::<Vec<_>>() as _,
        &columns.iter().map(|c| c.zone.clone()).collect::<Vec<_>>() as _,
        columns.iter().map(|c| c.at).collect::<Vec<Option<Timestamp>>>() as _,
        &new.iter().map(|reminder| told(reminder.to)).collect::<Vec<Option<Uuid>>>() as _,
        &new.iter().map(|reminder| reminder.to == Recipient::Assignees).collect::<Vec<_>>(),
    )
    .execute(core.sql())
    .await?;
    Ok(())
}
