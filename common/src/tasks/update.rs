//! Changing a task, and what its reminders then owe: one transaction.

use super::{
    PlannedTask, Task, TaskChanges, TaskRef, TaskStatus, history,
    input::Together,
    labels,
    lock::{live, lock, lock_structure, lock_to_plan},
    place,
    store::{Deed, store},
};
use crate::{
    access::{Core, Implies, Scope, WriteTasks, Written},
    deliveries::{self, Cancel, Which},
    error::{Error, Result},
    ids::{AccountId, TaskId},
    input::Patch,
    memberships,
    precondition::Precondition,
    reminders::{self, Whom},
    text::Description,
};

/// Changes a task. What changes nothing leaves its version as it is.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`], `task_deleted`, `task_completed`, `project_archived`,
/// `not_a_member`; faults of the input; [`Error::Quota`] of the project it is moved to.
pub async fn update(
    scope: &mut Scope<impl Implies<WriteTasks>>,
    task: &TaskRef,
    version: &Precondition,
    changes: TaskChanges,
) -> Result<Written<PlannedTask>> {
    let structure = changes.project.0.is_some() || changes.parent != Patch::Keep;
    let people = if let Patch::Set(people) = &changes.assignees { people.as_slice() } else { &[] };
    let (project, before) = if structure {
        lock_structure(scope.core(), task, people, changes.project.0).await?
    } else if (&changes.due, &changes.assignees) != (&Patch::Keep, &Patch::Keep) {
        lock_to_plan::<WriteTasks>(scope.core(), task, people).await?
    } else {
        lock::<WriteTasks>(scope.core(), task).await?
    };
    live(&before)?;
    version.check(before.version)?;
    let core = project.core;
    let moved = changes.project.0.filter(|to| *to != before.project_id);
    let (base, parts) = match moved {
        Some(to) => place::relocate(core, &before, to).await?,
        None => (before.clone(), Vec::new()),
    };
    let after = apply(core, &base, changes).await?;
    let difference = history::difference(&before, &after);
    if difference.is_empty() {
        return Ok(Written(PlannedTask { task: before, reminders: Vec::new() }));
    }
    let deed = if moved.is_some() { Deed::Moved } else { Deed::Updated };
    let task = store(core, after, deed, difference).await?;
    follow(core, &before, task, moved.map(|_| parts)).await
}

/// What the task shall be.
async fn apply(core: &mut Core, base: &Task, changes: TaskChanges) -> Result<Task> {
    let mut task = base.clone();
    let together = (&changes.start, &changes.due, &changes.recurrence) != (&Patch::Keep, &Patch::Keep, &Patch::Keep);
    if let Some(title) = &changes.title.0 {
        task.title = title.to_string();
    }
    if let Some(description) = changes.description.as_ref() {
        task.description = description.map_or_else(String::new, Description::to_string);
    }
    if let Some(stage) = changes.status.0 {
        if base.status == TaskStatus::Completed {
            return Err(Error::Conflict { code: "task_completed", detail: "the task is completed; reopen it first" });
        }
        task.status = stage.into();
    }
    if let Some(priority) = changes.priority.as_ref() {
        task.priority = priority.copied().unwrap_or_default().0;
    }
    if let Some(start) = changes.start.as_ref() {
        task.start = start.cloned();
    }
    if let Some(due) = changes.due.as_ref() {
        task.due = due.cloned();
    }
    if let Some(recurrence) = changes.recurrence.as_ref() {
        task.recurrence = recurrence.cloned();
    }
    let labels = changes.labels.as_ref().map(|labels| labels.map_or(&[][..], Vec::as_slice));
    let assignees = changes.assignees.as_ref().map(|people| people.map_or(&[][..], Vec::as_slice));
    if together || labels.is_some() || assignees.is_some() {
        let (people, labels) = (assignees.unwrap_or_default().len(), labels.unwrap_or_default().len());
        Together {
            start: task.start.as_ref(),
            due: task.due.as_ref(),
            recurrence: task.recurrence.as_ref(),
            assignees: people,
            labels,
            reminders: &[],
        }
        .check()?;
    }
    if (&task.due, &task.recurrence) != (&base.due, &base.recurrence) {
        // The series begins anew with the due value that is said now.
        task.recurrence_start =
            task.recurrence.as_ref().zip(task.due.as_ref()).and_then(|(recurrence, due)| recurrence.start(due).ok());
    }
    if let Some(labels) = labels {
        task.labels = labels::meant(core, task.project_id, labels).await?;
    }
    if let Some(people) = assignees {
        task.assignees = still_members(core, people).await?;
    }
    match &changes.parent {
        Patch::Keep => {}
        Patch::Clear => task.parent_id = None,
        Patch::Set(parent) => task.parent_id = Some(place::parent(core, Some(task.id), task.project_id, parent).await?),
    }
    Ok(task)
}

/// Only active members are assigned; whoever suspends or removes one of them at this moment waits for this change, and then
/// takes the task from them (tests/api/races.rs).
///
/// # Errors
/// `not_a_member`.
pub(super) async fn still_members(core: &mut Core, people: &[AccountId]) -> Result<Vec<AccountId>> {
    let mut people = people.to_vec();
    people.sort_unstable();
    people.dedup();
    if people.is_empty() {
        return Ok(people);
    }
    let kept = memberships::keep(core, people.iter().copied()).await?;
    if people.iter().all(|person| kept.iter().any(|member| member.active && member.id == *person)) {
        Ok(people)
    } else {
        Err(Error::Conflict { code: "not_a_member", detail: "an assignee is not an active member of the organization" })
    }
}

/// The reminders follow (docs/reminders.md); those of its parts too where it has `moved` with them (`tests/api/task_places.rs`:
/// `the_reminders_of_parts_follow_their_whole_to_another_project`).
async fn follow(
    core: &mut Core,
    before: &Task,
    task: Task,
    moved: Option<Vec<TaskId>>,
) -> Result<Written<PlannedTask>> {
    let without = |people: &[AccountId], others: &[AccountId]| -> Vec<AccountId> {
        people.iter().filter(|person| !others.contains(person)).copied().collect()
    };
    let (assigned, unassigned) =
        (without(&task.assignees, &before.assignees), without(&before.assignees, &task.assignees));
    let due = before.due != task.due;
    let tasks: Vec<TaskId> = std::iter::once(task.id).chain(moved.iter().flatten().copied()).collect();
    let cancel = Cancel { tasks: &tasks, people: None, which: Which::All, reason: "task moved" };
    if !unassigned.is_empty() {
        let (own, which) = (&[task.id], Which::OfAssignees);
        let unassigned = Cancel { tasks: own, people: Some(&unassigned), which, reason: "unassigned" };
        deliveries::cancel(core, unassigned).await?;
    }
    let whom = if moved.is_some() {
        // What is on its way is not planned again for the same due value (`last_told`): it goes on, though this try may fail.
        let which = if due { Which::All } else { Which::Waiting };
        deliveries::cancel(core, Cancel { which, ..cancel }).await?;
        Whom::Everybody
    } else if due || !assigned.is_empty() {
        if due {
            deliveries::cancel(core, Cancel { which: Which::Offsets, reason: "due changed", ..cancel }).await?;
        }
        Whom::Changed { due, assigned }
    } else {
        return Ok(Written(PlannedTask { task, reminders: Vec::new() }));
    };
    Ok(reminders::replan(core, &tasks, whom).await?.map(|reminders| PlannedTask { task, reminders }))
}
