//! What has happened to a task: who changed what, from what, to what. Written by `record_task_event` of the database, inside
//! the statement of the deed.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::FromRow;
use utoipa::ToSchema;

use super::Task;
use crate::{
    access::{Core, Implies, InProject, ReadTasks},
    error::Result,
    ids::{AccountId, TaskEventId},
    input::Faults,
    page::{Cursor, Limit, Page},
};

crate::schema::words! {
    /// What can be done to a task.
    TaskDeed: "created", "updated", "moved", "completed", "reopened", "deleted", "restored";
}

/// A change of a task.
#[derive(Clone, Debug, Serialize, FromRow, ToSchema)]
pub struct TaskEvent {
    /// Its id.
    pub id: TaskEventId,
    /// When.
    pub at: Timestamp,
    /// What was done.
    #[schema(value_type = TaskDeed)]
    pub action: String,
    /// Who.
    pub actor_id: AccountId,
    /// Their name today.
    pub actor_name: String,
    /// Of every field that changed: `{"title": {"from": …, "to": …}}`.
    pub changes: Value,
    /// Of which request.
    pub request_id: Option<String>,
}

/// Which page of a history.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct HistoryPage {
    /// Items a page.
    #[deserr(default)]
    pub limit: Limit,
    /// Where the page begins.
    #[deserr(default)]
    pub cursor: Option<Cursor>,
}

/// What has happened to a task, newest first.
///
/// # Errors
/// [`crate::Error::BadCursor`].
pub async fn history(
    project: &mut InProject<'_, impl Implies<ReadTasks>>,
    task: &Task,
    page: HistoryPage,
) -> Result<Page<TaskEvent>> {
    let core = &mut *project.core;
    let name = format!("history {}", task.id);
    let after = page.cursor.map(|cursor| cursor.open(core, &name)).transpose()?;
    let events = sqlx::query_as!(
        TaskEvent,
        r#"select e.id as "id: TaskEventId", e.at, e.action, e.actor_id as "actor_id: AccountId", a.name as actor_name,
                  e.changes, e.request_id
           from task_events e join accounts a on a.id = e.actor_id
           where e.task_id = $1 and ($2::uuid is null or e.id < $2) order by e.id desc limit $3"#,
        task.id.0,
        after,
        page.limit.and_one(),
    )
    .fetch_all(core.sql())
    .await?;
    Ok(Page::of(events, page.limit, core, &name, |event| event.id.0))
}

/// What is told of a task's fields.
fn told(task: &Task) -> Map<String, Value> {
    let labels: Vec<_> = task.labels.iter().map(|label| json!({ "id": label.id, "name": label.name })).collect();
    let told = json!({
        "project_id": task.project_id,
        "key": task.key,
        "parent_id": task.parent_id,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "priority": task.priority,
        "start": task.start,
        "due": task.due,
        "recurrence": task.recurrence,
        "occurrence": task.occurrence,
        "assignees": task.assignees,
        "labels": labels,
    });
    if let Value::Object(told) = told { told } else { Map::new() }
}

/// Every field that differs.
pub(super) fn difference(before: &Task, after: &Task) -> Map<String, Value> {
    let mut before = told(before);
    let changed = told(after).into_iter().filter_map(|(field, to)| {
        let from = before.remove(&field)?;
        (from != to).then(|| (field, json!({ "from": from, "to": to })))
    });
    changed.collect()
}

/// The request, as the history names it.
pub(super) fn request(core: &Core) -> Option<String> {
    Some(core.origin.request_id.clone()).filter(|id| !id.is_empty())
}
