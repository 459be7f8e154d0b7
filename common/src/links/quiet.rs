//! Fewer mails: none about a task, none about its project, none of a kind from an organization.

use deserr::Deserr;

use super::{Deed, Did, look::open};
use crate::{
    access::{Core, Delivered, ReadTasks, Scope, Written},
    audit::Origin,
    db::Db,
    error::{Error, Result},
    ids::ProjectId,
    input::Faults,
    mails::MailKind,
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
        (MailKind::Digest, _) => digest_off(scope.core()).await?,
        (MailKind::Comment, Some(task)) => mute_task(&mut scope, &TaskRef::Id(task.id)).await?,
        // Nobody hears of what they cannot see.
        (MailKind::Comment, None) => Written(Deed::Muted),
        _ => reminders_off(scope.core()).await?,
    };
    let deed = commit(scope, deed).await?;
    Ok(Did { about, deed })
}

async fn commit(scope: Scope<Delivered>, deed: Written<Deed>) -> Result<Deed> {
    Ok(scope.commit(deed).await?.into_inner())
}

async fn mute_task(scope: &mut Scope<Delivered>, task: &TaskRef) -> Result<Written<Deed>> {
    let (mut project, task) = tasks::find::<ReadTasks>(scope, task).await?;
    match watches::mute(&mut project, &task).await {
        Ok(muted) => Ok(muted.map(|_| Deed::Muted)),
        Err(Error::Conflict { code: "project_archived", .. }) => Ok(Written(Deed::Archived)),
        Err(fault) => Err(fault),
    }
}

async fn mute_project(scope: &mut Scope<Delivered>, task: &TaskRef) -> Result<Written<Deed>> {
    let (project, _) = tasks::find::<ReadTasks>(scope, task).await?;
    sqlx::query!(
        "insert into project_mutes (org_id, project_id, account_id) values (current_org(), $1, current_account())
         on conflict on constraint project_mutes_pkey do nothing",
        project.id.0,
    )
    .execute(project.core.sql())
    .await?;
    cancel(project.core, &["reminder", "comment"], Some(project.id), "project muted").await?;
    Ok(Written(Deed::ProjectMuted))
}

async fn reminders_off(core: &mut Core) -> Result<Written<Deed>> {
    sqlx::query!(
        "insert into notification_settings as n (org_id, account_id, reminders) values (current_org(), current_account(), false)
         on conflict on constraint notification_settings_pkey do update
             set reminders = false, version = n.version + 1, updated_at = now() where n.reminders"
    )
    .execute(core.sql())
    .await?;
    cancel(core, &["reminder"], None, "unsubscribed").await?;
    Ok(Written(Deed::RemindersOff))
}

async fn digest_off(core: &mut Core) -> Result<Written<Deed>> {
    sqlx::query!(
        "update notification_settings set digest_hour = null, digest_days = null, next_digest_at = null, version = version + 1,
                updated_at = now()
         where org_id = current_org() and account_id = current_account() and digest_hour is not null"
    )
    .execute(core.sql())
    .await?;
    cancel(core, &["digest"], None, "unsubscribed").await?;
    Ok(Written(Deed::DigestOff))
}

/// Cancels what the reader is still owed. The mails first: one that reaches `sending` in this moment is sent, and is not called
/// cancelled.
async fn cancel(core: &mut Core, kinds: &[&str], project: Option<ProjectId>, reason: &str) -> Result<()> {
    sqlx::query!(
        "with owed as (
             select d.id, d.mail_id from deliveries d left join tasks t on t.org_id = d.org_id and t.id = d.task_id
             where d.account_id = current_account() and d.kind = any($1) and d.cancelled_at is null
               and ($2::uuid is null or t.project_id = $2)
         ), waiting as (
             select m.id from mails m
             where m.id in (select mail_id from owed) and m.state in ('scheduled', 'retry', 'claimed')
             order by m.id for update
         ), cancelled as (
             update deliveries d set cancelled_at = now(), reason = $3 from waiting w, owed o
             where o.mail_id = w.id and d.id = o.id and d.cancelled_at is null
             returning d.id, d.mail_id
         )
         update mails m set state = 'cancelled', reason = $3, lease_until = null
         where m.id in (select mail_id from cancelled)
           and not exists (select from deliveries d where d.mail_id = m.id and d.cancelled_at is null
                           and d.id not in (select id from cancelled))",
        &kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>(),
        project.map(|project| project.0),
        reason,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}
