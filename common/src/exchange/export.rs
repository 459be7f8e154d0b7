//! Everything of an organization, as of one moment, line by line into a file; then the log says so, and only then is it sent.

use futures::{Stream, TryStreamExt as _};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    Counts, Desk, Spool, VERSION,
    lines::{Comment, Event, Grant, Header, Label, Line, Member, Organization, Project, Recurrence, Reminder, Task},
    people::Everybody,
    seal::End,
};
use crate::{
    access::{Committed, ListMembers, OwnOrganization, Permission, Permissions, ReadAudit, ReadTasks, Scope, Written},
    audit::{self, Action, Event as Deed},
    error::{Error, Result},
    notifications::DefaultReminders,
    time::{DueColumns, WhenColumns},
};

/// A file that is being written.
struct Writer {
    spool: Spool,
    digest: Sha256,
    counts: Counts,
}

impl Writer {
    async fn put(&mut self, line: &impl Serialize) -> Result<()> {
        let mut bytes = serde_json::to_vec(line).map_err(|fault| Error::Internal(Box::new(fault)))?;
        bytes.push(b'\n');
        self.digest.update(&bytes);
        self.spool.write(&bytes).await
    }

    /// Each row, as it comes from the database: none waits for the others.
    async fn each<'a, R>(
        &mut self,
        rows: impl Stream<Item = sqlx::Result<R>>,
        count: fn(&mut Counts) -> &mut u64,
        line: impl Fn(R) -> Line<'a>,
    ) -> Result<()> {
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await? {
            self.put(&line(row)).await?;
            *count(&mut self.counts) += 1;
        }
        Ok(())
    }

    /// The last line, and back to the first.
    async fn end(mut self) -> Result<Spool> {
        let end = End::of(self.counts, self.digest.clone());
        self.put(&end).await?;
        self.spool.rewind().await?;
        Ok(self.spool)
    }
}

/// The organization as JSON lines (docs/adr/0021). Private projects are in it if an owner asks, whatever was granted to them.
///
/// # Errors
/// [`Error::Forbidden`] for who cannot read tasks or members, [`Error::Busy`].
pub async fn export(mut scope: Scope<ReadAudit>, desk: &Desk) -> Result<Committed<Spool>> {
    let mut file = Writer { spool: desk.spool()?, digest: Sha256::new(), counts: Counts::default() };
    let (header, expected) = header(&mut scope).await?;
    let private = header.private_projects;
    file.put(&Line::Taskbell(header)).await?;
    let people = Everybody::of(scope.core()).await?;
    for person in people.in_order() {
        let (email, name, role, status) = (&person.email, &person.name, &person.role, &person.status);
        file.put(&Line::Member(Member { id: person.id, email, name, role, status })).await?;
        file.counts.members += 1;
    }
    let projects = projects(&mut scope, &people, private).await?;
    for project in projects {
        let id = project.id;
        file.put(&Line::Project(project)).await?;
        file.counts.projects += 1;
        content(&mut scope, &mut file, &people, id).await?;
    }
    if file.counts != expected {
        return Err(Error::Internal("an export has other lines than its header says".into()));
    }
    let told = json!({ "private_projects": private, "counts": file.counts });
    audit::record(scope.core(), Deed::new(Action::OrganizationExported).after(told)).await?;
    let spool = file.end().await?;
    scope.commit(Written(spool)).await
}

