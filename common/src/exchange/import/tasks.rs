//! A table of tasks comes into a project.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use super::{
    Imported, Skipped, TableOptions, Unknown,
    fault::{Complaints, ImportFault},
    pending::Pending,
    people::People,
    read::heaps,
    take::still_members,
    write::{self, LabelRow, TaskRow},
};
use crate::{
    access::{Core, InProject, Permission, Scope, WriteTasks, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    exchange::{
        Table,
        table::{Person, Row, rows},
    },
    ids::{AccountId, ProjectId, TaskId},
    input::Faults,
    quotas::{Quota, Quotas},
    tasks::TaskStatus,
    text::{Description, LabelName},
    time::{Due, DueColumns, Instant},
};

/// The most assignees of a task.
const ASSIGNEES: u32 = 50;

/// What the project has so far.
struct Place {
    id: ProjectId,
    key: String,
    last_number: i32,
    labels: HashMap<String, Uuid>,
    tasks: i64,
    quotas: Quotas,
}

/// A table under way.
struct Filling {
    place: Place,
    people: People,
    complaints: Complaints,
    pending: Pending,
    imported: Imported,
    /// Earlier rows by what they call themselves, and whether they hang under another.
    rows: HashMap<String, (TaskId, bool)>,
}

/// Takes a table's rows as new tasks of the project; what they call themselves only serves to hang some under others. Labels
/// that are missing are made. While it is written, nobody else gets a number in the project.
///
/// # Errors
/// Every fault of every row, the first hundred of them; [`Error::NotFound`], [`Error::Forbidden`].
pub async fn import_tasks(
    scope: &mut Scope<WriteTasks>,
    project: ProjectId,
    table: Table,
    options: &TableOptions,
) -> Result<Written<Imported>> {
    let mut project = InProject::<WriteTasks>::enter(scope, project).await?;
    let imported = fill(&mut project, table, options).await?;
    Ok(Written(Imported { dry_run: options.dry_run.0, ..imported }))
}

async fn fill(project: &mut InProject<'_, WriteTasks>, table: Table, options: &TableOptions) -> Result<Imported> {
    let mut people = People::of(project.core, options.unknown_people == Unknown::Skip).await?;
    people.used = table.people.iter().filter_map(|person| people.named(person)).collect();
    // Before the project, as everywhere: somebody who is being removed may be its manager.
    still_members(project.core, &people).await?;
    let place = lock(project).await?;
    write::by_index(project.core).await?;
    let mut filling = Filling {
        place,
        people,
        complaints: Complaints::default(),
        pending: Pending::default(),
        imported: Imported::default(),
        rows: HashMap::new(),
    };
    let mut heaps = heaps(table.received, |mut received, give| rows(&mut received, give));
    while let Some(heap) = heaps.recv().await {
        for (line, row) in heap? {
            filling.row(line, row.map_err(Error::Invalid)?)?;
            if filling.pending.is_full() {
                filling.write(project.core).await?;
            }
        }
    }
    filling.end(project.core).await
}

/// The project's row, until the end: the numbers are given one after another.
async fn lock(project: &mut InProject<'_, WriteTasks>) -> Result<Place> {
    let row = sqlx::query!(
        r#"select key, last_number, task_count, archived_at is not null as "archived!" from projects
           where id = $1 and permissions_in(id, visibility) & $2 = $2 for no key update"#,
        project.id.0,
        WriteTasks::BITS,
    )
    .fetch_optional(project.core.sql())
    .await?;
    let Some(row) = row else {
        project.admit_again().await?;
        return Err(Error::NotFound);
    };
    if row.archived {
        return Err(Error::Conflict { code: "project_archived", detail: "the project is archived" });
    }
    let labels = sqlx::query!("select id, lower(name) as \"name!\" from labels where project_id = $1", project.id.0)
        .fetch_all(project.core.sql())
        .await?;
    let quotas = project.core.db.quotas;
    let labels = labels.into_iter().map(|label| (label.name, label.id)).collect();
    Ok(Place {
        id: project.id,
        key: row.key,
        last_number: row.last_number,
        labels,
        tasks: row.task_count.into(),
        quotas,
    })
}

impl Filling {
    fn row(&mut self, line: u32, row: Row) -> Result<()> {
        let id = TaskId::new();
        let parent = row.parent.as_ref().and_then(|key| self.parent(line, key));
        if let Some(key) = row.key
            && self.rows.insert(key, (id, row.parent.is_some())).is_some()
        {
            self.complaints.add(line, "/key", &ImportFault::Repeated);
        }
        if !(0..=4).contains(&row.priority) {
            self.complaints.add(line, "/priority", &ImportFault::OutOfBounds(0, 4));
        }
        if row.assignees.len() > ASSIGNEES as usize {
            self.complaints.add(line, "/assignees", &ImportFault::TooMany(ASSIGNEES));
        }
        let labels = row.labels.into_iter().map(|label| self.label(line, &label)).collect::<Vec<_>>();
        let assignees = self.assignees(line, &row.assignees);
        self.place.last_number += 1;
        self.place.tasks += 1;
        self.place.quotas.admit(Quota::Tasks, self.place.tasks)?;
        self.imported.lines += 1;
        let status =
            row.status.unwrap_or(if row.completed_at.is_some() { TaskStatus::Completed } else { TaskStatus::Open });
        if status != TaskStatus::Completed && row.completed_at.is_some() {
            self.complaints.add(line, "/completed_at", &ImportFault::Completion);
        }
        let task = TaskRow {
            id,
            project: self.place.id,
            number: self.place.last_number,
            title: row.title.to_string(),
            description: row.description.as_ref().map_or("", Description::as_str).to_owned(),
            status: status.as_str(),
            priority: row.priority,
            start: self.columns(line, "/start", row.start.as_ref()),
            due: self.columns(line, "/due", row.due.as_ref()),
            turns: None,
            parent,
            position: self.place.last_number.to_string(),
            labels: distinct(labels),
            assignees: distinct(assignees),
            watches: Vec::new(),
            created_by: self.people.me,
            created_at: None,
            updated_at: None,
            completed: (status == TaskStatus::Completed).then(|| (self.people.me, row.completed_at.map(Instant::sql))),
        };
        self.pending.tasks.push(task);
        Ok(())
    }

    fn parent(&mut self, line: u32, key: &str) -> Option<TaskId> {
        match self.rows.get(key) {
            Some((id, false)) => return Some(*id),
            Some((_, true)) => self.complaints.add(line, "/parent", &ImportFault::TooDeep),
            None => self.complaints.add(line, "/parent", &ImportFault::UnknownTask),
        }
        None
    }

    fn label(&mut self, line: u32, name: &LabelName) -> Uuid {
        let folded = name.as_str().to_lowercase();
        if let Some(id) = self.place.labels.get(&folded) {
            return *id;
        }
        if self.place.labels.len() >= self.place.quotas.labels as usize {
            self.complaints.add(line, "/labels", &ImportFault::TooMany(self.place.quotas.labels));
        }
        let id = Uuid::now_v7();
        self.place.labels.insert(folded, id);
        self.pending.labels.push(LabelRow { id, project: self.place.id, name: name.to_string(), colour: None });
        id
    }

    fn assignees(&mut self, line: u32, named: &[Person]) -> Vec<AccountId> {
        let mut found = Vec::with_capacity(named.len());
        for (index, person) in named.iter().enumerate() {
            match self.people.named(person) {
                Some(account) => found.push(account),
                None if self.people.skip => self.imported.skip(Skipped { line, reason: "unknown_person" }),
                None => self.complaints.add(line, &format!("/assignees/{index}"), &ImportFault::UnknownPerson),
            }
        }
        found
    }

    fn columns(&mut self, line: u32, field: &str, due: Option<&Due>) -> DueColumns {
        DueColumns::of(due).unwrap_or_else(|fault| {
            self.complaints.add(line, field, &fault);
            DueColumns::default()
        })
    }

    async fn write(&mut self, core: &mut Core) -> Result<()> {
        if self.complaints.are_none() {
            self.pending.write(core, "csv", &mut self.imported).await
        } else {
            self.pending = Pending::default();
            Ok(())
        }
    }

    async fn end(mut self, core: &mut Core) -> Result<Imported> {
        self.write(core).await?;
        if !self.complaints.are_none() {
            return Err(Error::Invalid(Faults(self.complaints.0)));
        }
        let tasks = i32::try_from(self.imported.tasks).unwrap_or(i32::MAX);
        sqlx::query!(
            "update projects set last_number = $2, task_count = task_count + $3 where id = $1",
            self.place.id.0,
            self.place.last_number,
            tasks,
        )
        .execute(core.sql())
        .await?;
        let told = json!({ "project": self.place.key, "tasks": tasks });
        audit::record(core, Event::new(Action::TasksImported).about(self.place.id).after(told)).await?;
        Ok(self.imported)
    }
}

fn distinct<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}
