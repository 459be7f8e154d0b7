//! Tasks: what is to be done, by whom, until when.

mod changes;
mod create;
mod find;
mod list;
mod mine;
mod task;
mod view;

pub use changes::{ChangesSince, TaskChange, changes};
pub use create::{CreatedTask, NewTask, create};
pub use find::{TaskRef, find, find_deleted, show};
pub use list::{Assignee, Author, Include, LabelName, Parent, Priority, ProjectName, Sort, TaskList, list};
pub use mine::{MyTaskList, mine};
use task::TaskRow;
pub use task::{Recurrence, Task, TaskLabel, TaskStatus};
pub use view::{Expand, Expanded, OrganizationBrief, PersonBrief, ProjectBrief, TaskBrief, TaskField, TaskShape, TaskView};

use crate::{
    access::{CompleteTasks, Implies, InProject, Written},
    deliveries,
    error::Result,
    ids::AccountId,
};

/// Completes a task; what is still owed for it is cancelled in the same transaction. A second time changes nothing.
///
/// # Errors
/// The database's.
pub async fn complete(project: &mut InProject<'_, impl Implies<CompleteTasks>>, task: &Task) -> Result<Written<Task>> {
    let done = sqlx::query!(
        "update tasks set status = 'completed', completed_at = now(), completed_by = current_account(), updated_at = now(), version = version + 1
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
        status: TaskStatus::Completed,
        completed_at: now.completed_at,
        completed_by: now.completed_by,
        updated_at: now.updated_at,
        version: now.version,
        ..task.clone()
    }))
}
