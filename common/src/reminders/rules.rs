//! The rules of one task: to look at, to add one, to take one away.

use jiff_sqlx::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NewReminder, Recipient, ReminderPlan, plan::create};
use crate::{
    access::{Implies, InProject, Permission, ReadTasks, WriteTasks, Written},
    deliveries::{self, Cancel, Which},
    error::{Error, Result},
    ids::{AccountId, DeliveryId, ReminderId},
    input::Faults,
    mails::MailState,
    quotas::Quota,
    shown::shown,
    tasks::{self, Task},
    time::{SkipAfter, When, WhenColumns},
};

/// A rule: when somebody is told of a task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reminder {
    /// Its id.
    pub id: ReminderId,
    /// When.
    pub when: When,
    /// How late it is still of use; null: twelve hours.
    pub skip_after: Option<SkipAfter>,
    /// Who is told; null: whoever the task is assigned to.
    pub account_id: Option<AccountId>,
    /// Who asked for it.
    pub created_by: AccountId,
    /// Since when.
    pub created_at: Timestamp,
    /// What it owes now, and what became of that.
    pub deliveries: Vec<Share>,
}

/// What somebody is owed by a reminder.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// Who.
    pub account_id: AccountId,
    /// What.
    pub delivery_id: DeliveryId,
    /// When.
    pub due_at: jiff::Timestamp,
    /// As in the delivery.
    #[schema(value_type = MailState)]
    pub state: String,
    /// Why, where there is something to say.
    pub reason: Option<String>,
}

shown!(ReminderPlan);

/// The reminders of a task, oldest first, each with what it owes since it was last planned.
///
/// # Errors
/// The database's.
pub async fn list(project: &mut InProject<'_, impl Implies<ReadTasks>>, task: &Task) -> Result<Vec<Reminder>> {
    let rows = sqlx::query!(
        r#"select r.id as "id: ReminderId", r."offset", r.local_time, r.time_zone, r.at, r.skip_after, r.account_id as "account_id: AccountId",
                  r.created_by as "created_by: AccountId", r.created_at,
                  coalesce((select jsonb_agg(jsonb_build_object('account_id', d.account_id, 'delivery_id', d.id, 'due_at', d.due_at,
                                      'state', case when d.cancelled_at is null or m.state = 'sent' and d.cancelled_at > m.frozen_at
                                                    then m.state else 'cancelled' end,
                                      'reason', coalesce(d.reason, m.reason)) order by d.account_id)
                            from (select distinct on (l.account_id) l.* from deliveries l where l.task_id = $1 and l.reminder_id = r.id
                                  order by l.account_id, l.generation desc) d
                            join mails m on m.id = d.mail_id), '[]') as "deliveries!: sqlx::types::Json<Vec<Share>>"
           from reminders r where r.task_id = $1 and r.removed_at is null order by r.id"#,
        task.id.0,
    )
    .fetch_all(project.core.sql())
    .await?;
    let reminders = rows.into_iter().filter_map(|row| {
        let when = WhenColumns { offset: row.offset, local: row.local_time, zone: row.time_zone, at: row.at }.when()?;
        Some(Reminder {
            id: row.id,
            when,
            skip_after: row.skip_after.and_then(|text| text.parse().ok()),
            account_id: row.account_id,
            created_by: row.created_by,
            created_at: row.created_at,
            deliveries: row.deliveries.0,
        })
    });
    Ok(reminders.collect())
}

/// Adds one. Whoever sees a task may be reminded of it themselves; to remind others is to write it.
///
/// # Errors
/// [`Error::Forbidden`], `offset_without_due`, `out_of_range`, `not_a_member`, [`Error::Quota`], `project_archived`.
pub async fn add(
    project: &mut InProject<'_, impl Implies<ReadTasks>>,
    task: &Task,
    new: NewReminder,
) -> Result<Written<ReminderPlan>> {
    project.in_use()?;
    let caller = caller(project).await?;
    if !matches!(new.to, Recipient::Me) && new.to != Recipient::Account(caller) {
        may_write(project)?;
    }
    let faults = super::check(std::slice::from_ref(&new), task.due.as_ref());
    if let Some(fault) = faults.into_iter().next() {
        // The body is the reminder itself.
        return Err(Faults(vec![crate::input::FieldFault { pointer: "/when".into(), ..fault }]).into());
    }
    let core = &mut *project.core;
    let told = match new.to {
        Recipient::Account(account) => account,
        Recipient::Me | Recipient::Assignees => caller,
    };
    crate::memberships::keep_told(core, Some(&tasks::TaskRef::Id(task.id)), [told]).await?;
    // Counted under the task's lock, and by a statement that begins when it is held: two at once would each count without the
    // other (tests/api/task_reminders.rs: `a_task_has_so_many_reminders_and_no_more`).
    let kept = sqlx::query!("select id from tasks where id = $1 and deleted_at is null for no key update", task.id.0)
        .fetch_optional(core.sql())
        .await?;
    if kept.is_none() {
        return Err(tasks::gone::<ReadTasks>(core, task.id).await);
    }
    let there = sqlx::query_scalar!(
        r#"select count(*) as "there!" from reminders where task_id = $1 and removed_at is null and not snooze"#,
        task.id.0,
    )
    .fetch_one(core.sql())
    .await?;
    core.db.quotas.admit(Quota::Reminders, there + 1)?;
    let written = create(core, task, &[new], true).await?;
    let plan = written.0.into_iter().next().ok_or(Error::NotFound)?;
    Ok(Written(plan))
}

/// Takes one away, and what it still owes. One's own need nothing but the task to be seen.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], `project_archived`.
pub async fn remove(
    project: &mut InProject<'_, impl Implies<ReadTasks>>,
    task: &Task,
    id: ReminderId,
) -> Result<Written<()>> {
    project.in_use()?;
    let found = sqlx::query!(
        r#"select r.account_id is not distinct from current_account() as "own!" from reminders r
           where r.id = $1 and r.task_id = $2 and r.removed_at is null"#,
        id.0,
        task.id.0,
    );
    let found = found.fetch_optional(project.core.sql()).await?.ok_or(Error::NotFound)?;
    if !found.own {
        may_write(project)?;
    }
    sqlx::query!("update reminders set removed_at = now() where id = $1 and removed_at is null", id.0)
        .execute(project.core.sql())
        .await?;
    let cancel = Cancel { tasks: &[task.id], people: None, which: Which::One(id), reason: "reminder removed" };
    deliveries::cancel(project.core, cancel).await?;
    Ok(Written(()))
}

fn may_write(project: &InProject<'_, impl Permission>) -> Result<()> {
    if project.permissions().hold::<WriteTasks>() { Ok(()) } else { Err(Error::Forbidden(WriteTasks::NAME)) }
}

async fn caller(project: &mut InProject<'_, impl Permission>) -> Result<AccountId> {
    let caller = sqlx::query_scalar!(r#"select current_account() as "id!: AccountId""#);
    Ok(caller.fetch_one(project.core.sql()).await?)
}
