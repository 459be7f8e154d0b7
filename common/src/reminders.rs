//! Reminders: the rule says when and who; what somebody is owed by it is a delivery.

use std::str::FromStr;

use deserr::Deserr;
use jiff::{Timestamp, civil};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    access::{Core, Permission, ReadTasks, Written},
    error::{Error, Result},
    ids::{AccountId, DeliveryId, ReminderId},
    input::{Fault, Faults},
    mails::{self, MailKind, Owed},
    tasks::Task,
    time::{Due, TimeZoneName, When, WhenColumns},
};

/// When a date counts as come, in the recipient's zone.
pub(crate) const REMINDER_HOUR: civil::Time = civil::time(9, 0, 0, 0);

/// A reminder to be.
#[derive(Clone, Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewReminder {
    /// When.
    pub when: When,
    /// `me`, `assignees`, or an account's id.
    pub to: Recipient,
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The caller.
    Me,
    /// Whoever the task is assigned to.
    Assignees,
    /// One person.
    Account(AccountId),
}

impl FromStr for Recipient {
    type Err = ReminderFault;

    fn from_str(text: &str) -> Result<Self, ReminderFault> {
        match text {
            "me" => Ok(Self::Me),
            "assignees" => Ok(Self::Assignees),
            id => id.parse().map(Self::Account).map_err(|_| ReminderFault::Recipient),
        }
    }
}

crate::input::parsed_field!(Recipient);
crate::schema::reads_as_text!(Recipient, "Who is told: `me`, `assignees`, or an account's id.", "me");

/// Why a reminder was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum ReminderFault {
    /// Not a recipient.
    #[error("must be `me`, `assignees` or an account's id")]
    Recipient,
    /// An offset counts from a due value.
    #[error("an offset needs the task to be due")]
    NoDue,
    /// More than anybody wants.
    #[error("a task has at most 20 reminders")]
    TooManyReminders,
    /// Each may be owed a mail by each reminder.
    #[error("a task has at most 50 assignees")]
    TooManyAssignees,
}

impl Fault for ReminderFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Recipient => "not_a_recipient",
            Self::NoDue => "offset_without_due",
            Self::TooManyReminders | Self::TooManyAssignees => "too_many",
        }
    }
}

/// What a reminder has planned.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReminderPlan {
    /// Its id.
    pub id: ReminderId,
    /// When, as it was asked for.
    pub when: When,
    /// Who gets what, when, and why not.
    pub plan: Vec<Planned>,
}

/// One person's share of a reminder.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Planned {
    /// Who.
    pub account_id: AccountId,
    /// When.
    pub due_at: Timestamp,
    /// What they are owed; null when skipped.
    pub delivery_id: Option<DeliveryId>,
    /// Why not: `already_past`, `cannot_see_the_project`.
    pub skipped: Option<&'static str>,
}

