//! Locks on what is about to change. Content (title, due, people) changes under the task's own lock; structure (number, place,
//! parts, what is there at all) under its project's, which comes first.
//!
//! In this order, so that nobody waits for each other: memberships, projects by id, tasks, mails by id. Of tasks, parts come before
//! their whole, since what becomes of a part is noted at the whole (`note_part` in `migrations/0054_parts.sql`; `tests/api/task_races.rs`:
//! `parts_are_completed_while_their_whole_is_deleted_and_nobody_waits_for_each_other`). Every write holds its project at least
//! `for key share`, and whoever archives one takes it `for update`: nothing is written past an archive.

use uuid::Uuid;

use super::{
    Task, TaskRef, TaskRow,
    find::{FROM, admit, row},
    task::columns,
};
use crate::{
    access::{Core, InProject, Permission, WriteTasks},
    error::{Error, Result},
    ids::{AccountId, ProjectId, TaskId},
    memberships,
};

/// `seen` is the version as the rest of the row was read: after a wait the row is the newest, but what hangs on it is not.
const LOCK: &str = concat!(
    "select ",
    columns!(),
    ", (select seen.version from tasks seen where seen.org_id = t.org_id and seen.id = t.id) as seen",
    FROM!(),
    " for key share of p for no key update of t"
);

/// Locks a task for a change of its content, and reads it as it is then.
///
/// # Errors
/// As [`super::find_deleted`].
pub(super) async fn lock<'s, P: Permission>(core: &'s mut Core, task: &TaskRef) -> Result<(InProject<'s, P>, Task)> {
    let mut found = row(LOCK, core, task).await?;
    // Changed while this waited: once more, and nobody is in the way any more. Or moved to another project, and lost on the way.
    if found.as_ref().is_none_or(TaskRow::is_stale) {
        found = row(LOCK, core, task).await?;
    }
    admit(core, found)
}

/// The same, for a change after which its reminders may owe something else: before the task all whom they tell are kept as they are,
/// and `people`. Whoever ends the membership of one of them then waits, or is waited for, by none who has the task already
/// (`tests/model`: `whatever_people_do_at_once_some_order_explains_it`).
///
/// # Errors
/// As [`super::find_deleted`].
pub(super) async fn lock_to_plan<'s, P: Permission>(
    core: &'s mut Core,
    task: &TaskRef,
    people: &[AccountId],
) -> Result<(InProject<'s, P>, Task)> {
    memberships::keep_told(core, Some(task), people.iter().copied()).await?;
    lock(core, task).await
}

/// The same, of a task that is not deleted.
///
/// # Errors
/// As [`super::find`].
pub(crate) async fn lock_live<'s, P: Permission>(
    core: &'s mut Core,
    task: &TaskRef,
) -> Result<(InProject<'s, P>, Task)> {
    let (project, task) = lock(core, task).await?;
    live(&task)?;
    Ok((project, task))
}

pub(super) fn live(task: &Task) -> Result<()> {
    if task.deleted_at.is_none() {
        Ok(())
    } else {
        Err(Error::Conflict { code: "task_deleted", detail: "the task is deleted; restore it first" })
    }
}

/// Locks a task for a change of structure: those whom its reminders tell and `people`, its project and `other`, its parts, the task.
///
/// # Errors
/// As [`super::find_deleted`]; [`Error::Busy`] if it is moved at this moment.
pub(super) async fn lock_structure<'s>(
    core: &'s mut Core,
    task: &TaskRef,
    people: &[AccountId],
    other: Option<ProjectId>,
) -> Result<(InProject<'s, WriteTasks>, Task)> {
    let (_, before) = {
        let found = row(super::find::FIND, core, task).await?;
        admit::<WriteTasks>(core, found)?
    };
    memberships::keep_told(core, Some(&TaskRef::Id(before.id)), people.iter().copied()).await?;
    lock_projects(core, &[Some(before.project_id), other].into_iter().flatten().collect::<Vec<_>>()).await?;
    lock_parts(core, before.id).await?;
    let (project, now) = lock(core, &TaskRef::Id(before.id)).await?;
    if now.project_id == before.project_id { Ok((project, now)) } else { Err(Error::Busy) }
}

/// Locks projects as whoever creates a task does.
///
/// # Errors
/// The database's.
pub(super) async fn lock_projects(core: &mut Core, projects: &[ProjectId]) -> Result<()> {
    let ids: Vec<Uuid> = projects.iter().map(|project| project.0).collect();
    sqlx::query!("select id from projects where id = any($1) order by id for no key update", &ids)
        .fetch_all(core.sql())
        .await?;
    Ok(())
}

/// Locks the parts of a task.
///
/// # Errors
/// The database's.
pub(super) async fn lock_parts(core: &mut Core, task: TaskId) -> Result<Vec<TaskId>> {
    let parts = sqlx::query_scalar!(
        r#"select id as "id: TaskId" from tasks where parent_id = $1 order by number for no key update"#,
        task.0
    );
    Ok(parts.fetch_all(core.sql()).await?)
}

/// Locks tasks, and the parts of them, by id; parts come first.
///
/// # Errors
/// The database's.
pub(super) async fn lock_tasks(core: &mut Core, tasks: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "select id from tasks where id = any($1) or parent_id = any($1) order by parent_id is null, id for no key update",
        tasks
    )
    .fetch_all(core.sql())
    .await?;
    Ok(())
}
