//! Fewer mails: none about a task, none about its project, none of a kind from an organization.

use deserr::Deserr;

use super::{Deed, Did, look::open};
use crate::{
    access::{Core, Delivered, ReadTasks, Scope, Written},
    audit::Origin,
    db::Db,
    error::{Error, Result},
    input::{Faults, Given, Patch},
    mails::MailKind,
    notifications::{self, SettingsChanges},
    precondition::Precondition,
    secrets::Token,
    tasks::{self, TaskRef},
    watches,
};

/// Of what the reader wants no mail.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Mute {
    /// `task` or `project`.
    pub what: Muted,
}

/// What is muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserr)]
#[deserr(error = Faults, rename_all = lowercase)]
pub enum Muted {
    /// The task.
    Task,
    /// Every task of its project.
    Project,
}

/// Wants no mail about the task, or its project: what is still owed is cancelled.
///
/// # Errors
/// [`Error::NotFound`] as [`super::look`].
pub async fn mute(db: &Db, token: &Token, mute: &Mute, origin: &Origin) -> Result<Did> {
    let (mut scope, about) = open(db, token, origin).await?;
    let Some(task) = &about.task else { return Ok(Did { about, deed: Deed::Unseen }) };
    let deed = match mute.what {
        Muted::Task => mute_task(&mut scope, &TaskRef::Id(task.id)).await?,
        Muted::Project => mute_project(&mut scope, &TaskRef::Id(task.id)).await?,
    };
    let deed = commit(scope, deed).await?;
    Ok(Did { about, deed })
}

/// Wants no more of what the mail was: no reminders from the organization, no digests, or, of a comment, no mail about its task.
///
/// # Errors
/// [`Error::NotFound`] as [`super::look`].
pub async fn unsubscribe(db: &Db, token: &Token, origin: &Origin) -> Result<Did> {
    let (mut scope, about) = open(db, token, origin).await?;
    let deed = match (about.kind, &about.task) {
        (MailKind::Digest, _) => {
            let none = SettingsChanges { digest: Patch::Clear, ..SettingsChanges::default() };
            no_more(scope.core(), none, Deed::DigestOff).await?
        }
        (MailKind::Comment, Some(task)) => mute_task(&mut scope, &TaskRef::Id(task.id)).await?,
        // Nobody hears of what they cannot see.
        (MailKind::Comment, None) => Written(Deed::Muted),
        _ => {
            let none = SettingsChanges { reminders: Given(Some(false)), ..SettingsChanges::default() };
            no_more(scope.core(), none, Deed::RemindersOff).await?
        }
    };
    let deed = commit(scope, deed).await?;
    Ok(Did { about, deed })
}

async fn commit(scope: Scope<Delivered>, deed: Written<Deed>) -> Result<Deed> {
    Ok(scope.commit(deed).await?.into_inner())
}

async fn mute_task(scope: &mut Scope<Delivered>, task: &TaskRef) -> Result<Written<Deed>> {
    let (mut project, task) = tasks::find::<ReadTasks>(scope, task).await?;
    archived_or(watches::mute(&mut project, &task).await, Deed::Muted)
}

async fn mute_project(scope: &mut Scope<Delivered>, task: &TaskRef) -> Result<Written<Deed>> {
    let (mut project, _) = tasks::find::<ReadTasks>(scope, task).await?;
    archived_or(notifications::mute(&mut project).await, Deed::ProjectMuted)
}

/// Nothing is muted in a project in which nothing happens.
fn archived_or<T>(muted: Result<Written<T>>, deed: Deed) -> Result<Written<Deed>> {
    match muted {
        Ok(muted) => Ok(muted.map(|_| deed)),
        Err(Error::Conflict { code: "project_archived", .. }) => Ok(Written(Deed::Archived)),
        Err(fault) => Err(fault),
    }
}

async fn no_more(core: &mut Core, changes: SettingsChanges, deed: Deed) -> Result<Written<Deed>> {
    let settings = notifications::apply(core, &Precondition::Any, changes).await?;
    Ok(settings.map(|_| deed))
}
