//! Creating a task, with its assignees, its labels, its reminders and what they owe: one transaction.

use uuid::Uuid;

use super::{NewTask, PlannedTask, Task, TaskStatus, history, input::Together, labels, lock::lock_projects, place};
use crate::{
    access::{Core, Implies, InProject, Permission, WriteTasks, Written},
    error::{Error, Result},
    ids::{AccountId, TaskId},
    input::Faults,
    memberships, notifications,
    quotas::Quota,
    reminders::{NewReminder, Recipient},
    text::Description,
    time::DueColumns,
};

/// Creates a task in the project; the 2xx for it is the promise that its reminders go out.
///
/// # Errors
/// `not_a_member` for a stranger among assignees or recipients; labels and parents that the project does not have; a reminder
/// that cannot be computed; [`Error::Quota`].
#[expect(clippy::too_many_lines, reason = "one statement, and what it is given")]
pub async fn create(
    project: &mut InProject<'_, impl Implies<WriteTasks>>,
    new: NewTask,
) -> Result<Written<PlannedTask>> {
    let (named, reminders) = match new.reminders {
        Some(reminders) => (true, reminders),
        None if new.due.is_some() => (false, notifications::of_the_caller(project.core).await?),
        None => (true, Vec::new()),
    };
    let out_of_range = |pointer: &'static str| move |fault| Faults::at(pointer, &fault);
    let due = DueColumns::of(new.due.as_ref()).map_err(out_of_range("/due"))?;
    let start = DueColumns::of(new.start.as_ref()).map_err(out_of_range("/start"))?;
    let mut assignees = new.assignees;
    assignees.sort_unstable();
    assignees.dedup();
    Together {
        start: new.start.as_ref(),
        due: new.due.as_ref(),
        recurrence: new.recurrence.as_ref(),
        assignees: assignees.len(),
        labels: new.labels.len(),
        reminders: &reminders,
    }
    .check()?;
    let reminded = i64::try_from(reminders.len()).unwrap_or(i64::MAX);
    project.core.db.quotas.admit(Quota::Reminders, reminded)?;
    let recurrence_start = new.recurrence.as_ref().zip(new.due.as_ref()).and_then(|(rule, due)| rule.start(due).ok());
    let description = new.description.as_ref().map_or("", Description::as_str);
    let id = TaskId::new();
    let people: Vec<Uuid> = assignees.iter().map(|account| account.0).collect();
    still_members(project.core, &assignees, &reminders).await?;
    let labels = labels::meant(project.core, project.id, &new.labels).await?;
    let parent = match &new.parent {
        Some(parent) => {
            lock_projects(project.core, &[project.id]).await?;
            Some(place::parent(project.core, None, project.id, parent).await?)
        }
        None => None,
    };
    let status = new.status.map_or(TaskStatus::Open, TaskStatus::from);
    let priority = new.priority.unwrap_or_default().0;
    let request = history::request(project.core);
    // Asked again by the statement that locks the project: it may have been closed to the caller at this moment, and what is
    // planned below would differ from what they were let in for (tests/model: one of the schedules).
    let row = sqlx::query!(
        r#"with project as (
               update projects set last_number = last_number + 1, task_count = task_count + 1
               where id = $2 and archived_at is null and permissions_in(id, visibility) & $10 = $10
               returning key, last_number, task_count
           ), task as (
               insert into tasks (org_id, id, project_id, number, title, description, due_on, due_local, due_zone, due_at, created_by,
                                  position, status, priority, start_on, start_local, start_zone, start_at, recurrence,
                                  recurrence_basis, recurrence_start, parent_id)
               select current_org(), $1, $2, last_number, $3, $4, $5, $6, $7, $8, current_account(),
                      last_number, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20 from project
               returning id, number, created_by, created_at, updated_at, version
           ), assigned as (
               insert into task_assignees (org_id, task_id, account_id)
               select current_org(), $1, account from task, unnest($9::uuid[]) account
           ), watched as (
               insert into task_watches (org_id, task_id, account_id, state)
               select current_org(), $1, account, 'watching' from task, unnest($9::uuid[]) account
           ), labelled as (
               insert into task_labels (org_id, project_id, task_id, label_id)
               select current_org(), $2, $1, label from task, unnest($21::uuid[]) label
           )
           select project.key, project.task_count, task.number, task.created_by as "created_by: AccountId", task.created_at,
                  task.updated_at, task.version,
                  record_task_event(task.id, 'created', '{}', $22) as event
           from task, project"#,
        id.0,
        project.id.0,
        new.title.as_str(),
        description,
        due.on as _,
        due.local as _,
        due.zone,
        due.at as _,
        &people,
        WriteTasks::BITS,
        status.as_str(),
        priority,
        start.on as _,
        start.local as _,
        start.zone,
        start.at as _,
        new.recurrence.as_ref().map(|recurrence| recurrence.rule.to_string()),
        new.recurrence.as_ref().map(|recurrence| recurrence.from.as_str()),
        recurrence_start.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        parent.map(|parent| parent.0),
        &labels.iter().map(|label| label.id.0).collect::<Vec<_>>(),
        request,
    )
    .fetch_optional(project.core.sql())
    .await?;
    let Some(row) = row else {
        project.admit_again().await?;
        return Err(Error::NotFound);
    };
    project.core.db.quotas.admit(Quota::Tasks, i64::from(row.task_count))?;
    let task = Task {
        id,
        project_id: project.id,
        key: format!("{}-{}", row.key, row.number),
        parent_id: parent,
        title: new.title.to_string(),
        description: description.to_owned(),
        status,
        priority,
        start: new.start,
        due: new.due,
        recurrence: new.recurrence,
        occurrence: 1,
        assignees,
        labels,
        position: f64::from(row.number),
        subtask_count: 0,
        completed_subtask_count: 0,
        created_by: row.created_by,
        created_at: row.created_at,
        updated_at: row.updated_at,
        completed_at: None,
        completed_by: None,
        deleted_at: None,
        permissions: project.permissions().in_projects(),
        version: row.version,
        recurrence_start,
    };
    let planned = crate::reminders::create(project.core, &task, &reminders, named).await?;
    Ok(planned.map(|reminders| PlannedTask { task, reminders }))
}

/// Only active members are assigned; whoever suspends or removes one of them, or of those who will be reminded, at this moment
/// waits for this task, and then takes it from them (tests/api/races.rs: `nobody_is_assigned_who_was_removed_at_that_moment`,
/// `nobody_is_owed_a_reminder_who_was_removed_at_that_moment`).
async fn still_members(core: &mut Core, assignees: &[AccountId], reminders: &[NewReminder]) -> Result<()> {
    if assignees.is_empty() && reminders.is_empty() {
        return Ok(());
    }
    let told = reminders.iter().filter_map(|reminder| match reminder.to {
        Recipient::Account(account) => Some(account),
        Recipient::Me | Recipient::Assignees => None,
    });
    let kept = memberships::keep(core, assignees.iter().copied().chain(told)).await?;
    if assignees.iter().all(|assignee| kept.iter().any(|member| member.active && member.id == *assignee)) {
        Ok(())
    } else {
        Err(Error::Conflict { code: "not_a_member", detail: "an assignee is not an active member of the organization" })
    }
}
