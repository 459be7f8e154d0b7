//! Tasks: what is to be done, by whom, until when.

mod create;
mod list;

use jiff_sqlx::Timestamp;
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

pub use create::{CreatedTask, NewTask, create};
pub use list::{TaskFilter, TaskStatus, list};

use crate::{
    access::{CompleteTasks, Implies, InProject, Permission, Scope, Written},
    deliveries,
    error::{Error, Result},
    ids::{AccountId, ProjectId, TaskId},
    time::{Due, DueColumns},
};

/// A task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its short name: `OPS-42`.
    pub key: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub description: String,
    /// Until when.
    pub due: Option<Due>,
    /// By whom.
    pub assignees: Vec<AccountId>,
    /// Who asked for it.
    pub created_by: AccountId,
    /// Since when.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Since when it is done.
    pub completed_at: Option<Timestamp>,
    /// Who did it.
    pub completed_by: Option<AccountId>,
    /// Rises with every change.
    pub version: i32,
}

/// The columns of a [`Task`], and what the caller may do with it.
#[derive(Debug, FromRow)]
struct TaskRow {
    id: Uuid,
    project_id: Uuid,
    project_key: String,
    number: i32,
    title: String,
    description: String,
    due_on: Option<jiff_sqlx::Date>,
    due_local: Option<jiff_sqlx::DateTime>,
    due_zone: Option<String>,
    due_at: Option<Timestamp>,
    assignees: Vec<Uuid>,
    created_by: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    completed_at: Option<Timestamp>,
    completed_by: Option<Uuid>,
    version: i32,
    held: i64,
}

impl From<TaskRow> for Task {
    fn from(row: TaskRow) -> Self {
        Self {
            id: TaskId(row.id),
            project_id: ProjectId(row.project_id),
            key: format!("{}-{}", row.project_key, row.number),
            title: row.title,
            description: row.description,
            due: DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.due_at }.due(),
            assignees: row.assignees.into_iter().map(AccountId).collect(),
            created_by: AccountId(row.created_by),
            created_at: row.created_at,
            updated_at: row.updated_at,
            completed_at: row.completed_at,
            completed_by: row.completed_by.map(AccountId),
            version: row.version,
        }
    }
}

/// One task, with the witness that the caller holds `P` on it. Assignees may complete what is assigned to them.
///
/// # Errors
/// [`Error::NotFound`] when the caller cannot see it, [`Error::Forbidden`].
pub async fn find<P: Permission>(scope: &mut Scope<impl Permission>, id: TaskId) -> Result<(InProject<'_, P>, Task)> {
    let row = sqlx::query_as!(
        TaskRow,
        r#"select t.id, t.project_id, p.key as project_key, t.number, t.title, t.description,
                  t.due_on, t.due_local, t.due_zone, t.due_at,
                  array(select a.account_id from task_assignees a where a.task_id = t.id order by 1) as "assignees!",
                  t.created_by, t.created_at, t.updated_at, t.completed_at, t.completed_by, t.version,
                  permissions_in(p.id, p.visibility)
                  | case when exists (select from task_assignees a where a.task_id = t.id and a.account_id = current_account())
                         then $2::bigint & current_scopes() else 0 end as "held!"
           from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id
           where t.id = $1"#,
        id.0,
        CompleteTasks::BITS,
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    let project = InProject::admit(scope.core(), ProjectId(row.project_id), row.held)?;
    Ok((project, row.into()))
}

/// Completes a task; what is still owed for it is cancelled in the same transaction. A second time changes nothing.
///
/// # Errors
/// The database's.
pub async fn complete(project: &mut InProject<'_, impl Implies<CompleteTasks>>, task: &Task) -> Result<Written<Task>> {
    let done = sqlx::query!(
        "update tasks set completed_at = now(), completed_by = current_account(), updated_at = now(), version = version + 1
         where id = $1 and completed_at is null",
        task.id.0,
    )
    .execute(project.core.sql())
    .await?;
    if done.rows_affected() == 1 {
        deliveries::cancel_for_task(project.core, task.id, "task completed").await?;
    }
    // Read after the lock: who lost a race answers with what the winner wrote.
    let now = sqlx::query!(
        r#"select completed_at, completed_by as "completed_by: AccountId", updated_at, version from tasks where id = $1"#,
        task.id.0,
    )
    .fetch_one(project.core.sql())
    .await?;
    Ok(Written(Task {
        completed_at: now.completed_at,
        completed_by: now.completed_by,
        updated_at: now.updated_at,
        version: now.version,
        ..task.clone()
    }))
}
