//! From rules to what is owed: when a task is new, and whenever something has happened to it (docs/reminders.md).

use jiff_sqlx::Timestamp;
use uuid::Uuid;

use super::{
    NewReminder, Recipient, ReminderFault, ReminderPlan,
    shares::{OUT_OF_RANGE, Share, to_plan},
};
use crate::{
    access::{Core, Written},
    error::Result,
    ids::{AccountId, ProjectId, ReminderId, TaskId},
    input::Faults,
    mails::{self, Owed},
    tasks::Task,
    time::{When, WhenColumns},
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

impl Whom {
    fn covers(&self, share: &Share) -> bool {
        match self {
            Self::Everybody => true,
            Self::One(account) => share.person == *account,
            Self::New(reminders) => reminders.contains(&share.reminder),
            Self::Changed { due, assigned } => {
                (*due && matches!(share.when, When::Offset { .. }))
                    || (share.for_assignees && assigned.contains(&share.person))
            }
        }
    }
}

/// Writes the reminders of a task and everything they owe. Of those that nobody has named, what cannot be computed is left out.
///
/// # Errors
/// `out_of_range`, `not_a_member`.
pub(crate) async fn create(
    core: &mut Core,
    task: &Task,
    new: &[NewReminder],
    named: bool,
) -> Result<Written<Vec<ReminderPlan>>> {
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
        if named && plan.iter().any(|share| share.skipped == Some(OUT_OF_RANGE)) {
            return Err(Faults::at(&format!("/reminders/{index}/when"), &ReminderFault::OutOfRange).into());
        }
        plans.push(ReminderPlan { id, when: reminder.when.clone(), skip_after: reminder.skip_after, plan });
    }
    Ok(Written(plans))
}

/// Plans what is still to come of the reminders of open tasks. What they owed before is cancelled by whoever knows the reason
/// ([`crate::deliveries::cancel`]), before this.
///
/// # Errors
/// The database's.
pub(crate) async fn replan(core: &mut Core, tasks: &[TaskId], whom: Whom) -> Result<Written<Vec<ReminderPlan>>> {
    let (now, shares) = to_plan(core, tasks, !matches!(whom, Whom::New(_))).await?;
    let (mut plans, mut owed): (Vec<ReminderPlan>, Vec<Owed>) = (Vec::new(), Vec::new());
    for share in shares.iter().filter(|share| whom.covers(share)) {
        let planned = share.planned(now);
        if let (Some(delivery), Some(due_at)) = (planned.delivery_id, planned.due_at) {
            owed.push(share.owed(delivery, due_at, share.generation));
        }
        match plans.last_mut() {
            Some(last) if last.id == share.reminder => last.plan.push(planned),
            _ => plans.push(ReminderPlan {
                id: share.reminder,
                when: share.when.clone(),
                skip_after: share.skip_after,
                plan: vec![planned],
            }),
        }
    }
    if owed.is_empty() {
        return Ok(Written(plans));
    }
    Ok(mails::owe(core, &owed).await?.map(|()| plans))
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
        r#"insert into reminders (org_id, id, task_id, "offset", local_time, time_zone, at, recipient, account_id, created_by,
                                  skip_after)
           select current_org(), r.id, $1, r."offset", r.local_time, r.time_zone, r.at,
                  case when r.assignees then 'assignees' else 'account' end,
                  case when not r.assignees then coalesce(r.account_id, current_account()) end, current_account(), r.skip_after
           from unnest($2::uuid[], $3::text[], $4::timestamp[], $5::text[], $6::timestamptz[], $7::uuid[], $8::bool[], $9::text[])
                as r (id, "offset", local_time, time_zone, at, account_id, assignees, skip_after)"#,
        task.id.0,
        &ids.iter().map(|id| id.0).collect::<Vec<Uuid>>(),
        &columns.iter().map(|c| c.offset.clone()).collect::<Vec<_>>() as _,
        columns.iter().map(|c| c.local).collect::<Vec<_>>() as _,
        &columns.iter().map(|c| c.zone.clone()).collect::<Vec<_>>() as _,
        columns.iter().map(|c| c.at).collect::<Vec<Option<Timestamp>>>() as _,
        &new.iter().map(|reminder| told(reminder.to)).collect::<Vec<Option<Uuid>>>() as _,
        &new.iter().map(|reminder| reminder.to == Recipient::Assignees).collect::<Vec<_>>(),
        &new.iter().map(|reminder| reminder.skip_after.map(|after| after.to_string())).collect::<Vec<_>>() as _,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}
