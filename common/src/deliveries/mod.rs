//! Deliveries: what one person is owed, and what became of it. This is the answer to "where did my reminder go?".

mod list;
pub(crate) mod snooze;

use jiff_sqlx::Timestamp;
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

pub use list::{DeliveryFilter, list};
pub(crate) use snooze::forget_snoozes;
pub use snooze::{Snooze, Until, snooze};

use crate::{
    access::{Core, ManageProject, Permission, ReadDeliveries, ReadTasks, Scope},
    error::{Error, Result},
    ids::{AccountId, CommentId, DeliveryId, MailId, ProjectId, ReminderId, TaskId},
    mails::{MailKind, MailState, Phase},
    shown::shown,
};

/// What one person is owed.
#[derive(Clone, Debug, Serialize, FromRow, ToSchema)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What it is.
    #[schema(value_type = MailKind)]
    pub kind: String,
    /// The state of its mail, or `cancelled` if it alone was.
    #[schema(value_type = MailState)]
    pub state: String,
    /// Why it is in this state, where there is something to say.
    pub reason: Option<String>,
    /// Who is owed; null for an invitation.
    pub account_id: Option<AccountId>,
    /// The task it is about.
    pub task_id: Option<TaskId>,
    /// When it should be sent.
    pub due_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: i32,
}

/// A delivery with its whole story.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryLog {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// Each step of its mail, in order.
    pub steps: Vec<Step>,
    /// Each try, with the mail server's last reply.
    pub tries: Vec<Try>,
}

shown!(DeliveryLog);

/// One step of a mail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Step {
    /// When, by the database's clock.
    pub at: Timestamp,
    /// From which state.
    #[schema(value_type = MailState)]
    pub from: String,
    /// To which.
    #[schema(value_type = MailState)]
    pub to: String,
    /// Why, where there is something to say.
    pub reason: Option<String>,
}

/// One try to send a mail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Try {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Which worker.
    pub worker: String,
    /// How far it came.
    #[schema(value_type = Phase)]
    pub phase: String,
    /// What the mail server said last.
    pub reply: Option<String>,
    /// The state it led to.
    #[schema(value_type = MailState)]
    pub outcome: String,
}

/// One delivery with its story.
///
/// # Errors
/// [`Error::NotFound`] when it is not for the caller's eyes.
pub async fn show(scope: &mut Scope<impl Permission>, id: DeliveryId) -> Result<DeliveryLog> {
    let row = sqlx::query!(
        r#"select d.id as "id: DeliveryId", d.kind, case when d.cancelled_at is null or m.state = 'sent' and d.cancelled_at > m.frozen_at then m.state
                  else 'cancelled' end as "state!",
                  case when a.shown then coalesce(d.reason, m.reason) else without_addresses(coalesce(d.reason, m.reason)) end as reason,
                  d.account_id as "account_id: AccountId", d.task_id as "task_id: TaskId",
                  d.due_at, m.sent_at, m.attempts, m.id as "mail_id: MailId", a.shown as "addresses!"
           from deliveries d cross join lateral (select d.account_id is not distinct from current_account() or has_permission($1)) a (shown)
                join mails m on m.id = d.mail_id
                left join tasks t on t.org_id = d.org_id and t.id = d.task_id
                left join projects p on p.org_id = t.org_id and p.id = t.project_id
           where d.id = $3
             and (d.account_id = current_account() and current_scopes() & $2 <> 0
                  or permissions_in(p.id, p.visibility) & $4 <> 0
                  or (has_permission($1) and (p.id is null or permissions_in(p.id, p.visibility) & $2 <> 0)))"#,
        ReadDeliveries::BITS,
        ReadTasks::BITS,
        id.0,
        ManageProject::BITS,
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    let steps = sqlx::query_as!(
        Step,
        r#"select at, from_state as "from", to_state as "to", case when $2 then reason else without_addresses(reason) end as reason
           from mail_steps where mail_id = $1 order by step"#,
        row.mail_id.0,
        row.addresses,
    )
    .fetch_all(scope.sql())
    .await?;
    let tries = sqlx::query_as!(
        Try,
        r#"select started_at, ended_at, worker, phase, case when $2 then reply else without_addresses(reply) end as reply, outcome
           from attempts where mail_id = $1 order by fence"#,
        row.mail_id.0,
        row.addresses,
    )
    .fetch_all(scope.sql())
    .await?;
    let delivery = Delivery {
        id: row.id,
        kind: row.kind,
        state: row.state,
        reason: row.reason,
        account_id: row.account_id,
        task_id: row.task_id,
        due_at: row.due_at,
        sent_at: row.sent_at,
        attempts: row.attempts,
    };
    Ok(DeliveryLog { delivery, steps, tries })
}

/// What is taken back of what tasks still owe, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cancel<'a> {
    pub(crate) tasks: &'a [TaskId],
    /// Whose; everybody's.
    pub(crate) people: Option<&'a [AccountId]>,
    pub(crate) which: Which,
    /// `due changed`, `task completed`, `task deleted`, `unassigned`, `project archived`, `muted`, …
    pub(crate) reason: &'static str,
}

/// Which deliveries: of their reminders, but for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Every one, the mails about their comments too.
    Everything,
    /// Every one.
    All,
    /// Every one whose mail is not on its way.
    Waiting,
    /// Those that count from the due value.
    Offsets,
    /// Those of whoever the task is assigned to, put off or not.
    OfAssignees,
    /// Those that were put off.
    Snoozes,
    /// Those of one reminder.
    One(ReminderId),
    /// One alone.
    Delivery(DeliveryId),
}

