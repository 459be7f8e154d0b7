//! Saying something, saying it otherwise, taking it back; and who is told by mail.

use super::{Comment, CommentChanges, CommentFault, NewComment, find};
use crate::{
    access::{Core, Implies, InProject, ManageProject, Permission, ReadTasks, WriteComments, Written},
    audit::{self, Action, Event},
    deliveries,
    error::{Error, Refusal, Result},
    ids::{AccountId, CommentId, TaskId},
    input::Faults,
    mails::{self, MailKind, Owed},
    memberships,
    precondition::Precondition,
    projects,
    tasks::{self, Task},
    watches,
};

/// Says something about a task. Whoever says it and whoever is mentioned watches the task from now on, unless they have muted
/// it; who watches it gets a mail, but for the author.
///
/// # Errors
/// `not_a_member` for who is mentioned and may not see it; `project_archived`.
pub async fn create<P: Implies<WriteComments>>(
    project: &mut InProject<'_, P>,
    task: &Task,
    new: NewComment,
) -> Result<Written<Comment>> {
    let mentions = new.body.mentions();
    keep(project, task, mentions).await?;
    let id = CommentId::new();
    let comment = sqlx::query_as!(
        Comment,
        r#"with comment as (
               insert into comments (org_id, id, task_id, author_id, body) values (current_org(), $1, $2, current_account(), $3)
               returning id, author_id, created_at, version
           ), mentioned as (
               insert into comment_mentions (org_id, comment_id, account_id)
               select current_org(), id, account from comment, unnest($4::uuid[]) account
           )
           select id as "id: CommentId", $2 as "task_id!: TaskId", author_id as "author_id: AccountId", $3 as "body!",
                  $4::uuid[] as "mentions!: Vec<AccountId>", created_at, null::timestamptz as "edited_at: _",
                  null::timestamptz as "deleted_at: _", version
           from comment"#,
        id.0,
        task.id.0,
        new.body.as_str(),
        mentions as _,
    )
    .fetch_one(project.core.sql())
    .await?;
    let watching: Vec<AccountId> = mentions.iter().copied().chain([comment.author_id]).collect();
    watches::begin(project.core, task.id, &watching).await?;
    Ok(tell(project.core, &comment, task, None).await?.map(|()| comment))
}

/// Says it otherwise; only the author does. Whoever is newly mentioned gets a mail, the others have got theirs. What is the same
/// already makes no version.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Refused`], those of the precondition, `comment_deleted`, `not_a_member`, `project_archived`.
pub async fn update<P: Implies<WriteComments>>(
    project: &mut InProject<'_, P>,
    task: &Task,
    id: CommentId,
    precondition: &Precondition,
    changes: CommentChanges,
) -> Result<Written<Comment>> {
    let before = find(project.core, task.id, id).await?;
    if !own(project.core, id).await? {
        return Err(Error::Refused(Refusal::NotTheAuthor));
    }
    let new: Vec<AccountId> = changes.body.0.as_ref().map_or_else(Vec::new, |body| {
        body.mentions().iter().filter(|account| !before.mentions.contains(account)).copied().collect()
    });
    keep(project, task, &new).await?;
    let before = lock(project.core, task.id, id).await?;
    precondition.check(before.version)?;
    if before.deleted_at.is_some() {
        return Err(Error::Conflict { code: "comment_deleted", detail: "the comment is deleted" });
    }
    let Some(body) = changes.body.0.filter(|body| body.as_str() != before.body) else {
        return Ok(Written(before));
    };
    sqlx::query!(
        "with said as (
             update comments set body = $2, edited_at = now(), version = version + 1 where id = $1
         ), dropped as (
             delete from comment_mentions where comment_id = $1 and account_id <> all($3)
         )
         insert into comment_mentions (org_id, comment_id, account_id)
         select current_org(), $1, account from unnest($3::uuid[]) account
         on conflict on constraint comment_mentions_pkey do nothing",
        id.0,
        body.as_str(),
        body.mentions() as _,
    )
    .execute(project.core.sql())
    .await?;
    watches::begin(project.core, task.id, &new).await?;
    let comment = find(project.core, task.id, id).await?;
    Ok(tell(project.core, &comment, task, Some(&new)).await?.map(|()| comment))
}

