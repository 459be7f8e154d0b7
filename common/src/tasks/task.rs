//! A task, and the columns that it is read from.

use deserr::Deserr;
use jiff::civil;
use jiff_sqlx::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    access::{CompleteTasks, Permission, Permissions},
    ids::{AccountId, LabelId, ProjectId, TaskId},
    input::Faults,
    reminders::ReminderPlan,
    shown::shown,
    time::{Due, DueColumns, Recurrence},
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
    /// The task that it is a part of.
    pub parent_id: Option<TaskId>,
    /// One line.
    pub title: String,
    /// Markdown.
    pub description: String,
    /// How it stands.
    pub status: TaskStatus,
    /// 0 is none, 4 is urgent.
    pub priority: i16,
    /// From when.
    pub start: Option<Due>,
    /// Until when.
    pub due: Option<Due>,
    /// How it comes round.
    pub recurrence: Option<Recurrence>,
    /// How often it has come round, this time included.
    pub occurrence: i32,
    /// By whom.
    pub assignees: Vec<AccountId>,
    /// What is stuck on it, by name.
    pub labels: Vec<TaskLabel>,
    /// Its place among the tasks of its project.
    pub position: f64,
    /// How many parts it has.
    pub subtask_count: i64,
    /// How many of them are done.
    pub completed_subtask_count: i64,
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
    /// Since when it is deleted; for thirty days it can be restored.
    pub deleted_at: Option<Timestamp>,
    /// What the caller may do with it.
    pub permissions: Permissions,
    /// Rises with every change.
    pub version: i32,
    /// What its rule counts from.
    #[serde(skip)]
    pub(crate) recurrence_start: Option<civil::DateTime>,
}

shown!(Task, version);

/// A task after a deed, and what its reminders have planned by it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlannedTask {
    /// The task.
    #[serde(flatten)]
    pub task: Task,
    /// Who will be told when, and who not, and why: of the reminders that were planned now.
    pub reminders: Vec<ReminderPlan>,
}

shown!(PlannedTask, task.version);

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserr, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[deserr(rename_all = lowercase, error = Faults)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum TaskStatus {
    /// To do.
    Open,
    /// Somebody is at it.
    #[deserr(rename = "in_progress")]
    InProgress,
    /// For something or somebody.
    Waiting,
    /// Done.
    Completed,
}

impl TaskStatus {
    /// The name in JSON and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
        }
    }
}

/// A label on a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskLabel {
    /// Its id.
    pub id: LabelId,
    /// Its name.
    #[schema(example = "urgent")]
    pub name: String,
    /// `#rrggbb`.
    pub colour: Option<String>,
}

/// The columns of a [`Task`], and what the caller may do with it.
#[derive(Debug, FromRow)]
pub(super) struct TaskRow {
    id: Uuid,
    project_id: Uuid,
    project_key: String,
    number: i32,
    parent_id: Option<Uuid>,
    title: String,
    description: String,
    status: TaskStatus,
    priority: i16,
    start_on: Option<jiff_sqlx::Date>,
    start_local: Option<jiff_sqlx::DateTime>,
    start_zone: Option<String>,
    start_at: Option<Timestamp>,
    due_on: Option<jiff_sqlx::Date>,
    due_local: Option<jiff_sqlx::DateTime>,
    due_zone: Option<String>,
    due_at: Option<Timestamp>,
    recurrence: Option<String>,
    recurrence_basis: Option<String>,
    recurrence_start: Option<jiff_sqlx::DateTime>,
    occurrence: i32,
    assignees: Vec<Uuid>,
    labels: Json<Vec<TaskLabel>>,
    position: f64,
    subtasks: Vec<i64>,
    created_by: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    completed_at: Option<Timestamp>,
    completed_by: Option<Uuid>,
    deleted_at: Option<Timestamp>,
    version: i32,
    held_as_assignee: i64,
    /// What the caller holds in its project.
    held: i64,
    #[sqlx(default)]
    pub(super) archived: bool,
    #[sqlx(default)]
    seen: Option<i32>,
}

/// What a [`TaskRow`] is made of, for statements that call the task `t`. They add `project_key` and `held`, the caller's
/// permissions in its project. `2048` is what assignees may do, whatever their role: complete it.
macro_rules! columns {
    () => {
        "t.id, t.project_id, t.number, t.parent_id, t.title, t.description, t.status, t.priority, \
         t.start_on, t.start_local, t.start_zone, t.start_at, t.due_on, t.due_local, t.due_zone, t.due_at, \
         t.recurrence, t.recurrence_basis, t.recurrence_start, t.occurrence, \
         array(select a.account_id from task_assignees a where a.task_id = t.id order by 1) as assignees, \
         (select coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name, 'colour', l.colour) order by lower(l.name)), '[]') \
          from task_labels tl join labels l on l.org_id = tl.org_id and l.id = tl.label_id where tl.task_id = t.id) as labels, \
         t.position::float8 as position, \
         (select array[count(*), count(s.completed_at)] from tasks s where s.parent_id = t.id and s.deleted_at is null) as subtasks, \
         t.created_by, t.created_at, t.updated_at, t.completed_at, t.completed_by, t.deleted_at, t.version, \
         case when exists (select from task_assignees a where a.task_id = t.id and a.account_id = current_account()) \
              then 2048 & current_scopes() else 0 end as held_as_assignee"
    };
}
pub(super) use columns;

const _: () = assert!(CompleteTasks::BITS == 2048);

impl TaskRow {
    /// Whether it was changed by somebody else while its lock was waited for.
    pub(super) fn is_stale(&self) -> bool {
        self.seen != Some(self.version)
    }

    /// What the caller may do with it: what they hold in the project, and what they may as an assignee.
    pub(super) fn held(&self) -> i64 {
        self.held | self.held_as_assignee
    }
}

impl From<TaskRow> for Task {
    fn from(row: TaskRow) -> Self {
        let held = row.held();
        Self {
            id: TaskId(row.id),
            project_id: ProjectId(row.project_id),
            key: format!("{}-{}", row.project_key, row.number),
            parent_id: row.parent_id.map(TaskId),
            title: row.title,
            description: row.description,
            status: row.status,
            priority: row.priority,
            start: DueColumns { on: row.start_on, local: row.start_local, zone: row.start_zone, at: row.start_at }
                .due(),
            due: DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.due_at }.due(),
            recurrence: row
                .recurrence
                .zip(row.recurrence_basis)
                .and_then(|(rule, basis)| Recurrence::stored(&rule, &basis)),
            occurrence: row.occurrence,
            assignees: row.assignees.into_iter().map(AccountId).collect(),
            labels: row.labels.0,
            position: row.position,
            subtask_count: row.subtasks.first().copied().unwrap_or_default(),
            completed_subtask_count: row.subtasks.get(1).copied().unwrap_or_default(),
            created_by: AccountId(row.created_by),
            created_at: row.created_at,
            updated_at: row.updated_at,
            completed_at: row.completed_at,
            completed_by: row.completed_by.map(AccountId),
            deleted_at: row.deleted_at,
            permissions: Permissions::of(held).in_projects(),
            version: row.version,
            recurrence_start: row.recurrence_start.map(jiff_sqlx::DateTime::to_jiff),
        }
    }
}
