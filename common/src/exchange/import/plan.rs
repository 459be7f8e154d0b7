//! The reminders of imported tasks: what lies ahead is owed from now on, what lies behind is not.

use std::collections::HashMap;

use jiff_sqlx::{DateTime, Timestamp};
use uuid::Uuid;

use super::{Skipped, people::People};
use crate::{
    access::{Core, Written},
    error::Result,
    ids::{AccountId, ProjectId, ReminderId, TaskId},
    input::Faults,
    mails::{self, MailKind, Owed},
    reminders::REMINDER_HOUR,
    time::{Due, DueColumns, When, WhenColumns},
};

/// A reminder as it will stand in its table.
#[derive(Debug)]
pub(super) struct ReminderRow {
    pub(super) line: u32,
    pub(super) id: ReminderId,
    pub(super) task: TaskId,
    pub(super) when: When,
    /// Nobody: whoever the task is assigned to.
    pub(super) to: Option<AccountId>,
}

/// Its task.
struct Task {
    project: ProjectId,
    due: Option<Due>,
    assignees: Vec<Uuid>,
    muted: Vec<Uuid>,
    quiet: bool,
}

/// Writes reminders and what they owe; gives what they do not, and why.
pub(super) async fn reminders(core: &mut Core, people: &mut People, rows: &[ReminderRow]) -> Result<Vec<Skipped>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    insert(core, rows).await?;
    let tasks = tasks(core, rows).await?;
    let (mut owed, mut skipped) = (Vec::new(), Vec::new());
    for row in rows {
        // The same transaction has written it.
        let Some(task) = tasks.get(&row.task) else { continue };
        let told = row.to.map_or_else(|| task.assignees.clone(), |account| vec![account.0]);
        for account in told.into_iter().map(AccountId) {
            let Some(zone) = people.zone(account).map(|zone| zone.rules().clone()) else { continue };
            let instant = row.when.instant(task.due.as_ref(), &zone, REMINDER_HOUR);
            let place = |fault| Faults::at(&format!("/lines/{}/when", row.line), &fault);
            let Some(due_at) = instant.map_err(place)? else { continue };
            let reason = if task.quiet {
                "nothing_to_do"
            } else if task.muted.contains(&account.0) {
                "muted"
            } else if due_at < people.now {
                "already_past"
            } else if !people.sees(core, task.project, account).await? {
                "cannot_see_the_project"
            } else {
                owed.push(Owed {
                    reminder: Some(row.id),
                    task: Some(row.task),
                    due_at: Some(due_at),
                    ..Owed::to_account(MailKind::Reminder, account)
                });
                continue;
            };
            skipped.push(Skipped { line: row.line, reason });
        }
    }
    let Written(()) = mails::owe(core, &owed).await?;
    Ok(skipped)
}

async fn insert(core: &mut Core, rows: &[ReminderRow]) -> Result<()> {
    let columns: Vec<WhenColumns> = rows.iter().map(|row| WhenColumns::from(&row.when)).collect();
    let (locals, instants): (Vec<Option<DateTime>>, Vec<Option<Timestamp>>) =
        columns.iter().map(|column| (column.local, column.at)).unzip();
    sqlx::query!(
        r#"insert into reminders (org_id, id, task_id, "offset", local_time, time_zone, at, recipient, account_id, created_by)
           select current_org(), r.id, r.task_id, r."offset", r.local_time, r.time_zone, r.at,
                  case when r.account_id is null then 'assignees' else 'account' end, r.account_id, current_account()
           from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamp[], $5::text[], $6::timestamptz[], $7::uuid[])
                as r (id, task_id, "offset", local_time, time_zone, at, account_id)"#,
        &rows.iter().map(|row| row.id.0).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.task.0).collect::<Vec<_>>(),
        &columns.iter().map(|column| column.offset.clone()).collect::<Vec<_>>() as _,
        locals as _,
        &columns.iter().map(|column| column.zone.clone()).collect::<Vec<_>>() as _,
        instants as _,
        &rows.iter().map(|row| row.to.map(|account| account.0)).collect::<Vec<_>>() as _,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

async fn tasks(core: &mut Core, rows: &[ReminderRow]) -> Result<HashMap<TaskId, Task>> {
    let mut ids: Vec<Uuid> = rows.iter().map(|row| row.task.0).collect();
    ids.dedup();
    let rows = sqlx::query!(
        r#"select t.id as "id: TaskId", t.project_id as "project: ProjectId", t.due_on, t.due_local, t.due_zone, t.due_at,
                  array(select a.account_id from task_assignees a where a.task_id = t.id order by 1) as "assignees!",
                  array(select w.account_id from task_watches w where w.task_id = t.id and w.state = 'muted') as "muted!",
                  t.completed_at is not null or p.archived_at is not null as "quiet!"
           from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id where t.id = any($1)"#,
        &ids,
    )
    .fetch_all(core.sql())
    .await?;
    let task = rows.into_iter().map(|row| {
        let due = DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.due_at }.due();
        (row.id, Task { project: row.project, due, assignees: row.assignees, muted: row.muted, quiet: row.quiet })
    });
    Ok(task.collect())
}
