//! Creating a task, with its assignees, its reminders and what they owe: one transaction.

use deserr::Deserr;
use serde::Serialize;
use uuid::Uuid;

use super::{Task, TaskStatus};
use crate::{
    access::{Core, Implies, InProject, Permission, WriteTasks, Written},
    error::{Error, Result},
    ids::{AccountId, ProjectId, TaskId},
    input::Faults,
    memberships,
    reminders::{self, NewReminder, Recipient, ReminderPlan},
    shown::shown,
    text::{Description, Title},
    time::{Due, DueColumns},
};

/// A task to be.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewTask {
    /// Where.
    pub project: ProjectId,
    /// One line.
    pub title: Title,
    /// Markdown.
    #[deserr(default)]
    pub description: Option<Description>,
    /// Until when.
    #[deserr(default)]
    pub due: Option<Due>,
    /// By whom.
    #[deserr(default)]
    pub assignees: Vec<AccountId>,
    /// Who is told, and when.
    #[deserr(default)]
    pub reminders: Vec<NewReminder>,
}

/// A new task, and what its reminders have planned.
#[derive(Clone, Debug, Serialize)]
pub struct CreatedTask {
    /// The task.
    #[serde(flatten)]
    pub task: Task,
    /// Who will be told when, and who not, and why.
    pub reminders: Vec<ReminderPlan>,
}

shown!(CreatedTask, task.version);

/// Creates a task in the project; the 2xx for it is the promise that its reminders go out.
///
/// # Errors
/// `not_a_member` for a stranger among assignees or recipients; a reminder that cannot be computed.
pub async fn create(
    project: &mut InProject<'_, impl Implies<WriteTasks>>,
    new: NewTask,
) -> Result<Written<CreatedTask>> {
    let due = DueColumns::of(new.due.as_ref()).map_err(|fault| Error::Invalid(Faults::at("/due", &fault)))?;
    reminders::check(&new.reminders, new.due.as_ref(), new.assignees.len())?;
    let mut assignees = new.assignees;
    assignees.sort_unstable();
    assignees.dedup();
    let description = new.description.as_ref().map_or("", Description::as_str);
    let id = TaskId::new();
    let people: Vec<Uuid> = assignees.iter().map(|account| account.0).collect();
    still_members(project.core, &assignees, &new.reminders).await?;
    // Asked again by the statement that locks the project: it may have been closed to the caller at this moment, and what is
    // planned below would differ from what they were let in for (tests/model: one of the schedules).
    let row = sqlx::query!(
        r#"with project as (
               update projects set last_number = last_number + 1, task_count = task_count + 1
               where id = $2 and permissions_in(id, visibility) & $10 = $10 returning key, last_number
           ), task as (
               insert into tasks (org_id, id, project_id, number, title, description, due_on, due_local, due_zone, due_at, created_by, position)
               select current_org(), $1, $2, last_number, $3, $4, $5, $6, $7, $8, current_account(), last_number from project
               returning number, created_by, created_at, updated_at, version
           ), assigned as (
               insert into task_assignees (org_id, task_id, account_id)
               select current_org(), $1, account from task, unnest($9::uuid[]) account
           )
           select project.key, task.number, task.created_by as "created_by: AccountId", task.created_at, task.updated_at, task.version
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
    )
    .fetch_optional(project.core.sql())
    .await?;
    let Some(row) = row else {
        project.admit_again().await?;
        return Err(Error::NotFound);
    };
    let task = Task {
        id,
        project_id: project.id,
        key: format!("{}-{}", row.key, row.number),
        parent_id: None,
        title: new.title.to_string(),
        description: description.to_owned(),
        status: TaskStatus::Open,
        priority: 0,
        start: None,
        due: new.due,
        recurrence: None,
        occurrence: 1,
        assignees,
        labels: Vec::new(),
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
        recurrence_start: None,
    };
    let planned = reminders::plan(project.core, &task, &new.reminders).await?;
    Ok(planned.map(|reminders| CreatedTask { task, reminders }))
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