/// What can be said of reminders before anything is written.
pub(crate) fn check(reminders: &[NewReminder], due: Option<&Due>, assignees: usize) -> Result<(), Faults> {
    if reminders.len() > 20 {
        return Err(Faults::at("/reminders", &ReminderFault::TooManyReminders));
    }
    if assignees > 50 {
        return Err(Faults::at("/assignees", &ReminderFault::TooManyAssignees));
    }
    let homeless = reminders.iter().enumerate().filter(|(_, r)| due.is_none() && matches!(r.when, When::Offset { .. }));
    let faults: Vec<_> = homeless
        .flat_map(|(index, _)| Faults::at(&format!("/reminders/{index}/when"), &ReminderFault::NoDue).0)
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

/// Somebody who may be told.
struct Person {
    id: AccountId,
    zone: TimeZoneName,
    sees: bool,
}

/// Writes the reminders of a new task and everything they owe.
pub(crate) async fn plan(core: &mut Core, task: &Task, new: &[NewReminder]) -> Result<Written<Vec<ReminderPlan>>> {
    if new.is_empty() {
        return Ok(Written(Vec::new()));
    }
    let ids: Vec<ReminderId> = new.iter().map(|_| ReminderId::new()).collect();
    insert(core, task, new, &ids).await?;
    let (now, people) = people(core, task, new).await?;
    let mut plans = Vec::with_capacity(new.len());
    let mut owed = Vec::new();
    for (index, (id, reminder)) in ids.into_iter().zip(new).enumerate() {
        let told = people.iter().filter(|person| match reminder.to {
            Recipient::Me => person.id == task.created_by,
            Recipient::Assignees => task.assignees.contains(&person.id),
            Recipient::Account(account) => person.id == account,
        });
        let mut plan = Vec::new();
        for person in told {
            let instant = reminder.when.instant(task.due.as_ref(), person.zone.rules(), REMINDER_HOUR);
            let place = format!("/reminders/{index}/when");
            let Some(due_at) = instant.map_err(|fault| Faults::at(&place, &fault))? else { continue };
            let skipped = if !person.sees {
                Some("cannot_see_the_project")
            } else if due_at < now {
                Some("already_past")
            } else {
                None
            };
            let delivery_id = skipped.is_none().then(DeliveryId::new);
            if let Some(delivery) = delivery_id {
                owed.push(Owed {
                    delivery,
                    reminder: Some(id),
                    task: Some(task.id),
                    due_at: Some(due_at),
                    ..Owed::to_account(MailKind::Reminder, person.id)
                });
            }
            plan.push(Planned { account_id: person.id, due_at, delivery_id, skipped });
        }
        plans.push(ReminderPlan { id, when: reminder.when.clone(), plan });
    }
    Ok(mails::owe(core, &owed).await?.map(|()| plans))
}

async fn insert(core: &mut Core, task: &Task, new: &[NewReminder], ids: &[ReminderId]) -> Result<()> {
    let columns: Vec<WhenColumns> = new.iter().map(|reminder| WhenColumns::from(&reminder.when)).collect();
    let people = new.iter().map(|reminder| match reminder.to {
        Recipient::Me => Some(task.created_by.0),
        Recipient::Account(account) => Some(account.0),
        Recipient::Assignees => None,
    });
    sqlx::query!(
        r#"insert into reminders (org_id, id, task_id, "offset", local_time, time_zone, at, recipient, account_id, created_by)
           select current_org(), r.id, $1, r."offset", r.local_time, r.time_zone, r.at,
                  case when r.account_id is null then 'assignees' else 'account' end, r.account_id, current_account()
           from unnest($2::uuid[], $3::text[], $4::timestamp[], $5::text[], $6::timestamptz[], $7::uuid[])
                as r (id, "offset", local_time, time_zone, at, account_id)"#,
        task.id.0,
        &ids.iter().map(|id| id.0).collect::<Vec<Uuid>>(),
        &columns.iter().map(|c| c.offset.clone()).collect::<Vec<_>>() as _,
        columns.iter().map(|c| c.local).collect::<Vec<_>>() as _,
        &columns.iter().map(|c| c.zone.clone()).collect::<Vec<_>>() as _,
        columns.iter().map(|c| c.at).collect::<Vec<_>>() as _,
        &people.collect::<Vec<Option<Uuid>>>() as _,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

/// The people concerned, each with their zone (their own, else the organization's), and the database's present.
async fn people(core: &mut Core, task: &Task, new: &[NewReminder]) -> Result<(Timestamp, Vec<Person>)> {
    let mut concerned: Vec<Uuid> = task.assignees.iter().map(|account| account.0).collect();
    concerned.push(task.created_by.0);
    concerned.extend(new.iter().filter_map(|reminder| match reminder.to {
        Recipient::Account(account) => Some(account.0),
        Recipient::Me | Recipient::Assignees => None,
    }));
    let rows = sqlx::query!(
        r#"select now() as "now!", m.account_id as "id: AccountId", coalesce(a.time_zone, o.time_zone) as "zone!",
                  permissions_of(m.account_id, p.id, p.visibility) & $3 <> 0 as "sees!"
           from memberships m join accounts a on a.id = m.account_id, organizations o, projects p
           where m.account_id = any($1) and p.id = $2"#,
        &concerned,
        task.project_id.0,
        ReadTasks::BITS,
    )
    .fetch_all(core.sql())
    .await?;
    let now = rows.first().map(|row| row.now.to_jiff()).ok_or(Error::NotFound)?;
    let people =
        rows.into_iter().map(|row| Person { id: row.id, zone: TimeZoneName::stored(&row.zone), sees: row.sees });
    Ok((now, people.collect()))
}
