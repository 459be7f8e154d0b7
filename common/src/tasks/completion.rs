//! Done, and open again. Assignees may do both to what is assigned to them, whatever their role.

use jiff::{Timestamp, Zoned};

use super::{
    PlannedTask, Task, TaskRef, TaskStatus, history,
    lock::{live, lock_to_plan},
    store::{Deed, store},
};
use crate::{
    access::{CompleteTasks, Core, Implies, ReadTasks, Scope, Written},
    deliveries::{self, Cancel, Which},
    error::Result,
    precondition::Precondition,
    reminders::{self, Whom},
    time::{TimeZoneName, recurrence::Turn},
};

/// Completes a task; what is still owed for it is cancelled in the same transaction. A second time changes nothing.
///
/// One that comes round is due again instead, until its rule has ended: whoever completes it says which version they mean, or
/// asking twice would complete two.
///
/// # Errors
/// [`crate::Error::NotFound`], [`crate::Error::Forbidden`], [`crate::Error::Precondition`], [`crate::Error::Stale`],
/// `project_archived`, `task_deleted`.
pub async fn complete(
    scope: &mut Scope<impl Implies<ReadTasks>>,
    task: &TaskRef,
    version: &Precondition,
) -> Result<Written<PlannedTask>> {
    let (project, before) = lock_to_plan::<CompleteTasks>(scope.core(), task, &[]).await?;
    live(&before)?;
    let core = project.core;
    if before.recurrence.is_some() && before.status != TaskStatus::Completed {
        version.check(before.version)?;
    } else {
        version.check_if_given(before.version)?;
    }
    if before.status == TaskStatus::Completed {
        return Ok(Written(PlannedTask { task: before, reminders: Vec::new() }));
    }
    let mut after = before.clone();
    let turned = turn(core, &before).await?;
    let cancel = Cancel { tasks: &[before.id], people: None, which: Which::All, reason: "task completed" };
    let Some(Turn { due, start }) = turned else {
        after.status = TaskStatus::Completed;
        let difference = history::difference(&before, &after);
        let task = store(core, after, Deed::Completed, difference).await?;
        deliveries::cancel(core, cancel).await?;
        return Ok(Written(PlannedTask { task, reminders: Vec::new() }));
    };
    after.start = match (&before.start, &before.due) {
        (Some(start), Some(was)) => Some(start.moved_like(was, &due)),
        (start, _) => start.clone(),
    };
    (after.due, after.recurrence_start) = (Some(due), Some(start));
    after.status = TaskStatus::Open;
    after.occurrence += 1;
    let difference = history::difference(&before, &after);
    let task = store(core, after, Deed::Completed, difference).await?;
    deliveries::cancel(core, Cancel { which: Which::Offsets, ..cancel }).await?;
    deliveries::forget_snoozes(core, task.id, cancel.reason).await?;
    let whom = Whom::Changed { due: true, assigned: Vec::new() };
    Ok(reminders::replan(core, &[task.id], whom).await?.map(|reminders| PlannedTask { task, reminders }))
}

/// Opens a task again; what is still to come of its reminders is planned anew. A second time changes nothing.
///
/// # Errors
/// As [`complete`].
pub async fn reopen(
    scope: &mut Scope<impl Implies<ReadTasks>>,
    task: &TaskRef,
    version: &Precondition,
) -> Result<Written<PlannedTask>> {
    let (project, before) = lock_to_plan::<CompleteTasks>(scope.core(), task, &[]).await?;
    live(&before)?;
    version.check_if_given(before.version)?;
    if before.status != TaskStatus::Completed {
        return Ok(Written(PlannedTask { task: before, reminders: Vec::new() }));
    }
    let core = project.core;
    let after = Task { status: TaskStatus::Open, ..before.clone() };
    let difference = history::difference(&before, &after);
    let task = store(core, after, Deed::Reopened, difference).await?;
    let planned = reminders::replan(core, &[task.id], Whom::Everybody).await?;
    Ok(planned.map(|reminders| PlannedTask { task, reminders }))
}

/// What a recurring task has next, for whoever completes it now.
async fn turn(core: &mut Core, task: &Task) -> Result<Option<Turn>> {
    let (Some(recurrence), Some(start), Some(due)) = (&task.recurrence, task.recurrence_start, &task.due) else {
        return Ok(None);
    };
    let present = present(core).await?;
    Ok(recurrence.turn(start, due, task.occurrence, &present))
}

/// The database's present, in the caller's zone.
async fn present(core: &mut Core) -> Result<Zoned> {
    let row = sqlx::query!(
        r#"select now() as "now!", coalesce(a.time_zone, o.time_zone) as "zone!"
           from organizations o, accounts a where o.id = current_org() and a.id = current_account()"#
    )
    .fetch_one(core.sql())
    .await?;
    let now: Timestamp = row.now.to_jiff();
    Ok(now.to_zoned(TimeZoneName::stored(&row.zone).rules().clone()))
}
