//! Finding a task by its id or its key, together with what the caller may do with it.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use super::{
    Task, TaskRow,
    lock::live,
    task::columns,
    view::{self, TaskShape, TaskView},
};
use crate::{
    access::{Core, Held, InProject, Permission, Permissions, ReadTasks, Scope, WriteTasks},
    error::{Error, Result},
    ids::{NotAnId, TaskId},
    input::parsed_field,
    text::ProjectKey,
};

/// A task as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskRef {
    /// By its id.
    Id(TaskId),
    /// By its key, `OPS-42`: its project has this key now.
    Key(ProjectKey, i32),
}

impl FromStr for TaskRef {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let (key, number) = text.rsplit_once('-').ok_or(NotAnId)?;
        // One task has one key: no `OPS-042`, no `OPS-+42`.
        let plain =
            number.starts_with(|first| matches!(first, '1'..='9')) && number.chars().all(|c| c.is_ascii_digit());
        match (key.parse(), number.parse()) {
            (Ok(key), Ok(number)) if plain => Ok(Self::Key(key, number)),
            _ => Err(NotAnId),
        }
    }
}

impl TaskRef {
    /// As statements take it: an id, or the key of a project and a number.
    pub(crate) fn parts(&self) -> (Option<Uuid>, Option<&str>, Option<i32>) {
        match self {
            Self::Id(id) => (Some(id.0), None, None),
            Self::Key(key, number) => (None, Some(key.as_str()), Some(*number)),
        }
    }
}

impl fmt::Display for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Key(key, number) => write!(f, "{key}-{number}"),
        }
    }
}

impl From<TaskId> for TaskRef {
    fn from(id: TaskId) -> Self {
        Self::Id(id)
    }
}

parsed_field!(TaskRef);
crate::schema::reads_as_text!(
    TaskRef,
    "A task: its id, or its key.",
    "OPS-42",
    pattern: crate::schema::id_pattern!("^(?:[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,8}|", ")$"),
);

/// Where a task is found, with what its caller holds in its project. Takes an id, or the key of a project and a number.
macro_rules! FROM {
    () => {
        ", p.key as project_key, permissions_in(p.id, p.visibility) as held, p.archived_at is not null as archived \
         from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id \
         where t.id = coalesce($1, (select named.id from tasks named \
                                    join projects q on q.org_id = named.org_id and q.id = named.project_id \
                                    where q.key = $2 and named.number = $3))"
    };
}
pub(super) use FROM;

pub(super) const FIND: &str = concat!("select ", columns!(), FROM!());

/// One task that is not deleted, with the witness that the caller holds `P` on it. Assignees may complete what is assigned to
/// them.
///
/// # Errors
/// [`Error::NotFound`] when the caller cannot see it, [`Error::Forbidden`], `project_archived`; `task_deleted` for whoever might
/// restore it.
pub async fn find<'s, P: Permission>(
    scope: &'s mut Scope<impl Permission>,
    task: &TaskRef,
) -> Result<(InProject<'s, P>, Task)> {
    let (project, task) = find_deleted(scope, task).await?;
    live(&task)?;
    Ok((project, task))
}

/// The same, of a deleted one too; only those who may restore it see one.
///
/// # Errors
/// [`Error::NotFound`] when the caller cannot see it, [`Error::Forbidden`], `project_archived`.
pub async fn find_deleted<'s, P: Permission>(
    scope: &'s mut Scope<impl Permission>,
    task: &TaskRef,
) -> Result<(InProject<'s, P>, Task)> {
    let row = row(FIND, scope.core(), task).await?;
    admit(scope.core(), row)
}

/// What there is to say of a task that was there a moment ago, and was deleted or moved before it could be locked: what is said
/// to whoever comes now.
pub(crate) async fn gone<P: Permission>(core: &mut Core, task: TaskId) -> Error {
    match row(FIND, core, &TaskRef::Id(task)).await.and_then(|row| admit::<P>(core, row)) {
        Ok((_, task)) => live(&task).err().unwrap_or(Error::Busy),
        Err(fault) => fault,
    }
}

/// One task, to be looked at as it was asked for.
///
/// # Errors
/// [`Error::NotFound`] when the caller cannot see it.
pub async fn show(scope: &mut Scope<impl Permission>, task: &TaskRef, shape: TaskShape) -> Result<TaskView> {
    let (_, task) = find_deleted::<ReadTasks>(scope, task).await?;
    view::one(scope.core(), task, shape).await
}

pub(super) async fn row(statement: &'static str, core: &mut Core, task: &TaskRef) -> Result<Option<TaskRow>> {
    let (id, key, number) = task.parts();
    Ok(sqlx::query_as(statement).bind(id).bind(key).bind(number).fetch_optional(core.sql()).await?)
}

pub(super) fn admit<P: Permission>(core: &mut Core, row: Option<TaskRow>) -> Result<(InProject<'_, P>, Task)> {
    let row = row.ok_or(Error::NotFound)?;
    let held = Held { bits: row.held(), archived: row.archived };
    let task = Task::from(row);
    if task.deleted_at.is_some() && !Permissions::of(held.bits).hold::<WriteTasks>() {
        return Err(Error::NotFound);
    }
    Ok((InProject::admit(core, task.project_id, held)?, task))
}