/// The first line: what there will be, and who may have it.
async fn header(scope: &mut Scope<ReadAudit>) -> Result<(Header, Counts)> {
    let row = sqlx::query!(
        r#"with included as (
               select id from projects where visibility = 'open' or has_permission($1)
           ), work as (
               select t.id from tasks t where t.project_id in (select id from included) and t.deleted_at is null
           )
           select o.id, o.slug, o.name, o.time_zone, nullif(o.default_reminders, '[]') as "default_reminders: DefaultReminders", now() as "now!", current_permissions() as "held!: Permissions",
                  (select count(*) from memberships) as "members!", (select count(*) from included) as "projects!",
                  (select count(*) from labels where project_id in (select id from included)) as "labels!",
                  (select count(*) from work) as "tasks!",
                  (select count(*) from reminders where task_id in (select id from work) and removed_at is null and not snooze) as "reminders!",
                  (select count(*) from comments where task_id in (select id from work) and deleted_at is null) as "comments!",
                  (select count(*) from task_events where task_id in (select id from work)) as "events!"
           from organizations o"#,
        OwnOrganization::BITS,
    )
    .fetch_one(scope.sql())
    .await?;
    // Whoever may export may read what is exported; of a token its scopes must say so.
    for (held, name) in
        [(row.held.hold::<ReadTasks>(), ReadTasks::NAME), (row.held.hold::<ListMembers>(), ListMembers::NAME)]
    {
        if !held {
            return Err(Error::Forbidden(name));
        }
    }
    let count = |rows: i64| u64::try_from(rows).unwrap_or_default();
    let counts = Counts {
        members: count(row.members),
        projects: count(row.projects),
        labels: count(row.labels),
        tasks: count(row.tasks),
        reminders: count(row.reminders),
        comments: count(row.comments),
        events: count(row.events),
    };
    let organization = Organization {
        id: row.id,
        slug: row.slug,
        name: row.name,
        time_zone: row.time_zone,
        default_reminders: row.default_reminders,
    };
    let private_projects = row.held.own();
    Ok((Header { version: VERSION, organization, at: row.now, private_projects, counts }, counts))
}

async fn projects<'a>(scope: &mut Scope<ReadAudit>, people: &'a Everybody, private: bool) -> Result<Vec<Project<'a>>> {
    let rows = sqlx::query!(
        r#"select id, key, name, description, colour, visibility, archived_at is not null as "archived!", created_by, created_at,
                  array(select g.account_id from project_grants g where g.project_id = p.id order by g.account_id) as "members!",
                  array(select g.role from project_grants g where g.project_id = p.id order by g.account_id) as "roles!"
           from projects p where visibility = 'open' or $1 order by position, id"#,
        private,
    )
    .fetch_all(scope.sql())
    .await?;
    let project = rows.into_iter().map(|row| Project {
        id: row.id,
        key: row.key,
        name: row.name,
        description: row.description,
        colour: row.colour,
        visibility: row.visibility,
        archived: row.archived,
        grants: people
            .emails(&row.members)
            .into_iter()
            .zip(row.roles)
            .map(|(member, role)| Grant { member, role })
            .collect(),
        created_by: people.email(row.created_by),
        created_at: row.created_at,
    });
    Ok(project.collect())
}

