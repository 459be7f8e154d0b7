//! No mail of a whole project.

use serde::Serialize;
use utoipa::ToSchema;

use super::change::lock;
use crate::{
    access::{Implies, InProject, ReadTasks, Written},
    deliveries,
    error::Result,
    ids::AccountId,
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
