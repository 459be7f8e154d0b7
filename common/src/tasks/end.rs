//! Deleting a task, and thirty days to think better of it.

use super::{
    PlannedTask, Task, TaskRef, history,
    lock::{live, lock_structure},
    store::{Deed, store},
};
use crate::{
    access::{Core, Implies, Scope, WriteTasks, Written},
    deliveries::{self, Cancel, Which},
    error::{Error, Result},
    ids::TaskId,
    precondition::Precondition,
    quotas::Quota,
    reminders::{self, Whom},
};

/// Deletes a task with its parts. It can be restored for thirty days.
///
/// # Errors
/// As [`super::update`].
pub async fn delete(
    scope: &mut Scope<impl Implies<WriteTasks>>,
    task: &TaskRef,
    version: &Precondition,
) -> Result<Written<()>> {
    let (project, task) = lock_structure(scope.core(), task, &[], None).await?;
    live(&task)?;
    version.check(task.version)?;
    let core = project.core;
    let request = history::request(core);
    let mut gone = vec![task.id];
    // In the same moment as the task itself: by that they are known when it is restored.
    let parts = sqlx::query!(
        r#"with gone as (
               update tasks set deleted_at = now(), deleted_by = current_account(), updated_at = now(), version = version + 1
               where parent_id = $1 and deleted_at is null returning id
           )
           select id as "id: TaskId", record_task_event(id, 'deleted', '{}', $2) as event from gone"#,
        task.id.0,
        request,
    )
    .fetch_all(core.sql())
    .await?;
    gone.extend(parts.iter().map(|part| part.id));
    count(core, &task, -i32::try_from(gone.len()).unwrap_or(i32::MAX)).await?;
    store(core, task, Deed::Deleted, serde_json::Map::new()).await?;
    let cancel = Cancel { tasks: &gone, people: None, which: Which::Everything, reason: "task deleted" };
    deliveries::cancel(core, cancel).await?;
    Ok(Written(()))
}

/// Brings a deleted task back, with the parts that were deleted with it; what is still to come of its reminders is planned
/// anew. One that is not deleted is left as it is.
///
/// # Errors
/// As [`super::update`]; [`Error::NotFound`] after thirty days, `parent_deleted`, [`Error::Quota`].
pub async fn restore(
    scope: &mut Scope<impl Implies<WriteTasks>>,
    task: &TaskRef,
    version: &Precondition,
) -> Result<Written<PlannedTask>> {
    let (project, task) = lock_structure(scope.core(), task, &[], None).await?;
    version.check_if_given(task.version)?;
    if task.deleted_at.is_none() {
        return Ok(Written(PlannedTask { task, reminders: Vec::new() }));
    }
    let core = project.core;
    let fate = sqlx::query!(
        r#"select t.deleted_at < now() - interval '30 days' as "over!",
                  exists (select from tasks p where p.id = t.parent_id and p.deleted_at is not null) as "orphan!"
           from tasks t where t.id = $1"#,
        task.id.0,
    )
    .fetch_one(core.sql())
    .await?;
    if fate.over {
        return Err(Error::NotFound);
    }
    if fate.orphan {
        return Err(Error::Conflict { code: "parent_deleted", detail: "the task that this is a part of is deleted" });
    }
    let request = history::request(core);
    let parts = sqlx::query!(
        r#"with back as (
               update tasks set deleted_at = null, deleted_by = null, updated_at = now(), version = version + 1
               where parent_id = $1 and deleted_at = (select whole.deleted_at from tasks whole where whole.id = $1)
               returning id, completed_at
           )
           select id as "id: TaskId", completed_at is not null as "completed!", record_task_event(id, 'restored', '{}', $2) as event
           from back"#,
        task.id.0,
        request,
    )
    .fetch_all(core.sql())
    .await?;
    let mut back = vec![task.id];
    back.extend(parts.iter().map(|part| part.id));
    let there = count(core, &task, i32::try_from(back.len()).unwrap_or(i32::MAX)).await?;
    core.db.quotas.admit(Quota::Tasks, there)?;
    let task = store(core, task, Deed::Restored, serde_json::Map::new()).await?;
    let completed = parts.iter().filter(|part| part.completed).count();
    let task = Task {
        subtask_count: i64::try_from(parts.len()).unwrap_or(i64::MAX),
        completed_subtask_count: i64::try_from(completed).unwrap_or(i64::MAX),
        ..task
    };
    let planned = reminders::replan(core, &back, Whom::Everybody).await?;
    Ok(planned.map(|reminders| PlannedTask { task, reminders }))
}

/// The tasks of its project, one more or less of which there are.
async fn count(core: &mut Core, task: &Task, more: i32) -> Result<i64> {
    let there = sqlx::query_scalar!(
        "update projects set task_count = task_count + $2 where id = $1 returning task_count",
        task.project_id.0,
        more,
    )
    .fetch_one(core.sql())
    .await?;
    Ok(i64::from(there))
}