/// What is in a project, each line after those that it names.
async fn content(scope: &mut Scope<ReadAudit>, file: &mut Writer, people: &Everybody, project: Uuid) -> Result<()> {
    let labels = sqlx::query_as!(
        Label,
        r#"select id, project_id as project, name, colour from labels where project_id = $1 order by id"#,
        project
    );
    file.each(labels.fetch(scope.sql()), |counts| &mut counts.labels, Line::Label).await?;
    tasks(scope, file, people, project, false).await?;
    tasks(scope, file, people, project, true).await?;
    let reminders = sqlx::query!(
        r#"select r.task_id, r."offset", r.local_time, r.time_zone, r.at, r.skip_after, r.account_id
           from reminders r join tasks t on t.id = r.task_id
           where t.project_id = $1 and t.deleted_at is null and r.removed_at is null and not r.snooze order by r.task_id, r.id"#,
        project
    );
    file.each(
        reminders.fetch(scope.sql()),
        |counts| &mut counts.reminders,
        |row| {
            let when = WhenColumns { offset: row.offset, local: row.local_time, zone: row.time_zone, at: row.at };
            let to = row.account_id.map_or("assignees", |account| people.email(account));
            let skip_after = row.skip_after.and_then(|text| text.parse().ok());
            Line::Reminder(Reminder { task: row.task_id, when: when.when(), skip_after, to })
        },
    )
    .await?;
    let comments = sqlx::query!(
        "select c.task_id, c.author_id, c.body, c.created_at, c.edited_at from comments c join tasks t on t.id = c.task_id
         where t.project_id = $1 and t.deleted_at is null and c.deleted_at is null order by c.task_id, c.id",
        project
    );
    file.each(
        comments.fetch(scope.sql()),
        |counts| &mut counts.comments,
        |row| {
            let (author, body) = (people.email(row.author_id), row.body);
            Line::Comment(Comment {
                task: row.task_id,
                author,
                body,
                created_at: row.created_at,
                edited_at: row.edited_at,
            })
        },
    )
    .await?;
    let events = sqlx::query!(
        "select e.task_id, e.actor_id, e.action, e.changes, e.at from task_events e join tasks t on t.id = e.task_id
         where t.project_id = $1 and t.deleted_at is null order by e.task_id, e.id",
        project
    );
    file.each(
        events.fetch(scope.sql()),
        |counts| &mut counts.events,
        |row| {
            let (actor, action) = (people.email(row.actor_id), row.action);
            Line::Event(Event { task: row.task_id, actor, action, changes: row.changes, at: row.at })
        },
    )
    .await
}

/// The tasks of a project by number; first those that others may hang under.
async fn tasks(
    scope: &mut Scope<ReadAudit>,
    file: &mut Writer,
    people: &Everybody,
    project: Uuid,
    subtasks: bool,
) -> Result<()> {
    let rows = sqlx::query!(
        r#"select t.id, t.number, t.title, t.description, t.status, t.priority, t.start_on, t.start_local, t.start_zone, t.start_at,
                  t.due_on, t.due_local, t.due_zone, t.due_at, t.recurrence, t.recurrence_basis, t.recurrence_start, t.occurrence,
                  (select p.id from tasks p where p.id = t.parent_id and p.deleted_at is null) as parent,
                  t.position::text as "position!", t.created_by, t.created_at, t.updated_at, t.completed_by, t.completed_at,
                  array(select l.label_id from task_labels l where l.task_id = t.id order by 1) as "labels!",
                  array(select a.account_id from task_assignees a where a.task_id = t.id order by 1) as "assignees!",
                  array(select w.account_id from task_watches w where w.task_id = t.id and w.state = 'watching' order by 1) as "watching!",
                  array(select w.account_id from task_watches w where w.task_id = t.id and w.state = 'muted' order by 1) as "muted!"
           from tasks t where t.project_id = $1 and t.deleted_at is null and (t.parent_id is not null) = $2 order by t.number"#,
        project,
        subtasks,
    );
    file.each(
        rows.fetch(scope.sql()),
        |counts| &mut counts.tasks,
        |row| {
            let start = DueColumns { on: row.start_on, local: row.start_local, zone: row.start_zone, at: row.start_at };
            let due = DueColumns { on: row.due_on, local: row.due_local, zone: row.due_zone, at: row.due_at };
            let turns = row.recurrence.zip(row.recurrence_basis).zip(row.recurrence_start);
            Line::Task(Box::new(Task {
                id: row.id,
                project,
                number: row.number,
                title: row.title,
                description: row.description,
                status: row.status,
                priority: row.priority,
                start: start.due(),
                due: due.due(),
                recurrence: turns.map(|((rule, from), start)| Recurrence {
                    rule,
                    from,
                    start,
                    occurrence: row.occurrence,
                }),
                parent: row.parent,
                position: row.position,
                labels: row.labels,
                assignees: people.emails(&row.assignees),
                watching: people.emails(&row.watching),
                muted: people.emails(&row.muted),
                created_by: people.email(row.created_by),
                created_at: row.created_at,
                updated_at: row.updated_at,
                completed_by: row.completed_by.map(|account| people.email(account)),
                completed_at: row.completed_at,
            }))
        },
    )
    .await
}
