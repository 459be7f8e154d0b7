//! The reminders of imported tasks: what lies ahead is owed from now on, what lies behind is not.

use std::collections::HashMap;

use jiff_sqlx::{DateTime, Timestamp};

use super::Skipped;
use crate::{
    access::{Core, Written},
    error::Result,
    ids::{AccountId, ReminderId, TaskId},
    reminders::{self, ReminderPlan, Whom},
    time::{SkipAfter, When, WhenColumns},
};

/// A reminder as it will stand in its table.
#[derive(Debug)]
pub(super) struct ReminderRow {
    pub(super) line: u32,
    pub(super) id: ReminderId,
    pub(super) task: TaskId,
    pub(super) when: When,
    pub(super) skip_after: Option<SkipAfter>,
    /// Nobody: whoever the task is assigned to.
    pub(super) to: Option<AccountId>,
}

/// Writes reminders and what they owe; gives what they do not, and why.
pub(super) async fn reminders(core: &mut Core, rows: &[ReminderRow]) -> Result<Vec<Skipped>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    insert(core, rows).await?;
    let mut tasks: Vec<TaskId> = rows.iter().map(|row| row.task).collect();
    tasks.sort_unstable();
    tasks.dedup();
    let new = Whom::New(rows.iter().map(|row| row.id).collect());
    let Written(plans) = reminders::replan(core, &tasks, new).await?;
    let plans: HashMap<ReminderId, &ReminderPlan> = plans.iter().map(|plan| (plan.id, plan)).collect();
    let mut skipped = Vec::new();
    for row in rows {
        let Some(plan) = plans.get(&row.id) else {
            skipped.push(Skipped { line: row.line, reason: "nothing_to_do" });
            continue;
        };
        let reasons = plan.plan.iter().filter_map(|share| share.skipped);
        skipped.extend(reasons.map(|reason| Skipped { line: row.line, reason }));
    }
    Ok(skipped)
}

async fn insert(core: &mut Core, rows: &[ReminderRow]) -> Result<()> {
    let columns: Vec<WhenColumns> = rows.iter().map(|row| WhenColumns::from(&row.when)).collect();
    let (locals, instants): (Vec<Option<DateTime>>, Vec<Option<Timestamp>>) =
        columns.iter().map(|column| (column.local, column.at)).unzip();
    sqlx::query!(
        r#"insert into reminders (org_id, id, task_id, "offset", local_time, time_zone, at, recipient, account_id, created_by,
                                  skip_after)
           select current_org(), r.id, r.task_id, r."offset", r.local_time, r.time_zone, r.at,
                  case when r.account_id is null then 'assignees' else 'account' end, r.account_id, current_account(), r.skip_after
           from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamp[], $5::text[], $6::timestamptz[], $7::uuid[], $8::text[])
                as r (id, task_id, "offset", local_time, time_zone, at, account_id, skip_after)"#,
        &rows.iter().map(|row| row.id.0).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.task.0).collect::<Vec<_>>(),
        &columns.iter().map(|column| column.offset.clone()).collect::<Vec<_>>() as _,
        locals as _,
        &columns.iter().map(|column| column.zone.clone()).collect::<Vec<_>>() as _,
        instants as _,
        &rows.iter().map(|row| row.to.map(|account| account.0)).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.skip_after.map(|after| after.to_string())).collect::<Vec<_>>() as _,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}
