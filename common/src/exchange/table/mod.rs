//! Tasks as a table: RFC 4180 in UTF-8, a row for each task, and the same columns out and in.

mod cell;
mod row;

use deserr::Deserr;
use futures::TryStreamExt as _;
use jiff_sqlx::Timestamp;
use serde_json::json;
use utoipa::ToSchema;

pub(super) use row::{Person, Row, rows};

use super::{Desk, Spool, spool::broken};
use crate::{
    access::{Committed, ListMembers, Permission, ReadTasks, Scope, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    input::Faults,
    tasks::{ProjectName, TaskStatus},
    time::{Due, DueColumns},
};
use cell::{guarded, joined};

/// The first line. Those that are marked are not read: they follow from the task's own life.
pub(super) const COLUMNS: [(&str, bool); 16] = [
    ("key", true),
    ("title", true),
    ("description", true),
    ("status", true),
    ("priority", true),
    ("start", true),
    ("start_zone", true),
    ("due", true),
    ("due_zone", true),
    ("assignees", true),
    ("labels", true),
    ("parent", true),
    ("created_by", false),
    ("created_at", false),
    ("updated_at", false),
    ("completed_at", true),
];

/// How many rows are written at once.
const ROWS: usize = 200;

/// Which tasks.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct TableFilter {
    /// Of one project, by id or key.
    #[deserr(default)]
    pub project: Option<ProjectName>,
    /// `open`, `in_progress`, `waiting` or `completed`.
    #[deserr(default)]
    status: Option<TaskStatus>,
}

/// The tasks that the caller can see, as a table. One statement: of one moment.
///
/// # Errors
/// [`Error::Busy`].
pub async fn export_tasks(mut scope: Scope<ReadTasks>, desk: &Desk, filter: TableFilter) -> Result<Committed<Spool>> {
    let (mut spool, mut count) = (desk.spool()?, 0_u64);
    let mut table = writer();
    table.write_record(COLUMNS.map(|(name, _)| name)).map_err(unwritten)?;
    let (id, key) = match &filter.project {
        Some(ProjectName::Id(id)) => (Some(id.0), None),
        Some(ProjectName::Key(key)) => (None, Some(key.as_str())),
        None => (None, None),
    };
    // Who may not list members knows them by their ids, here as everywhere.
    let mut rows = sqlx::query!(
        r#"select p.key, t.number, t.title, t.description, t.status, t.priority, t.start_on, t.start_local, t.start_zone, t.start_at,
                  t.due_on, t.due_local, t.due_zone, t.due_at, t.created_at, t.updated_at, t.completed_at,
                  array(select case when has_permission($3) then (select a.email from accounts a where a.id = s.account_id)
                                    else s.account_id::text end
                        from task_assignees s where s.task_id = t.id order by s.account_id) as "assignees!",
                  array(select l.name from task_labels x join labels l on l.id = x.label_id
                        where x.task_id = t.id order by l.name) as "labels!",
                  (select q.number from tasks q where q.id = t.parent_id and q.deleted_at is null) as parent,
                  case when has_permission($3) then (select a.email from accounts a where a.id = t.created_by)
                       else t.created_by::text end as "created_by!"
           from projects p join tasks t on t.project_id = p.id
           where t.deleted_at is null and permissions_in(p.id, p.visibility) & $4 <> 0
             and (p.id = $1 or p.key = $5 or num_nulls($1, $5) = 2) and (t.status = $2 or $2 is null)
           order by p.position, p.id, (t.parent_id is not null), t.number"#,
        id as _,
        filter.status.map(TaskStatus::as_str),
        ListMembers::BITS,
        ReadTasks::BITS,
        key as _,
    )
    .fetch(scope.sql());
    while let Some(row) = rows.try_next().await? {
        let start = DueColumns { on: row.start_on, local: row.start_local, zone: row.start_zone, at: row.start_at };
        let due = DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.due_at };
        let ((start, start_zone), (due, due_zone)) = (moment(start.due()), moment(due.due()));
        let cells = [
            format!("{}-{}", row.key, row.number),
            row.title,
            row.description,
            row.status,
            row.priority.to_string(),
            start,
            start_zone,
            due,
            due_zone,
            joined(row.assignees.iter().map(String::as_str)),
            joined(row.labels.iter().map(String::as_str)),
            row.parent.map_or_else(String::new, |number| format!("{}-{number}", row.key)),
            row.created_by,
            row.created_at.to_jiff().to_string(),
            row.updated_at.to_jiff().to_string(),
            row.completed_at.map_or_else(String::new, |at: Timestamp| at.to_jiff().to_string()),
        ];
        table.write_record(cells.iter().map(|cell| guarded(cell).into_owned())).map_err(unwritten)?;
        count += 1;
        if count % ROWS as u64 == 0 {
            spool.write(&written(std::mem::replace(&mut table, writer()))?).await?;
        }
    }
    drop(rows);
    spool.write(&written(table)?).await?;
    spool.rewind().await?;
    let told = json!({ "project": id, "key": key, "tasks": count });
    audit::record(scope.core(), Event::new(Action::TasksExported).after(told)).await?;
    scope.commit(Written(spool)).await
}

fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new())
}

fn written(table: csv::Writer<Vec<u8>>) -> Result<Vec<u8>> {
    table.into_inner().map_err(|fault| broken(fault.into_error()))
}

fn unwritten(fault: csv::Error) -> Error {
    Error::Internal(Box::new(fault))
}

/// A due value as a cell, and the zone of one on a wall clock.
fn moment(due: Option<Due>) -> (String, String) {
    match due {
        None => (String::new(), String::new()),
        Some(Due::Date { date }) => (date.to_string(), String::new()),
        Some(Due::Local { local, time_zone }) => (local.to_string(), time_zone.to_string()),
        Some(Due::At { at }) => (at.to_string(), String::new()),
    }
}
