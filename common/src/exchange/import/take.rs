//! An export comes in: line by line, in one transaction.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use uuid::Uuid;

use super::{
    ImportOptions, Imported, ImportedProject, Skipped, Taken, Unknown,
    fault::{Complaints, ImportFault},
    given::{Comment, Label, Line, Project, Reminder, Told},
    pending::Pending,
    people::People,
    plan::ReminderRow,
    read,
    write::{self, CommentRow, LabelRow},
};
use crate::{
    access::{Core, CreateProjects, Scope, UpdateOrganization, Written},
    audit::{self, Action, Event},
    error::{Error, Result},
    exchange::Whole,
    ids::{AccountId, LabelId, ProjectId, ReminderId, TaskId},
    input::Faults,
    memberships,
    quotas::Quota,
    text::{Colour, Description, ProjectKey},
    time::When,
};

/// A project that has come in, with what later lines may name.
pub(super) struct Place {
    pub(super) id: ProjectId,
    pub(super) last_number: i32,
    pub(super) tasks: i32,
    labels: HashSet<String>,
}

/// A task that has come in.
pub(super) struct Seen {
    pub(super) id: TaskId,
    pub(super) project: ProjectId,
    pub(super) is_subtask: bool,
    pub(super) is_due: bool,
    reminders: u8,
}

/// An import under way.
pub(super) struct Taking<'s> {
    pub(super) core: &'s mut Core,
    pub(super) people: People,
    pub(super) complaints: Complaints,
    pub(super) pending: Pending,
    pub(super) imported: Imported,
    pub(super) projects: HashMap<ProjectId, Place>,
    pub(super) labels: HashMap<LabelId, (Uuid, ProjectId)>,
    pub(super) tasks: HashMap<TaskId, Seen>,
    pub(super) numbers: HashSet<(ProjectId, i32)>,
    keys: HashSet<String>,
    taken: Taken,
    origin: String,
}

/// Takes an export into the organization: its projects beside those that are there, with ids of their own.
///
/// # Errors
/// Every fault of every line, the first hundred of them; [`Error::Forbidden`] for who could not create what is in it.
pub async fn import(
    scope: &mut Scope<UpdateOrganization>,
    whole: Whole,
    options: &ImportOptions,
) -> Result<Written<Imported>> {
    let imported = take(scope.core(), whole, options).await?;
    Ok(Written(Imported { dry_run: options.dry_run.0, ..imported }))
}

async fn take(core: &mut Core, whole: Whole, options: &ImportOptions) -> Result<Imported> {
    let people = People::of(core, options.unknown_people == Unknown::Skip).await?;
    people.may_create()?;
    write::by_index(core).await?;
    let keys = sqlx::query_scalar!("select key from projects").fetch_all(core.sql()).await?.into_iter().collect();
    let mut taking = Taking {
        core,
        people,
        complaints: Complaints::default(),
        pending: Pending::default(),
        imported: Imported::default(),
        projects: HashMap::new(),
        labels: HashMap::new(),
        tasks: HashMap::new(),
        numbers: HashSet::new(),
        keys,
        taken: options.taken_keys,
        origin: String::new(),
    };
    let mut heaps = read::lines(whole.0);
    while let Some(heap) = heaps.recv().await {
        for (number, line) in heap? {
            taking.imported.lines = number;
            match line {
                Ok(line) => taking.line(number, line).await?,
                Err(Faults(faults)) => faults.into_iter().for_each(|fault| taking.complaints.push(number, fault)),
            }
        }
        if taking.complaints.are_enough() {
            break;
        }
    }
    taking.end().await
}

