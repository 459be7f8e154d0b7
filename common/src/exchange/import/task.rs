//! A task's line: what it names must be there, and what it says must go together.

use std::collections::HashSet;

use jiff_sqlx::ToSqlx as _;
use uuid::Uuid;

use super::{
    Skipped,
    fault::ImportFault,
    given::{Task, Turns},
    take::{Seen, Taking},
    write::TaskRow,
};
use crate::{
    error::Result,
    ids::{AccountId, ProjectId, TaskId},
    quotas::Quota,
    tasks::TaskStatus,
    text::{Description, EmailAddress},
    time::{Due, DueColumns, Instant, Recurrence},
};

/// The most assignees of a task.
const ASSIGNEES: u32 = 50;

impl Taking<'_> {
    pub(super) fn task(&mut self, line: u32, given: Task) -> Result<()> {
        let Some(place) = self.projects.get_mut(&given.project) else {
            self.complaints.add(line, "/project", &ImportFault::UnknownProject);
            return Ok(());
        };
        place.last_number = place.last_number.max(given.number);
        place.tasks += 1;
        self.core.db.quotas.admit(Quota::Tasks, place.tasks.into())?;
        let project = place.id;
        if given.number < 1 {
            self.complaints.add(line, "/number", &ImportFault::OutOfBounds(1, i32::MAX));
        }
        if !self.numbers.insert((project, given.number)) {
            self.complaints.add(line, "/number", &ImportFault::Repeated);
        }
        if !(0..=4).contains(&given.priority) {
            self.complaints.add(line, "/priority", &ImportFault::OutOfBounds(0, 4));
        }
        let parent = given.parent.and_then(|parent| self.parent(line, parent, project));
        let id = TaskId::new();
        let seen = Seen::new(id, project, given.parent.is_some(), given.due.is_some());
        if self.tasks.insert(given.id, seen).is_some() {
            self.complaints.add(line, "/id", &ImportFault::Repeated);
        }
        let labels = self.labels_of(line, &given, project);
        let assignees = self.crowd(line, "/assignees", &given.assignees);
        let completed = self.completed(line, &given);
        let created_by = self.people.author(given.created_by.as_ref(), &mut self.complaints, line, "/created_by");
        let muted = self.crowd(line, "/muted", &given.muted);
        let watching = self.crowd(line, "/watching", &given.watching);
        // Somebody who stands in both is muted: that is what they asked for.
        let watching =
            watching.into_iter().filter(|account| !muted.contains(account)).map(|account| (account, "watching"));
        let watches = watching.chain(muted.iter().map(|account| (*account, "muted"))).collect();
        let turns = given.recurrence.as_ref().map(|turns| self.turns(line, turns, given.due.as_ref()));
        let row = TaskRow {
            id,
            project,
            number: given.number,
            title: given.title.to_string(),
            description: given.description.as_ref().map_or("", Description::as_str).to_owned(),
            status: given.status.as_str(),
            priority: given.priority,
            start: self.columns(line, "/start", given.start.as_ref()),
            due: self.columns(line, "/due", given.due.as_ref()),
            turns,
            parent,
            position: given.position.0,
            labels,
            assignees,
            watches,
            created_by,
            created_at: given.created_at.map(Instant::sql),
            updated_at: given.updated_at.map(Instant::sql),
            completed,
        };
        self.pending.tasks.push(row);
        Ok(())
    }

    fn parent(&mut self, line: u32, parent: TaskId, project: ProjectId) -> Option<TaskId> {
        match self.tasks.get(&parent) {
            Some(seen) if seen.project == project && !seen.is_subtask => return Some(seen.id),
            Some(seen) if seen.project == project => self.complaints.add(line, "/parent", &ImportFault::TooDeep),
            _ => self.complaints.add(line, "/parent", &ImportFault::UnknownTask),
        }
        None
    }

    fn labels_of(&mut self, line: u32, given: &Task, project: ProjectId) -> Vec<Uuid> {
        let mut found = Vec::with_capacity(given.labels.len());
        for (index, label) in given.labels.iter().enumerate() {
            match self.labels.get(label) {
                Some((id, home)) if *home == project => found.push(*id),
                _ => self.complaints.add(line, &format!("/labels/{index}"), &ImportFault::UnknownLabel),
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Everybody of a list who is here, once.
    fn crowd(&mut self, line: u32, field: &str, emails: &[EmailAddress]) -> Vec<AccountId> {
        if emails.len() > ASSIGNEES as usize && field == "/assignees" {
            self.complaints.add(line, field, &ImportFault::TooMany(ASSIGNEES));
        }
        let mut found = HashSet::new();
        for (index, email) in emails.iter().enumerate() {
            match self.people.find(email, &mut self.complaints, line, &format!("{field}/{index}")) {
                Some(account) => drop(found.insert(account)),
                None => self.imported.skip(Skipped { line, reason: "unknown_person" }),
            }
        }
        found.into_iter().collect()
    }

    fn completed(&mut self, line: u32, given: &Task) -> Option<(AccountId, Option<jiff_sqlx::Timestamp>)> {
        if (given.status == TaskStatus::Completed) != given.completed_at.is_some() {
            self.complaints.add(line, "/completed_at", &ImportFault::Completion);
        }
        given.completed_at.map(|at| {
            let by = self.people.author(given.completed_by.as_ref(), &mut self.complaints, line, "/completed_by");
            (by, Some(at.sql()))
        })
    }

    fn turns(
        &mut self,
        line: u32,
        given: &Turns,
        due: Option<&Due>,
    ) -> (String, &'static str, jiff_sqlx::DateTime, i32) {
        let recurrence = Recurrence { rule: given.rule.clone(), from: given.from };
        let fits = due.map(|due| recurrence.start(due));
        match fits {
            None => self.complaints.add(line, "/recurrence", &ImportFault::RecurrenceWithoutDue),
            Some(Err(fault)) => self.complaints.add(line, "/recurrence", &fault),
            Some(Ok(_)) => {}
        }
        if given.occurrence < 1 {
            self.complaints.add(line, "/recurrence/occurrence", &ImportFault::OutOfBounds(1, i32::MAX));
        }
        (given.rule.to_string(), given.from.as_str(), given.start.0.to_sqlx(), given.occurrence)
    }

    fn columns(&mut self, line: u32, field: &str, due: Option<&Due>) -> DueColumns {
        DueColumns::of(due).unwrap_or_else(|fault| {
            self.complaints.add(line, field, &fault);
            DueColumns::default()
        })
    }
}