/// Cancels what is still owed, with the reason; a mail that no delivery needs any more is cancelled with it.
/// The mails are locked first: one that reaches `sending` in this moment is sent, and is not called cancelled. What it tells of
/// is cancelled all the same, since its fate may turn out unknown, and nobody is owed the repeat (tests/loss/edits.rs:
/// `what_was_moved_while_it_was_being_sent_is_not_sent_again`).
pub(crate) async fn cancel(core: &mut Core, what: Cancel<'_>) -> Result<()> {
    let one = if let Which::One(id) = what.which { Some(id.0) } else { None };
    let delivery = if let Which::Delivery(id) = what.which { Some(id.0) } else { None };
    sqlx::query!(
        r#"with owed as (
             select d.id, d.mail_id from deliveries d left join reminders r on r.org_id = d.org_id and r.id = d.reminder_id
             where d.task_id = any($1) and (d.kind = 'reminder' or $8 and d.kind = 'comment') and d.cancelled_at is null
               and ($3::uuid[] is null or d.account_id = any($3)) and ($4::uuid is null or r.id = $4)
               and (not $5 or r."offset" is not null) and (not $6 or r.recipient = 'assignees' or r.of_assignees)
               and ($7::uuid is null or d.id = $7) and (not $9 or r.snooze)
         ), waiting as (
             select m.id from mails m
             where m.id in (select mail_id from owed) and m.state in ('scheduled', 'retry', 'claimed', 'sending', 'uncertain')
               and (not $10 or m.state not in ('sending', 'uncertain'))
             order by m.id for update
         ), cancelled as (
             update deliveries d set cancelled_at = clock_timestamp(), reason = $2 from waiting w, owed o
             where o.mail_id = w.id and d.id = o.id and d.cancelled_at is null
             returning d.id, d.mail_id
         )
         update mails m set state = 'cancelled', reason = $2, lease_until = null
         where m.id in (select mail_id from cancelled) and m.state <> 'sending'
           and not exists (select from deliveries d where d.mail_id = m.id and d.cancelled_at is null
                           and d.id not in (select id from cancelled))"#,
        &what.tasks.iter().map(|task| task.0).collect::<Vec<Uuid>>(),
        what.reason,
        what.people.map(|people| people.iter().map(|account| account.0).collect::<Vec<Uuid>>()) as _,
        one,
        what.which == Which::Offsets,
        what.which == Which::OfAssignees,
        delivery,
        what.which == Which::Everything,
        what.which == Which::Snoozes,
        what.which == Which::Waiting,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// The tasks of a project that still owe something.
pub(crate) async fn owing(core: &mut Core, project: ProjectId) -> Result<Vec<TaskId>> {
    let tasks = sqlx::query_scalar!(
        r#"select t.id as "id: TaskId" from tasks t where t.project_id = $1 and exists (
               select from deliveries d join mails m on m.id = d.mail_id
               where d.task_id = t.id and d.cancelled_at is null
                 and m.state in ('scheduled', 'retry', 'claimed', 'sending', 'uncertain'))"#,
        project.0,
    )
    .fetch_all(core.sql())
    .await?;
    Ok(tasks)
}

/// Cancels these, each for its reason, where they are not on their way yet; gives those that were.
pub(crate) async fn cancel_these(core: &mut Core, what: &[(DeliveryId, String)]) -> Result<Vec<DeliveryId>> {
    if what.is_empty() {
        return Ok(Vec::new());
    }
    let cancelled = sqlx::query_scalar!(
        r#"select cancel_deliveries($1, $2, false) as "id!: DeliveryId""#,
        &what.iter().map(|(id, _)| id.0).collect::<Vec<Uuid>>(),
        &what.iter().map(|(_, reason)| reason.clone()).collect::<Vec<String>>(),
    );
    Ok(cancelled.fetch_all(core.sql()).await?)
}

/// Cancels what somebody is owed of one kind; of one project only, if it is given.
pub(crate) async fn cancel_kind(
    core: &mut Core,
    account: AccountId,
    kind: MailKind,
    project: Option<ProjectId>,
    reason: &str,
) -> Result<()> {
    sqlx::query!(
        "select cancel_deliveries(array_agg(d.id), array_agg($4::text), true) as id
         from deliveries d join mails m on m.id = d.mail_id
         where d.account_id = $1 and d.kind = $2 and d.cancelled_at is null
           and m.state in ('scheduled', 'retry', 'claimed', 'sending', 'uncertain')
           and ($3::uuid is null or d.task_id in (select t.id from tasks t where t.project_id = $3))",
        account.0,
        kind.as_str(),
        project.map(|project| project.0),
        reason,
    )
    .fetch_all(core.sql())
    .await?;
    Ok(())
}

/// The same for the mails about a comment.
pub(crate) async fn cancel_for_comment(core: &mut Core, comment: CommentId, reason: &str) -> Result<()> {
    sqlx::query!(
        "with waiting as (
             select m.id from mails m
             where m.id in (select d.mail_id from deliveries d where d.comment_id = $1 and d.cancelled_at is null)
               and m.state in ('scheduled', 'retry', 'claimed')
             order by m.id for update
         ), cancelled as (
             update deliveries d set cancelled_at = now(), reason = $2 from waiting w
             where d.mail_id = w.id and d.comment_id = $1 and d.cancelled_at is null
             returning d.id, d.mail_id
         )
         update mails m set state = 'cancelled', reason = $2, lease_until = null
         where m.id in (select mail_id from cancelled)
           and not exists (select from deliveries d where d.mail_id = m.id and d.cancelled_at is null
                           and d.id not in (select id from cancelled))",
        comment.0,
        reason,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}
