//! Comments: what people say about a task. A deleted one stays without its words, so that the thread keeps its order.

mod body;
mod write;

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use body::with_names;
pub use body::{CommentBody, CommentFault};
pub use write::{create, destroy, update};

use crate::{
    access::{Core, Implies, InProject, ReadTasks},
    error::{Error, Result},
    ids::{AccountId, CommentId, TaskId},
    input::{Faults, Given},
    page::{Cursor, Limit, Page},
    shown::shown,
    tasks::Task,
};

/// What somebody has said.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// About which task.
    pub task_id: TaskId,
    /// Who said it.
    pub author_id: AccountId,
    /// Markdown; nothing, once it is deleted.
    pub body: String,
    /// Who is mentioned in it.
    pub mentions: Vec<AccountId>,
    /// When.
    pub created_at: Timestamp,
    /// When it was said otherwise.
    pub edited_at: Option<Timestamp>,
    /// Since when it is deleted.
    pub deleted_at: Option<Timestamp>,
    /// Rises with every change.
    pub version: i32,
}

shown!(Comment, version);

/// Something to be said.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewComment {
    /// Markdown; `<@…>` with the id of an account mentions somebody.
    pub body: CommentBody,
}

/// A comment said otherwise.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct CommentChanges {
    /// As in a new one.
    #[deserr(default)]
    pub body: Given<CommentBody>,
}

/// Which page of the comments.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct CommentFilter {
    /// Items a page.
    #[deserr(default)]
    pub limit: Limit,
    /// Where the page begins.
    #[deserr(default)]
    pub cursor: Option<Cursor>,
}

/// A page of what was said about a task, oldest first.
///
/// # Errors
/// [`Error::BadCursor`].
pub async fn list(
    project: &mut InProject<'_, impl Implies<ReadTasks>>,
    task: &Task,
    filter: CommentFilter,
) -> Result<Page<Comment>> {
    let core = &mut *project.core;
    let name = format!("comments {}", task.id);
    let after = filter.cursor.map(|cursor| cursor.open(core, &name)).transpose()?;
    let comments = sqlx::query_as!(
        Comment,
        r#"select id as "id: CommentId", task_id as "task_id: TaskId", author_id as "author_id: AccountId", body,
                  array(select m.account_id from comment_mentions m where m.comment_id = c.id order by 1) as "mentions!: Vec<AccountId>",
                  created_at, edited_at, deleted_at, version
           from comments c where task_id = $1 and ($2::uuid is null or id > $2) order by id limit $3"#,
        task.id.0,
        after,
        filter.limit.and_one(),
    )
    .fetch_all(core.sql())
    .await?;
    Ok(Page::of(comments, filter.limit, core, &name, |comment| comment.id.0))
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn show(project: &mut InProject<'_, impl Implies<ReadTasks>>, task: &Task, id: CommentId) -> Result<Comment> {
    find(project.core, task.id, id).await
}

async fn find(core: &mut Core, task: TaskId, id: CommentId) -> Result<Comment> {
    sqlx::query_as!(
        Comment,
        r#"select id as "id: CommentId", task_id as "task_id: TaskId", author_id as "author_id: AccountId", body,
                  array(select m.account_id from comment_mentions m where m.comment_id = c.id order by 1) as "mentions!: Vec<AccountId>",
                  created_at, edited_at, deleted_at, version
           from comments c where task_id = $1 and id = $2"#,
        task.0,
        id.0,
    )
    .fetch_optional(core.sql())
    .await?
    .ok_or(Error::NotFound)
}
