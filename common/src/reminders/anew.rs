//! Planning somebody's reminders anew, since they live by another clock or want something else than before.
//!
//! The change itself only asks for it, in its transaction (`replans`); a worker does it, and until then none of the person's reminders
//! goes out. What was sent is not sent again. What waits to be sent gets its new time, and if that has passed meanwhile it is due at once:
//! a change of clocks loses nobody's reminder.

use jiff::Timestamp;
use tracing::warn;
use uuid::Uuid;

use super::shares::{ALREADY_PAST, AWAY, Last, Share, to_look_at};
use crate::{
    access::{Core, Written},
    db::Db,
    deliveries,
    error::Result,
    ids::{AccountId, DeliveryId, OrgId, ProjectId, TaskId},
    mails::{self, Owed},
    notifications,
    text::RoleKey,
    time::When,
};

/// Asks for a person of the organization.
pub(crate) async fn ask(core: &mut Core, account: AccountId) -> Result<()> {
    // Not "do nothing": whoever plans them at this moment may have read how it was before, and is waited for
    // (`a_change_at_the_moment_of_planning_is_planned_once_more`).
    sqlx::query!(
        "insert into replans (org_id, account_id) values (current_org(), $1)
         on conflict on constraint replans_pkey do update set asked_at = clock_timestamp()",
        account.0,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// Asks for the caller, in all their organizations.
pub(crate) async fn ask_everywhere(core: &mut Core) -> Result<()> {
    sqlx::query!("select ask_replans()").execute(core.sql()).await?;
    Ok(())
}

/// Asks for every member who has no zone of their own.
pub(crate) async fn ask_who_follows_the_organization(core: &mut Core) -> Result<()> {
    sqlx::query!(
        "insert into replans (org_id, account_id)
         select m.org_id, m.account_id from memberships m join accounts a on a.id = m.account_id
         where m.org_id = current_org() and m.status = 'active' and a.time_zone is null order by m.account_id
         on conflict on constraint replans_pkey do update set asked_at = clock_timestamp()",
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// Asks for those whom something in a project tells, and who see it only since it is open. To be asked under the project's lock, which whoever
/// plans for one of them waits for, or has let go: nobody is waited for here who would wait for it.
pub(crate) async fn ask_who_see_it_now(core: &mut Core, project: ProjectId) -> Result<()> {
    sqlx::query!(
        "with told as (
             select m.org_id, m.account_id from memberships m
             where m.org_id = current_org() and m.status = 'active'
               and not exists (select from project_grants g where g.project_id = $1 and g.account_id = m.account_id)
               and m.account_id in (
                   select coalesce(r.account_id, s.account_id) from tasks t join reminders r on r.task_id = t.id and r.removed_at is null
                          left join task_assignees s on s.task_id = t.id and r.recipient = 'assignees'
                   where t.project_id = $1 and t.completed_at is null and t.deleted_at is null)
         ), again as (
             update replans set asked_at = clock_timestamp() where account_id in (
                 select r.account_id from replans r join told on told.account_id = r.account_id
                 where r.org_id = current_org() and r.again_after is not null for update of r skip locked)
         )
         insert into replans (org_id, account_id) select org_id, account_id from told order by account_id
         on conflict on constraint replans_pkey do nothing",
        project.0,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// Asks for whoever has a role of the organization's own.
pub(crate) async fn ask_who_have(core: &mut Core, role: &RoleKey) -> Result<()> {
    sqlx::query!(
        "select account_id from memberships where custom_role = $1 and status = 'active' order by account_id for no key update",
        role.as_str(),
    )
    .fetch_all(core.sql())
    .await?;
    sqlx::query!(
        "insert into replans (org_id, account_id)
         select org_id, account_id from memberships where custom_role = $1 and status = 'active' order by account_id
         on conflict on constraint replans_pkey do update set asked_at = clock_timestamp()",
        role.as_str(),
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// Plans anew for so many people at most who wait for it; gives how many were planned for the first time. Any number of workers may do it at once, and whoever
/// cannot be planned for stops nobody else.
///
/// # Errors
/// The database's; that of the last person for whom it failed.
pub async fn replan_asked(db: &Db, most: i64) -> Result<u64> {
    let turns = sqlx::query!(
        r#"select org_id as "org!: OrgId", account_id as "account!: AccountId" from replans_waiting($1)"#,
        most
    )
    .fetch_all(&db.pool)
    .await?;
    let (mut done, mut failed) = (0, None);
    for turn in turns {
        match one(db, turn.org, turn.account).await {
            Ok(planned) => done += u64::from(planned),
            Err(fault) => {
                warn!(org = %turn.org, account = %turn.account, fault = fault.story(), "somebody's reminders could not be planned anew");
                failed = Some(after_the_others(db, turn.org, turn.account).await.err().unwrap_or(fault));
            }
        }
    }
    failed.map_or(Ok(done), Err)
}

/// Whoever cannot be planned for is tried again when those who wait have had their turn (`whoever_cannot_be_planned_for_stops_nobody_else`).
async fn after_the_others(db: &Db, org: OrgId, account: AccountId) -> Result<()> {
    let mut scope = db.for_job(Some(org), None).await?;
    sqlx::query!(
        "update replans set asked_at = clock_timestamp() where org_id = current_org() and account_id = $1",
        account.0
    )
    .execute(scope.sql())
    .await?;
    scope.commit(Written(())).await?;
    Ok(())
}

async fn one(db: &Db, org: OrgId, account: AccountId) -> Result<bool> {
    let mut scope = db.for_job(Some(org), None).await?;
    let core = scope.core();
    let tasks = sqlx::query_scalar!("select take_replan($1)", account.0).fetch_one(core.sql()).await?;
    let Some(tasks) = tasks else { return Ok(false) };
    let tasks: Vec<TaskId> = tasks.into_iter().map(TaskId).collect();
    let planned = plan(core, account, &tasks).await?;
    notifications::set_clock(core, account).await?;
    let first = looked_at(core, account).await?;
    scope.commit(planned).await?;
    Ok(first)
}

/// Whoever was looked at for the first time is looked at once more when all is over that is being written now, and may know only how it was
/// before (`what_was_being_written_when_somebodys_clock_changed_follows_it`). Gives whether it was the first time.
async fn looked_at(core: &mut Core, account: AccountId) -> Result<bool> {
    let first = sqlx::query_scalar!(
        r#"with again as (delete from replans where account_id = $1 and again_after is not null),
                first as (update replans set again_after = pg_snapshot_xmax(pg_current_snapshot())
                          where account_id = $1 and again_after is null returning 1)
           select exists (select from first) as "first!""#,
        account.0,
    )
    .fetch_one(core.sql())
    .await?;
    Ok(first)
}

/// What becomes of a share.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    /// It stays as it is.
    None,
    /// It is owed, as nothing was.
    Owe(Timestamp),
    /// It is taken back, for this reason.
    Cancel(&'static str),
    /// It has another time.
    Move(Timestamp),
}

/// What it was up to now.
enum Standing<'a> {
    /// Nothing, or taken back for a reason that may hold no longer.
    Unowed,
    /// It waits to be sent.
    Waits(&'a Last),
    /// It was sent, is on its way, or was taken back for good.
    Settled,
}

impl Share {
    fn standing(&self) -> Standing<'_> {
        let Some(last) = &self.last else { return Standing::Unowed };
        match last.share.state.as_str() {
            "scheduled" | "retry" | "claimed" if !last.frozen => Standing::Waits(last),
            "cancelled" if last.share.reason.as_deref().is_some_and(|reason| WITHHELD.contains(&reason)) => {
                Standing::Unowed
            }
            // Of another due value than today's: the task has come round, or has been put off, while nothing was wanted of it.
            _ if matches!(self.when, When::Offset { .. })
                && last.due_value.is_some()
                && last.due_value != self.due_value() =>
            {
                Standing::Unowed
            }
            _ => Standing::Settled,
        }
    }

    fn change(&self, now: Timestamp) -> Change {
        let planned = self.planned(now);
        match (self.standing(), planned.skipped, planned.due_at) {
            (Standing::Unowed, None, Some(due_at)) => Change::Owe(due_at),
            (Standing::Waits(last), skipped, Some(due_at))
                if skipped.is_none_or(|why| why == ALREADY_PAST || AWAY.contains(&why)) =>
            {
                // The last moment asks once more whether they may see it. Until then they may be let in again
                // (tests/worker/sight.rs: `whoever_may_not_see_a_task_for_a_while_is_told_of_it_if_they_may_when_it_is_time`).
                // What is late already is being sent as soon as can be.
                let stays = due_at == last.share.due_at || due_at.max(last.share.due_at) <= now;
                if stays { Change::None } else { Change::Move(due_at.max(now)) }
            }
            (Standing::Waits(_), Some(why), _) => Change::Cancel(why),
            _ => Change::None,
        }
    }
}

/// The reason of a delivery that has got another time.
const PLANNED_ANEW: &str = "planned anew";

/// What was taken back for one of these is owed again where the reason holds no longer: it was not wanted, or could not be seen; or has a
/// change behind it after which all are planned for who see it and want it, and may be neither at that moment.
const WITHHELD: [&str; 17] = [
    "muted",
    "project muted",
    "unsubscribed",
    PLANNED_ANEW,
    "cannot see the project",
    "the recipient cannot see the project any more",
    "organization deleted",
    "the organization is being deleted",
    "member suspended",
    "member removed",
    "member left",
    "unassigned",
    "due changed",
    "task moved",
    "task completed",
    "task deleted",
    "project archived",
];

async fn plan(core: &mut Core, account: AccountId, tasks: &[TaskId]) -> Result<Written<()>> {
    let (now, shares) = to_look_at(core, tasks, Some(account)).await?;
    let changes: Vec<(&Share, Change)> = shares.iter().map(|share| (share, share.change(now))).collect();
    let taken_back = changes.iter().filter_map(|(share, change)| {
        let delivery = share.last.as_ref()?.share.delivery_id;
        match change {
            Change::Cancel(why) => Some((delivery, why.replace('_', " "))),
            Change::Move(_) => Some((delivery, PLANNED_ANEW.to_owned())),
            Change::None | Change::Owe(_) => None,
        }
    });
    let taken_back: Vec<(DeliveryId, String)> = taken_back.collect();
    // What went out at this moment is not owed a second time.
    let cancelled = deliveries::cancel_these(core, &taken_back).await?;
    let is_cancelled = |share: &Share| share.last.as_ref().is_some_and(|l| cancelled.contains(&l.share.delivery_id));
    let new: Vec<(&Share, Timestamp)> = changes
        .iter()
        .filter_map(|(share, change)| match change {
            Change::Owe(at) => Some((*share, *at)),
            Change::Move(at) if is_cancelled(share) => Some((*share, *at)),
            _ => None,
        })
        .collect();
    if new.is_empty() {
        return Ok(Written(()));
    }
    let concerned: Vec<Uuid> = new.iter().map(|(share, _)| share.task.0).collect();
    let generations = sqlx::query!(
        r#"update tasks set generation = generation + 1 where id = any($1) returning id as "id: TaskId", generation"#,
        &concerned,
    )
    .fetch_all(core.sql())
    .await?;
    let generation = |share: &Share| {
        generations.iter().find(|row| row.id == share.task).map_or(share.generation, |row| row.generation)
    };
    let owed: Vec<Owed> = new.iter().map(|(share, at)| share.owed(DeliveryId::new(), *at, generation(share))).collect();
    mails::owe(core, &owed).await
}
