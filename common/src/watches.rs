//! Who wants to hear of a task, and who of no mail about it at all. It is everybody's own, and needs no more than to see it.
//!
//! What a task tells its reader is read from here:
//! `(select w.state from task_watches w where w.task_id = t.id and w.account_id = current_account())`.

use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::{Core, Implies, InProject, Permission, ReadTasks, Written},
    deliveries::{self, Cancel, Which},
    error::Result,
    ids::{AccountId, TaskId},
    memberships,
    reminders::{self, Whom},
    shown::shown,
    tasks::{self, Task, TaskRef},
};

/// What the caller wants to hear of a task.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Attention {
    /// Mail when somebody says something.
    pub watching: bool,
    /// No mail at all, reminders included.
    pub muted: bool,
}

shown!(Attention);

/// Somebody who watches a task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Watcher {
    /// Who.
    pub account_id: AccountId,
    /// Since when.
    pub since: Timestamp,
}

shown!(Watcher);

/// Those who watch a task and can see it.
///
/// # Errors
/// The database's.
pub async fn list(project: &mut InProject<'_, impl Implies<ReadTasks>>, task: &Task) -> Result<Vec<Watcher>> {
    let watchers = sqlx::query_as!(
        Watcher,
        r#"select w.account_id as "account_id: AccountId", w.since
           from task_watches w join projects p on p.id = $2
           where w.task_id = $1 and w.state = 'watching' and permissions_of(w.account_id, p.id, p.visibility) & $3 <> 0
           order by w.since, w.account_id"#,
        task.id.0,
        project.id.0,
        ReadTasks::BITS,
    )
    .fetch_all(project.core.sql())
    .await?;
    Ok(watchers)
}

/// Who takes part in a task watches it from now on: by saying something, by being mentioned, by being assigned. Who has muted
/// it has said what they want.
pub(crate) async fn begin(core: &mut Core, task: TaskId, people: &[AccountId]) -> Result<()> {
    sqlx::query!(
        // In one order: two who mention each other never wait for each other.
        "insert into task_watches (org_id, task_id, account_id, state)
         select current_org(), $1, account, 'watching' from (select distinct account from unnest($2::uuid[]) account order by 1) new
         on conflict on constraint task_watches_pkey do nothing",
        task.0,
        people as _,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// Watches a task; it is no longer muted.
///
/// # Errors
/// `project_archived`.
pub async fn watch(project: &mut InProject<'_, impl Implies<ReadTasks>>, task: &Task) -> Result<Written<Attention>> {
    lock(project, task).await?;
    let before = set(project, task, "watching").await?;
    let planned = heard_again(project.core, task.id, before).await?;
    Ok(planned.map(|()| Attention { watching: true, muted: false }))
}

/// Watches it no longer. A second time changes nothing, nor does it change that it is muted.
///
/// # Errors
/// `project_archived`.
pub async fn unwatch(project: &mut InProject<'_, impl Implies<ReadTasks>>, task: &Task) -> Result<Written<()>> {
    clear(project, task, "watching").await.map(|_| Written(()))
}

/// Wants no mail about a task: what the caller is still owed of it is cancelled in the same transaction.
///
/// # Errors
/// `project_archived`.
pub async fn mute(project: &mut InProject<'_, impl Implies<ReadTasks>>, task: &Task) -> Result<Written<Attention>> {
    let caller = set(project, task, "muted").await?.caller;
    let owed = Cancel { tasks: &[task.id], people: Some(&[caller]), which: Which::Everything, reason: "muted" };
    deliveries::cancel(project.core, owed).await?;
    Ok(Written(Attention { watching: false, muted: true }))
}

/// Wants mail again; of what was cancelled, that which is still to come is planned anew. A second time changes nothing.
///
/// # Errors
/// `project_archived`.
pub async fn unmute(project: &mut InProject<'_, impl Implies<ReadTasks>>, task: &Task) -> Result<Written<()>> {
    lock(project, task).await?;
    let before = clear(project, task, "muted").await?;
    heard_again(project.core, task.id, before).await
}

/// Locks the task and keeps all whom its reminders tell, before anything is written, so that what is planned then counts from how the task
/// is then: somebody may change it at this moment (`tests/api/task_races.rs`:
/// `whoever_hears_again_of_a_task_that_is_put_off_at_that_moment_is_told_at_its_new_time`).
async fn lock(project: &mut InProject<'_, impl Permission>, task: &Task) -> Result<()> {
    project.in_use()?;
    memberships::keep_told(project.core, Some(&TaskRef::Id(task.id)), []).await?;
    tasks::lock_live::<ReadTasks>(project.core, &TaskRef::Id(task.id)).await.map(drop)
}

/// How it was.
struct Before {
    caller: AccountId,
    muted: bool,
}

async fn set(project: &mut InProject<'_, impl Permission>, task: &Task, state: &str) -> Result<Before> {
    project.in_use()?;
    let before = sqlx::query_as!(
        Before,
        r#"with before as (select state from task_watches where task_id = $1 and account_id = current_account()),
                now as (
                    insert into task_watches as w (org_id, task_id, account_id, state) values (current_org(), $1, current_account(), $2)
                    on conflict on constraint task_watches_pkey do update set state = excluded.state, since = now()
                    where w.state <> excluded.state)
           select current_account() as "caller!: AccountId", coalesce((select state from before), '') = 'muted' as "muted!""#,
        task.id.0,
        state,
    )
    .fetch_one(project.core.sql())
    .await?;
    Ok(before)
}

async fn clear(project: &mut InProject<'_, impl Permission>, task: &Task, state: &str) -> Result<Before> {
    project.in_use()?;
    let before = sqlx::query_as!(
        Before,
        r#"with cleared as (
               delete from task_watches where task_id = $1 and account_id = current_account() and state = $2 returning state)
           select current_account() as "caller!: AccountId", exists (select from cleared where state = 'muted') as "muted!""#,
        task.id.0,
        state,
    )
    .fetch_one(project.core.sql())
    .await?;
    Ok(before)
}

/// Plans anew what somebody did not want to hear.
async fn heard_again(core: &mut Core, task: TaskId, before: Before) -> Result<Written<()>> {
    if !before.muted {
        return Ok(Written(()));
    }
    Ok(reminders::replan(core, &[task], Whom::One(before.caller)).await?.map(drop))
}
