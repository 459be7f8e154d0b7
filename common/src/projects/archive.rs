//! Closing a project, opening it again, and its end.

use super::{Project, find, told};
use crate::{
    access::{InProject, ManageProject, Permission, Written},
    audit::{self, Action, Event},
    deliveries::{self, Cancel, Which},
    error::{Error, Result},
    precondition::Precondition,
    reminders::{self, Whom},
};

/// Locks the project, and asks once more: the permission may have gone while this request waited. Whoever writes into the
/// project keeps it, or has written a row that refers to it, and is waited for.
pub(super) async fn lock(project: &mut InProject<'_, ManageProject>) -> Result<Project> {
    sqlx::query!("select id from projects where id = $1 for update", project.id.0)
        .fetch_one(project.core.sql())
        .await?;
    project.admit_again().await?;
    find(project.core, project.id).await?.ok_or(Error::NotFound)
}

/// Keeps the project as it is while something is written into it, beside others who do; and asks once more. Whoever archives
/// or deletes it at this moment waits (tests/api/archive.rs:
/// `what_is_written_at_the_moment_of_archiving_comes_before_it_or_not_at_all`).
pub(crate) async fn keep<P: Permission>(project: &mut InProject<'_, P>) -> Result<()> {
    sqlx::query!("select id from projects where id = $1 for key share", project.id.0)
        .fetch_one(project.core.sql())
        .await?;
    project.admit_again().await.map(drop)
}

/// Closes a project: it can be read, and nothing in it be written. What its reminders and comments still owe is cancelled in
/// the same transaction. A second time changes nothing.
///
/// # Errors
/// The database's.
pub async fn archive(project: &mut InProject<'_, ManageProject>) -> Result<Written<Project>> {
    let before = lock(project).await?;
    if before.archived_at.is_some() {
        return Ok(Written(before));
    }
    set_archived(project, true).await?;
    let tasks = deliveries::owing(project.core, project.id).await?;
    let owed = Cancel { tasks: &tasks, people: None, which: Which::Everything, reason: "project archived" };
    deliveries::cancel(project.core, owed).await?;
    audit::record(project.core, Event::new(Action::ProjectArchived).about(project.id)).await?;
    find(project.core, project.id).await?.map(Written).ok_or(Error::NotFound)
}

/// Opens it again; of what was cancelled, that which is still to come is planned anew. A second time changes nothing.
///
/// # Errors
/// The database's.
pub async fn unarchive(project: &mut InProject<'_, ManageProject>) -> Result<Written<Project>> {
    let before = lock(project).await?;
    if before.archived_at.is_none() {
        return Ok(Written(before));
    }
    set_archived(project, false).await?;
    audit::record(project.core, Event::new(Action::ProjectUnarchived).about(project.id)).await?;
    let tasks = reminders::in_project(project.core, project.id).await?;
    let planned = reminders::replan(project.core, &tasks, Whom::Everybody).await?;
    let project = find(project.core, project.id).await?.ok_or(Error::NotFound)?;
    Ok(planned.map(|_| project))
}

/// Deletes an archived project with everything in it, for good: tasks, comments, reminders, what was sent for them.
///
/// # Errors
/// `not_archived`, those of the precondition.
pub async fn destroy(project: &mut InProject<'_, ManageProject>, precondition: &Precondition) -> Result<Written<()>> {
    let before = lock(project).await?;
    precondition.check(before.version)?;
    if before.archived_at.is_none() {
        return Err(Error::Conflict { code: "not_archived", detail: "only an archived project can be deleted" });
    }
    let event = Event::new(Action::ProjectDeleted).about(project.id).before(told(&before));
    audit::record(project.core, event).await?;
    sqlx::query!("select erase_project($1)", project.id.0).execute(project.core.sql()).await?;
    Ok(Written(()))
}

async fn set_archived(project: &mut InProject<'_, ManageProject>, archived: bool) -> Result<()> {
    sqlx::query!(
        "update projects set archived_at = case when $2 then now() end, version = version + 1 where id = $1",
        project.id.0,
        archived,
    )
    .execute(project.core.sql())
    .await?;
    Ok(())
}
