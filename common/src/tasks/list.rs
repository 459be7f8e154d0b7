//! Listing tasks: filters are free, so the statement is built; values are bound, always.

use deserr::Deserr;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Task, TaskRow, TaskStatus, task::columns};
use crate::{
    access::{Implies, Permission, ReadTasks, Scope},
    error::Result,
    ids::ProjectId,
    input::Faults,
    page::{Cursor, Limit, Page},
};

/// Which tasks, and which page of them.
#[derive(Debug, Default, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct TaskFilter {
    /// Of one project.
    #[deserr(default)]
    pub project: Option<ProjectId>,
    /// As it stands.
    #[deserr(default)]
    pub status: Option<TaskStatus>,
    /// Items a page.
    #[deserr(default)]
    pub limit: Limit,
    /// Where the page begins.
    #[deserr(default)]
    pub cursor: Option<Cursor>,
}

/// A page of the tasks that the caller can see, newest first.
///
/// # Errors
/// [`crate::Error::BadCursor`].
pub async fn list(scope: &mut Scope<impl Implies<ReadTasks>>, filter: TaskFilter) -> Result<Page<Task>> {
    let name = format!("tasks {:?} {:?}", filter.project, filter.status);
    let after = filter.cursor.map(|cursor| cursor.open(scope.core(), &name)).transpose()?;
    let rows: Vec<TaskRow> =
        statement(filter.project, filter.status, after, filter.limit).build_query_as().fetch_all(scope.sql()).await?;
    let tasks = rows.into_iter().map(Task::from).collect();
    Ok(Page::of(tasks, filter.limit, scope.core(), &name, |task| task.id.0))
}

fn statement(
    project: Option<ProjectId>,
    status: Option<TaskStatus>,
    after: Option<Uuid>,
    limit: Limit,
) -> QueryBuilder<Postgres> {
    // Projects are few and tasks are many: who may see which is decided once for each project. The subqueries (not a join) and
    // the written-out limit make Postgres walk tasks_pkey backwards and stop at the end of the page; who sees no project at all
    // begins no walk. It goes on past the tasks of projects that the caller does not see.
    let mut sql = QueryBuilder::new(
        "with visible as materialized (
             select id, key, permissions_in(id, visibility) as held from projects where permissions_in(id, visibility) & ",
    );
    sql.push_bind(ReadTasks::BITS);
    sql.push(
        " <> 0)
         select (select p.key from visible p where p.id = t.project_id) as project_key,
                (select p.held from visible p where p.id = t.project_id) as held, ",
    );
    sql.push(columns!());
    sql.push(
        " from tasks t where exists (select from visible) and t.deleted_at is null
           and (select p.held from visible p where p.id = t.project_id) is not null",
    );
    if let Some(project) = project {
        sql.push(" and t.project_id = ").push_bind(project.0);
    }
    if let Some(status) = status {
        sql.push(" and t.status = ").push_bind(status.as_str());
    }
    if let Some(after) = after {
        sql.push(" and t.id < ").push_bind(after);
    }
    sql.push(format_args!(" order by t.id desc limit {}", limit.and_one()));
    sql
}
