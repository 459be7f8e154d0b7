//! Listing tasks: which, in which order, a page at a time, and what of each.

mod filter;
mod matches;
mod sort;
mod statement;

use sqlx::FromRow;

pub use filter::{Assignee, Author, Include, LabelNamed, Parent, PriorityIs, ProjectName, TaskList};
pub use sort::Sort;
pub(in crate::tasks) use sort::SortKey;

use super::{
    Task, TaskRow,
    view::{self, Expand, TaskField, TaskView},
};
use crate::{
    access::{Implies, ReadTasks, Scope},
    error::{Error, Result},
    page::{Cursor, Page, Total},
};
pub(super) use statement::Statement;

#[derive(Debug, FromRow)]
struct Listed {
    #[sqlx(flatten)]
    task: TaskRow,
    /// Its position in the order.
    keys: Vec<String>,
}

/// A page of the tasks that the caller can see.
///
/// # Errors
/// [`crate::Error::BadCursor`].
pub async fn list(scope: &mut Scope<impl Implies<ReadTasks>>, list: TaskList) -> Result<Page<TaskView>> {
    let name = list.name();
    let after = match &list.cursor {
        Some(cursor) => Some(keys(cursor.position(scope.core(), &name)?)?),
        None => None,
    };
    let statement = Statement::of(&list);
    let rows: Vec<Listed> = statement.page(after.as_deref()).build_query_as().fetch_all(scope.sql()).await?;
    let core = scope.core();
    let mut page = Page::cut(rows, list.limit, |row| Cursor::seal(core, &name, &position(&row.keys)));
    if list.total() {
        let counted = statement.count().build_query_scalar().fetch_one(core.sql()).await?;
        page.page.total = Some(Total::of(counted));
    }
    view::page(core, page.map(|row| Task::from(row.task)), list.fields, list.expand.unwrap_or_default()).await
}

/// A position in an order, as a cursor keeps it.
pub(super) fn position(keys: &[String]) -> Vec<u8> {
    serde_json::Value::from(keys).to_string().into_bytes()
}

/// What [`position`] has kept.
pub(super) fn keys(position: &[u8]) -> Result<Vec<String>> {
    serde_json::from_slice(position).map_err(|fault| Error::Internal(Box::new(fault)))
}