/// Takes the words away, one's own or, for who manages the project, anybody's. Mails that are still owed for it are cancelled. A
/// second time changes nothing.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], those of the precondition, `project_archived`.
pub async fn destroy<P: Implies<WriteComments>>(
    project: &mut InProject<'_, P>,
    task: &Task,
    id: CommentId,
    precondition: &Precondition,
) -> Result<Written<()>> {
    find(project.core, task.id, id).await?;
    let own = own(project.core, id).await?;
    if !own && !project.permissions().hold::<ManageProject>() {
        return Err(Error::Forbidden(ManageProject::NAME));
    }
    projects::keep(project).await?;
    let before = lock(project.core, task.id, id).await?;
    precondition.check(before.version)?;
    if before.deleted_at.is_some() {
        return Ok(Written(()));
    }
    sqlx::query!(
        "with gone as (
             update comments set body = '', deleted_at = now(), deleted_by = current_account(), version = version + 1 where id = $1
         )
         delete from comment_mentions where comment_id = $1",
        id.0,
    )
    .execute(project.core.sql())
    .await?;
    deliveries::cancel_for_comment(project.core, id, "comment deleted").await?;
    if !own {
        let told = serde_json::json!({ "task": task.id, "author": before.author_id });
        audit::record(project.core, Event::new(Action::CommentDeleted).about(id).before(told)).await?;
    }
    Ok(Written(()))
}

/// Keeps the people who are mentioned, the project and the task as they are, and asks whether they all see it.
async fn keep<P: Permission>(project: &mut InProject<'_, P>, task: &Task, mentions: &[AccountId]) -> Result<()> {
    memberships::keep(project.core, mentions.iter().copied()).await?;
    projects::keep(project).await?;
    let kept = sqlx::query_scalar!(
        r#"select exists (select from unnest($2::uuid[]) account
                          where permissions_of(account, p.id, p.visibility) & $4 = 0) as "stranger!"
           from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id
           where t.id = $1 and t.project_id = $3 and t.deleted_at is null for key share of t"#,
        task.id.0,
        mentions as _,
        project.id.0,
        ReadTasks::BITS,
    )
    .fetch_optional(project.core.sql())
    .await?;
    let Some(stranger) = kept else { return Err(tasks::gone::<P>(project.core, task.id).await) };
    if stranger { Err(Faults::at("/body", &CommentFault::NotAMember).into()) } else { Ok(()) }
}

/// Whether the caller has said it.
async fn own(core: &mut Core, id: CommentId) -> Result<bool> {
    let own =
        sqlx::query_scalar!(r#"select author_id = current_account() as "own!" from comments where id = $1"#, id.0);
    own.fetch_optional(core.sql()).await?.ok_or(Error::NotFound)
}

/// A comment as it stays until the end of the transaction.
async fn lock(core: &mut Core, task: TaskId, id: CommentId) -> Result<Comment> {
    sqlx::query!("select id from comments where id = $1 for no key update", id.0).fetch_optional(core.sql()).await?;
    find(core, task, id).await
}

/// One mail for each who watches the task, sees it, wants mail of it, and has not been told of this comment; of `only` these, where it is given.
async fn tell(core: &mut Core, comment: &Comment, task: &Task, only: Option<&[AccountId]>) -> Result<Written<()>> {
    let readers = sqlx::query_scalar!(
        r#"select w.account_id as "id: AccountId"
           from task_watches w join projects p on p.id = $2
           where w.task_id = $1 and w.state = 'watching' and w.account_id <> current_account()
             and ($4::uuid[] is null or w.account_id = any($4))
             and permissions_of(w.account_id, p.id, p.visibility) & $5 <> 0
             and not exists (select from project_mutes q where q.project_id = p.id and q.account_id = w.account_id)
             and not exists (select from notification_settings n where n.account_id = w.account_id and not n.comments)
             and not exists (select from deliveries d where d.comment_id = $3 and d.account_id = w.account_id)
           order by 1"#,
        task.id.0,
        task.project_id.0,
        comment.id.0,
        only as _,
        ReadTasks::BITS,
    )
    .fetch_all(core.sql())
    .await?;
    let owed: Vec<Owed> = readers
        .into_iter()
        .map(|reader| Owed {
            comment: Some(comment.id),
            task: Some(task.id),
            ..Owed::to_account(MailKind::Comment, reader)
        })
        .collect();
    mails::owe(core, &owed).await
}
