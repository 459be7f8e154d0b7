//! No mail of a whole project.

use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::change::lock;
use crate::{
    access::{Implies, InProject, Permission, ReadTasks, Scope, Written},
    deliveries,
    error::Result,
    ids::{AccountId, ProjectId, TaskId},
    mails::MailKind,
    reminders,
    shown::shown,
};

/// Whether the caller wants mail of a project.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Muted {
    /// No mail at all, reminders included.
    pub muted: bool,
}

shown!(Muted);

/// Something of which somebody wants no mail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mute {
    /// The project, or the task's.
    pub project_id: ProjectId,
    /// The task; null if it is the whole project.
    pub task_id: Option<TaskId>,
    /// The project's name, or the task's title.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
}

shown!(Mute);

/// What the caller has muted, of that which they see; newest first.
///
/// # Errors
/// The database's.
pub async fn list(scope: &mut Scope<ReadTasks>) -> Result<Vec<Mute>> {
    let mutes = sqlx::query_as!(
        Mute,
        r#"with visible as materialized (select id, name from projects where permissions_in(id, visibility) & $1 <> 0)
           select p.id as "project_id!: ProjectId", null::uuid as "task_id: TaskId", p.name as "name!", q.since as "since!"
           from project_mutes q join visible p on p.id = q.project_id where q.account_id = current_account()
           union all
           select p.id, t.id, t.title, w.since
           from task_watches w join tasks t on t.id = w.task_id and t.deleted_at is null join visible p on p.id = t.project_id
           where w.account_id = current_account() and w.state = 'muted'
           order by 4 desc, 1, 2"#,
        ReadTasks::BITS,
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(mutes)
}

/// Wants no mail of a project: what the caller is still owed of it is cancelled in the same transaction. A second time changes nothing.
///
/// # Errors
/// `project_archived`.
pub async fn mute(project: &mut InProject<'_, impl Implies<ReadTasks>>) -> Result<Written<Muted>> {
    project.in_use()?;
    let id = project.id;
    let core = &mut *project.core;
    let caller = sqlx::query_scalar!(r#"select current_account() as "id!: AccountId""#).fetch_one(core.sql()).await?;
    lock(core, caller).await?;
    sqlx::query!(
        "insert into project_mutes (org_id, project_id, account_id) values (current_org(), $1, $2)
         on conflict on constraint project_mutes_pkey do nothing",
        id.0,
        caller.0,
    )
    .execute(core.sql())
    .await?;
    for kind in [MailKind::Reminder, MailKind::Comment] {
        deliveries::cancel_kind(core, caller, kind, Some(id), "project muted").await?;
    }
    Ok(Written(Muted { muted: true }))
}

/// Wants mail again; of what was cancelled, the reminders that are still to come are planned anew. A second time changes nothing.
///
/// # Errors
/// `project_archived`.
pub async fn unmute(project: &mut InProject<'_, impl Implies<ReadTasks>>) -> Result<Written<()>> {
    project.in_use()?;
    let id = project.id;
    let core = &mut *project.core;
    let caller = sqlx::query_scalar!(r#"select current_account() as "id!: AccountId""#).fetch_one(core.sql()).await?;
    lock(core, caller).await?;
    let gone = sqlx::query!("delete from project_mutes where project_id = $1 and account_id = $2", id.0, caller.0)
        .execute(core.sql())
        .await?;
    if gone.rows_affected() > 0 {
        reminders::ask(core, caller).await?;
    }
    Ok(Written(()))
}