impl Taking<'_> {
    async fn line(&mut self, number: u32, line: Line) -> Result<()> {
        if matches!(line, Line::Header(_)) != (number == 1) {
            self.complaints.add(number, "", &ImportFault::Header);
        }
        match line {
            Line::Header(header) => self.origin = header.organization.slug,
            Line::Member(member) => self.people.know(member.id, &member.email),
            Line::Project(project) => self.project(number, project).await?,
            Line::Label(label) => self.label(number, label),
            Line::Task(task) => self.task(number, *task)?,
            Line::Reminder(reminder) => self.reminder(number, reminder),
            Line::Comment(comment) => self.comment(number, &comment),
            Line::Event | Line::End => {}
        }
        if self.pending.is_full() { self.write().await } else { Ok(()) }
    }

    /// Once something is wrong nothing will stay: then it is only read.
    async fn write(&mut self) -> Result<()> {
        if self.complaints.are_none() {
            self.pending.write(self.core, &self.origin, &mut self.imported).await
        } else {
            self.pending = Pending::default();
            Ok(())
        }
    }

    async fn project(&mut self, line: u32, given: Project) -> Result<()> {
        let former_key = given.key.to_string();
        let Some(key) = self.free_key(&given.key) else {
            self.complaints.add(line, "/key", &ImportFault::KeyTaken);
            return Ok(());
        };
        let projects = i64::try_from(self.keys.len()).unwrap_or(i64::MAX);
        self.core.db.quotas.admit(Quota::Projects, projects)?;
        let id = ProjectId::new();
        let place = Place { id, last_number: 0, tasks: 0, labels: HashSet::new() };
        if self.projects.insert(given.id, place).is_some() {
            self.complaints.add(line, "/id", &ImportFault::Repeated);
        }
        let author = self.people.author(given.created_by.as_ref(), &mut self.complaints, line, "/created_by");
        let mut grants = HashMap::from([(self.people.me.0, "manager")]);
        for grant in &given.grants {
            match self.people.find(&grant.member, &mut self.complaints, line, "/grants") {
                Some(account) => drop(grants.entry(account.0).or_insert(grant.role.as_str())),
                None => self.imported.skip(Skipped { line, reason: "unknown_person" }),
            }
        }
        if self.complaints.are_none() {
            self.insert_project(id, &key, &given, author, &grants).await?;
        }
        self.imported.projects.push(ImportedProject { id, key, former_key });
        Ok(())
    }

    /// Who imports a project manages it, as whoever creates one does.
    async fn insert_project(
        &mut self,
        id: ProjectId,
        key: &str,
        given: &Project,
        author: AccountId,
        grants: &HashMap<Uuid, &'static str>,
    ) -> Result<()> {
        sqlx::query!(
            "with project as (
                 insert into projects (org_id, id, key, name, description, colour, visibility, archived_at, created_by, created_at, position)
                 select current_org(), $1, $2, $3, $4, $5, $6, case when $7::boolean then now() end, $8, coalesce($9, now()),
                        (select coalesce(max(position), 0) + 1 from projects)
                 returning id)
             insert into project_grants (org_id, project_id, account_id, role)
             select current_org(), id, g.account_id, g.role
             from project, unnest($10::uuid[], $11::text[]) as g (account_id, role)",
            id.0,
            key,
            given.name.as_str(),
            given.description.as_ref().map_or("", Description::as_str),
            given.colour.as_ref().map(Colour::as_str),
            given.visibility.as_str(),
            given.archived,
            author.0,
            given.created_at.map(crate::time::Instant::sql) as _,
            &grants.keys().copied().collect::<Vec<_>>(),
            &grants.values().map(|role| (*role).to_owned()).collect::<Vec<_>>(),
        )
        .execute(self.core.sql())
        .await?;
        let told =
            json!({ "key": key, "name": given.name, "visibility": given.visibility, "imported_from": self.origin });
        audit::record(self.core, Event::new(Action::ProjectCreated).about(id).after(told)).await
    }

    /// The key, or the next one that nobody has.
    fn free_key(&mut self, wanted: &ProjectKey) -> Option<String> {
        let numbered = (2..).map(|number: u32| {
            let number = number.to_string();
            let stem: String = wanted.as_str().chars().take(10 - number.len()).collect();
            format!("{stem}{number}")
        });
        let mut names = std::iter::once(wanted.to_string()).chain(numbered);
        let key = match self.taken {
            Taken::Rename => names.find(|key| !self.keys.contains(key)),
            Taken::Fault => names.next().filter(|key| !self.keys.contains(key)),
        }?;
        self.keys.insert(key.clone());
        Some(key)
    }

    fn label(&mut self, line: u32, given: Label) {
        let Some(place) = self.projects.get_mut(&given.project) else {
            return self.complaints.add(line, "/project", &ImportFault::UnknownProject);
        };
        if !place.labels.insert(given.name.as_str().to_lowercase()) {
            self.complaints.add(line, "/name", &ImportFault::Repeated);
        }
        let most = self.core.db.quotas.labels;
        if place.labels.len() > most as usize {
            self.complaints.add(line, "", &ImportFault::TooMany(most));
        }
        let (id, project) = (Uuid::now_v7(), place.id);
        if self.labels.insert(given.id, (id, project)).is_some() {
            self.complaints.add(line, "/id", &ImportFault::Repeated);
        }
        let (name, colour) = (given.name.to_string(), given.colour.map(|colour| colour.to_string()));
        self.pending.labels.push(LabelRow { id, project, name, colour });
    }

    fn reminder(&mut self, line: u32, given: Reminder) {
        let Some(task) = self.tasks.get_mut(&given.task) else {
            return self.complaints.add(line, "/task", &ImportFault::UnknownTask);
        };
        task.reminders = task.reminders.saturating_add(1);
        let most = self.core.db.quotas.reminders;
        if u32::from(task.reminders) > most {
            self.complaints.add(line, "", &ImportFault::TooMany(most));
        }
        if matches!(given.when, When::Offset { .. }) && !task.is_due {
            self.complaints.add(line, "/when", &ImportFault::OffsetWithoutDue);
        }
        let task = task.id;
        let to = match &given.to {
            Told::Assignees => None,
            Told::Person(email) => match self.people.find(email, &mut self.complaints, line, "/to") {
                Some(account) => Some(account),
                None => return self.imported.skip(Skipped { line, reason: "unknown_person" }),
            },
        };
        self.pending.reminders.push(ReminderRow {
            line,
            id: ReminderId::new(),
            task,
            when: given.when,
            skip_after: given.skip_after,
            to,
        });
    }

    fn comment(&mut self, line: u32, given: &Comment) {
        let Some(task) = self.tasks.get(&given.task) else {
            return self.complaints.add(line, "/task", &ImportFault::UnknownTask);
        };
        let task = task.id;
        if given.body.as_str().is_empty() {
            self.complaints.add(line, "/body", &ImportFault::Empty);
        }
        // Never in somebody else's name.
        let Some(author) = self.people.find(&given.author, &mut self.complaints, line, "/author") else {
            return self.imported.skip(Skipped { line, reason: "unknown_person" });
        };
        let (body, mentions) = self.people.rename_mentions(given.body.as_str());
        let (created_at, edited_at) =
            (given.created_at.map(crate::time::Instant::sql), given.edited_at.map(crate::time::Instant::sql));
        self.pending.comments.push(CommentRow { task, author, body, mentions, created_at, edited_at });
    }

    /// What is left, and what the whole amounts to.
    async fn end(mut self) -> Result<Imported> {
        self.write().await?;
        if !self.complaints.are_none() {
            return Err(Error::Invalid(Faults(self.complaints.0)));
        }
        let places: Vec<&Place> = self.projects.values().collect();
        sqlx::query!(
            "update projects p set last_number = n.last_number, task_count = n.tasks
             from unnest($1::uuid[], $2::integer[], $3::integer[]) as n (id, last_number, tasks) where p.id = n.id",
            &places.iter().map(|place| place.id.0).collect::<Vec<_>>(),
            &places.iter().map(|place| place.last_number).collect::<Vec<_>>(),
            &places.iter().map(|place| place.tasks).collect::<Vec<_>>(),
        )
        .execute(self.core.sql())
        .await?;
        // Two imports at once, or one beside a new project: the second one counts the first.
        memberships::lock_actor::<CreateProjects>(self.core).await?;
        let projects =
            sqlx::query_scalar!(r#"select count(*) as "count!" from projects"#).fetch_one(self.core.sql()).await?;
        self.core.db.quotas.admit(Quota::Projects, projects)?;
        still_members(self.core, &self.people).await?;
        let told =
            json!({ "from": self.origin, "projects": self.imported.projects.len(), "tasks": self.imported.tasks });
        audit::record(self.core, Event::new(Action::OrganizationImported).after(told)).await?;
        Ok(self.imported)
    }
}

/// Nobody is given anything who has gone meanwhile; and whoever would remove one of them now waits, and then takes it from them.
/// Last, so that they do not wait for all that came before: the projects of an import are nobody's yet, so no lock is held that
/// they could hold up.
pub(super) async fn still_members(core: &mut Core, people: &People) -> Result<()> {
    let kept = memberships::keep(core, people.used.iter().copied()).await?;
    let active: HashSet<AccountId> = kept.into_iter().filter(|member| member.active).map(|member| member.id).collect();
    if people.used.iter().all(|account| active.contains(account)) {
        Ok(())
    } else {
        Err(Error::Conflict {
            code: "not_a_member",
            detail: "somebody in it is not an active member of the organization any more",
        })
    }
}

impl Seen {
    pub(super) fn new(id: TaskId, project: ProjectId, is_subtask: bool, is_due: bool) -> Self {
        Self { id, project, is_subtask, is_due, reminders: 0 }
    }
}
