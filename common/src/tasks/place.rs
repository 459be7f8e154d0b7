//! Where a task is: its project, its place among the others, the task that it is a part of.

use deserr::Deserr;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Task, TaskFault, TaskRef, TaskRow,
    find::{FIND, row},
    history,
    lock::{live, lock, lock_parts, lock_structure},
};
use crate::{
    access::{Core, Implies, InProject, Scope, WriteTasks, Written},
    error::{Error, Result},
    ids::{ProjectId, TaskId},
    input::Faults,
    precondition::Precondition,
    quotas::Quota,
};

/// Between which others.
#[derive(Debug, Deserr, ToSchema)]
#[schema(as = TaskPlace)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Position {
    /// Behind this task of the same project; null: before all of them.
    #[schema(example = json!(null))]
    pub after: Option<TaskRef>,
}

/// Puts a task behind another one of its project. The positions of the others stay as they are.
///
/// # Errors
/// As [`super::update`]; `no_such_task`.
pub async fn position(
    scope: &mut Scope<impl Implies<WriteTasks>>,
    task: &TaskRef,
    version: &Precondition,
    to: Position,
) -> Result<Written<Task>> {
    let (project, task) = lock_structure(scope.core(), task, &[], None).await?;
    live(&task)?;
    version.check_if_given(task.version)?;
    let core = project.core;
    let after = match &to.after {
        Some(after) => Some(neighbour(core, task.project_id, after, "/after").await?.0),
        None => None,
    };
    if after == Some(task.id) {
        return Ok(Written(task));
    }
    let request = history::request(core);
    let now = sqlx::query!(
        r#"with place as (
               select case when $3::uuid is null
                      then (select min(o.position) from tasks o where o.project_id = $2 and o.id <> $1) - 1
                      -- The next number is above every place there is: new tasks come behind it.
                      else ((select o.position from tasks o where o.id = $3)
                            + coalesce((select min(o.position) from tasks o where o.project_id = $2 and o.id <> $1
                                        and o.position > (select a.position from tasks a where a.id = $3)), p.last_number + 1)) * 0.5
                      end as position
               from projects p where p.id = $2
           ), changed as (
               update tasks t set position = coalesce(place.position, t.position), updated_at = now(), version = version + 1
               from place where t.id = $1 returning t.id, t.position, t.updated_at, t.version
           )
           select c.position::float8 as "position!", c.updated_at, c.version,
                  record_task_event(c.id, 'updated', jsonb_build_object('position', jsonb_build_object('from', $4::float8, 'to', c.position::float8)), $5)
                      as event
           from changed c"#,
        task.id.0,
        task.project_id.0,
        after.map(|after| after.0),
        task.position,
        request,
    )
    .fetch_one(core.sql())
    .await?;
    Ok(Written(Task { position: now.position, updated_at: now.updated_at, version: now.version, ..task }))
}

/// A live task of the project that a body names, and the one that it is a part of.
async fn neighbour(
    core: &mut Core,
    project: ProjectId,
    task: &TaskRef,
    pointer: &str,
) -> Result<(TaskId, Option<TaskId>)> {
    let found = row(FIND, core, task).await?.map(<Task as From<TaskRow>>::from);
    let there = found.filter(|found| found.project_id == project && found.deleted_at.is_none());
    let there = there.ok_or_else(|| Faults::at(pointer, &TaskFault::NoSuchTask))?;
    Ok((there.id, there.parent_id))
}

/// The task that `task` shall be a part of. To be asked under the project's lock.
///
/// # Errors
/// `no_such_task`, `own_parent`, `parent_is_a_subtask`, `has_subtasks`.
pub(super) async fn parent(
    core: &mut Core,
    task: Option<TaskId>,
    project: ProjectId,
    parent: &TaskRef,
) -> Result<TaskId> {
    let fault = |fault| Error::Invalid(Faults::at("/parent", &fault));
    let (parent, grandparent) = neighbour(core, project, parent, "/parent").await?;
    if task == Some(parent) {
        return Err(fault(TaskFault::OwnParent));
    }
    if grandparent.is_some() {
        return Err(fault(TaskFault::ParentIsASubtask));
    }
    match task {
        Some(task) if !lock_parts(core, task).await?.is_empty() => Err(fault(TaskFault::HasSubtasks)),
        _ => Ok(parent),
    }
}

/// Brings a task and its parts into another project, both locked: new numbers, the labels that are called the same there, a
/// tombstone in the project that they leave. Gives the task as it is there, and its parts; its own history is the caller's to write.
///
/// # Errors
/// What [`InProject`] says of the other project, [`Error::Quota`].
pub(super) async fn relocate(core: &mut Core, task: &Task, to: ProjectId) -> Result<(Task, Vec<TaskId>)> {
    InProject::<WriteTasks>::reach(core, to).await?;
    let parts = lock_parts(core, task.id).await?;
    let ids: Vec<Uuid> = std::iter::once(&task.id).chain(&parts).map(|id| id.0).collect();
    let request = history::request(core);
    let there = sqlx::query!(
        r#"with live as (
               select count(*)::int as count from tasks where id = any($3) and deleted_at is null
           ), place as (
               update projects p set last_number = p.last_number + case when p.id = $2 then cardinality($3::uuid[]) else 0 end,
                      task_count = p.task_count + case when p.id = $2 then live.count else -live.count end
               from live where p.id in ($1, $2) returning p.id, p.key, p.last_number, p.task_count
           ), moved as (
               update tasks t set project_id = $2, updated_at = now(), version = version + case when t.id = $4 then 0 else 1 end,
                      number = place.last_number - cardinality($3::uuid[]) + named.nth::int,
                      position = place.last_number - cardinality($3::uuid[]) + named.nth
               from place, unnest($3::uuid[]) with ordinality as named (id, nth)
               where place.id = $2 and t.id = named.id returning t.id, t.number
           ), labelled as (
               insert into task_labels (org_id, project_id, task_id, label_id)
               select current_org(), $2, tl.task_id, l.id from task_labels tl
                      join labels old on old.org_id = tl.org_id and old.id = tl.label_id
                      join labels l on l.org_id = tl.org_id and l.project_id = $2 and lower(l.name) = lower(old.name)
               where tl.task_id = any($3)
           ), unlabelled as (
               delete from task_labels where task_id = any($3) and project_id = $1
           ), gone as (
               insert into task_tombstones (org_id, project_id, task_id) select current_org(), $1, unnest($3::uuid[])
               on conflict on constraint task_tombstones_pkey
               do update set changed_xid = pg_current_xact_id()::text::bigint, at = now()
           ), arrived as (
               delete from task_tombstones where project_id = $2 and task_id = any($3)
           )
           select (select task_count from place where id = $2) as "task_count!",
                  (select count(record_task_event(m.id, 'moved', jsonb_build_object(
                              'project_id', jsonb_build_object('from', $1::uuid, 'to', $2::uuid),
                              'key', jsonb_build_object('from', f.key || '-' || old.number, 'to', n.key || '-' || m.number)), $5))
                   from moved m join tasks old on old.id = m.id join place f on f.id = $1 join place n on n.id = $2
                   where m.id <> $4) as parts"#,
        task.project_id.0,
        to.0,
        &ids,
        task.id.0,
        request,
    )
    .fetch_one(core.sql())
    .await?;
    core.db.quotas.admit(Quota::Tasks, i64::from(there.task_count))?;
    let (_, moved) = lock::<WriteTasks>(core, &TaskRef::Id(task.id)).await?;
    // Its parent stays behind.
    Ok((Task { parent_id: None, ..moved }, parts))
}
