//! Writing a task that is locked, with its people and labels and its history: one statement.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Task, TaskStatus, history};
use crate::{access::Core, error::Result, ids::AccountId, input::Faults, time::DueColumns};

/// What is being done to a task, as its history says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Updated,
    Moved,
    Completed,
    Reopened,
    Deleted,
    Restored,
}

impl Deed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Moved => "moved",
            Self::Completed => "completed",
            Self::Reopened => "reopened",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
        }
    }
}

/// Makes the row what `task` says, but for its project, number and place. Who is new among the assignees watches the task
/// from now on, unless they have muted it.
///
/// # Errors
/// The database's.
pub(super) async fn store(core: &mut Core, task: Task, deed: Deed, changes: Map<String, Value>) -> Result<Task> {
    let out_of_range = |pointer: &'static str| move |fault| Faults::at(pointer, &fault);
    let start = DueColumns::of(task.start.as_ref()).map_err(out_of_range("/start"))?;
    let due = DueColumns::of(task.due.as_ref()).map_err(out_of_range("/due"))?;
    let assignees: Vec<Uuid> = task.assignees.iter().map(|account| account.0).collect();
    let labels: Vec<Uuid> = task.labels.iter().map(|label| label.id.0).collect();
    let request = history::request(core);
    let now = sqlx::query!(
        r#"with changed as (
               update tasks set title = $2, description = $3, status = $4, priority = $5, start_on = $6, start_local = $7,
                      start_zone = $8, start_at = $9, due_on = $10, due_local = $11, due_zone = $12, due_at = $13,
                      recurrence = $14, recurrence_basis = $15, recurrence_start = $16, occurrence = $17, parent_id = $18,
                      completed_at = case when $19 then coalesce(completed_at, now()) end,
                      completed_by = case when $19 then coalesce(completed_by, current_account()) end,
                      deleted_at = case when $20 then coalesce(deleted_at, now()) end,
                      deleted_by = case when $20 then coalesce(deleted_by, current_account()) end,
                      updated_at = now(), version = version + 1
               where id = $1
               returning id, project_id, completed_at, completed_by, deleted_at, updated_at, version
           ), unassigned as (
               delete from task_assignees where task_id = $1 and account_id <> all($21)
           ), watched as (
               insert into task_watches (org_id, task_id, account_id, state)
               select current_org(), $1, account, 'watching' from unnest($21::uuid[]) account
               where not exists (select from task_assignees a where a.task_id = $1 and a.account_id = account)
               on conflict on constraint task_watches_pkey do nothing
           ), assigned as (
               -- Not by `on conflict`: that would wait for somebody who is leaving at this moment, and they wait for this task.
               insert into task_assignees (org_id, task_id, account_id)
               select current_org(), $1, account from unnest($21::uuid[]) account
               where not exists (select from task_assignees a where a.task_id = $1 and a.account_id = account)
           ), unlabelled as (
               delete from task_labels where task_id = $1 and label_id <> all($22)
           ), labelled as (
               insert into task_labels (org_id, project_id, task_id, label_id)
               select current_org(), c.project_id, $1, label from changed c, unnest($22::uuid[]) label
               on conflict on constraint task_labels_pkey do nothing
           )
           select completed_at, completed_by as "completed_by: AccountId", deleted_at, updated_at, version,
                  record_task_event(id, $23, $24, $25) as event
           from changed"#,
        task.id.0,
        task.title,
        task.description,
        task.status.as_str(),
        task.priority,
        start.on as _,
        start.local as _,
        start.zone,
        start.at as _,
        due.on as _,
        due.local as _,
        due.zone,
        due.at as _,
        task.recurrence.as_ref().map(|recurrence| recurrence.rule.to_string()),
        task.recurrence.as_ref().map(|recurrence| recurrence.from.as_str()),
        task.recurrence.as_ref().and(task.recurrence_start).map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        task.occurrence,
        task.parent_id.map(|parent| parent.0),
        task.status == TaskStatus::Completed,
        deed == Deed::Deleted,
        &assignees,
        &labels,
        deed.as_str(),
        Value::Object(changes),
        request,
    )
    .fetch_one(core.sql())
    .await?;
    Ok(Task {
        completed_at: now.completed_at,
        completed_by: now.completed_by,
        deleted_at: now.deleted_at,
        updated_at: now.updated_at,
        version: now.version,
        ..task
    })
}
