//! Many deeds in one transaction: all of them or none, or each for itself.

use std::str::FromStr;

use deserr::Deserr;
use sqlx::raw_sql;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    NewTask, PlannedTask, Position, TaskChanges, TaskRef, complete, create, delete,
    lock::{lock_projects, lock_tasks},
    position, reopen, restore, update,
};
use crate::{
    access::{Core, InProject, Scope, WriteTasks, Written},
    error::{Error, Result},
    ids::{AccountId, ProjectId},
    input::{Fault, Faults, Patch},
    memberships,
    precondition::Precondition,
    reminders::Recipient,
};

/// How many deeds at once.
const MOST: usize = 100;

/// Deeds that are done one after another.
#[derive(Debug, Deserr, ToSchema)]
#[schema(example = json!({ "mode": "atomic", "operations": [
    { "op": "create", "task": { "project": "01a20393-c05f-7000-8000-000000000003", "title": "Pay the rent" } },
    { "op": "update", "id": "OPS-42", "if_match": "*", "changes": { "priority": 3 } },
    { "op": "complete", "id": "OPS-42" },
] }))]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Batch {
    /// Whether they stand or fall together.
    pub mode: Mode,
    /// 1 to 100 of them.
    #[schema(min_items = 1, max_items = 100)]
    pub operations: Vec<Operation>,
}

/// Whether deeds stand or fall together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserr, ToSchema)]
#[schema(as = BatchMode, rename_all = "lowercase")]
#[deserr(error = Faults, rename_all = lowercase)]
pub enum Mode {
    /// All or none.
    Atomic,
    /// Each for itself.
    Independent,
}

/// One deed. Each kind has fields of its own ([`check`]); `described.rs` says which.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Operation {
    /// What is done.
    pub op: Deed,
    /// To which task.
    #[deserr(default)]
    pub id: Option<TaskRef>,
    /// Which version of it is meant, as `If-Match` would say it.
    #[deserr(default)]
    pub if_match: Option<Version>,
    /// The new task.
    #[deserr(default)]
    pub task: Option<NewTask>,
    /// What changes.
    #[deserr(default)]
    pub changes: Option<TaskChanges>,
    /// Behind which task it moves; null: before all of them.
    #[deserr(default)]
    pub after: Patch<TaskRef>,
}

/// What can be done in a batch: each as by its own route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserr)]
#[deserr(error = Faults, rename_all = lowercase)]
pub enum Deed {
    /// `POST …/tasks`.
    Create,
    /// `PATCH …/tasks/{id}`.
    Update,
    /// `PUT …/tasks/{id}/completion`.
    Complete,
    /// `DELETE …/tasks/{id}/completion`.
    Reopen,
    /// `DELETE …/tasks/{id}`.
    Delete,
    /// `DELETE …/tasks/{id}/deletion`.
    Restore,
    /// `PUT …/tasks/{id}/position`.
    Move,
}

/// A version, an entity tag without its quotes, or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(Precondition);

/// The text is none of these.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be a version such as 3, an entity tag, or *")]
pub struct NotAVersion;

impl Fault for NotAVersion {
    fn code(&self) -> &'static str {
        "not_a_version"
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        if text == "*" {
            return Ok(Self(Precondition::Any));
        }
        let version = text.trim_matches('"').split('-').next().unwrap_or_default();
        let plain = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        match version.parse() {
            Ok(version) if plain => Ok(Self(Precondition::OneOf(vec![version]))),
            _ => Err(NotAVersion),
        }
    }
}

crate::input::parsed_field!(Version);
crate::schema::reads_as_text!(
    Version,
    "A version, an entity tag with or without its quotes, or `*`.",
    "*",
    pattern: r#"^(?:\*|"?[0-9]{1,9}(?:-[0-9a-f]*)?"?)$"#,
);

/// Why a batch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum BatchFault {
    #[error("must be 1 to 100")]
    HowMany,
    #[error("is required by this operation")]
    Missing,
    #[error("is not known to this operation")]
    Unknown,
}

impl Fault for BatchFault {
    fn code(&self) -> &'static str {
        match self {
            Self::HowMany => "wrong_length",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

/// What has become of one deed.
#[derive(Debug)]
pub struct Done {
    /// Where in the batch it stands.
    pub place: String,
    /// The task as it is now, none if it is deleted; or why it was not done.
    pub result: Result<(Deed, Option<PlannedTask>)>,
}

/// Does them in their order. In [`Mode::Independent`] each is done behind a savepoint, and what fails leaves nothing of itself.
///
/// # Errors
/// What is wrong with their form; [`Error::Batch`] when they stand or fall together, and which it was.
pub async fn batch(scope: &mut Scope<WriteTasks>, batch: Batch) -> Result<Written<Vec<Done>>> {
    let Batch { mode, operations } = batch;
    check(&operations)?;
    lock(scope.core(), &operations).await?;
    let mut done = Vec::with_capacity(operations.len());
    for (index, operation) in operations.into_iter().enumerate() {
        let place = match operation.op {
            Deed::Create => format!("/operations/{index}/task"),
            Deed::Update => format!("/operations/{index}/changes"),
            _ => format!("/operations/{index}"),
        };
        raw_sql("savepoint deed").execute(scope.sql()).await?;
        let deed = operation.op;
        let mut result = one(scope, operation).await;
        if result.is_ok() {
            // What is otherwise only looked at in the end would be nobody's fault then.
            let looked = raw_sql("set constraints all immediate; set constraints all deferred; release deed");
            result = looked.execute(scope.sql()).await.map_err(Error::from).and(result);
        }
        match (result, mode) {
            (Err(fault @ (Error::Busy | Error::Unavailable(_) | Error::Internal(_))), _) => return Err(fault),
            (Err(fault), Mode::Atomic) => return Err(Error::Batch { place, cause: Box::new(fault) }),
            (Err(fault), Mode::Independent) => {
                raw_sql("rollback to deed; release deed").execute(scope.sql()).await?;
                done.push(Done { place, result: Err(fault) });
            }
            (Ok(task), _) => done.push(Done { place, result: Ok((deed, task)) }),
        }
    }
    Ok(Written(done))
}

async fn one(scope: &mut Scope<WriteTasks>, operation: Operation) -> Result<Option<PlannedTask>> {
    let Operation { op, id, if_match, task, changes, after } = operation;
    let version = if_match.map_or(Precondition::Missing, |Version(version)| version);
    let bare = |task| PlannedTask { task, reminders: Vec::new() };
    // `check` has seen to it that each has what it needs.
    let id = || id.as_ref().ok_or(Error::NotFound);
    Ok(Some(match op {
        Deed::Create => {
            let task = task.ok_or(Error::NotFound)?;
            let mut project = InProject::<WriteTasks>::enter(scope, task.project).await?;
            create(&mut project, task).await?.0
        }
        Deed::Update => update(scope, id()?, &version, changes.unwrap_or_default()).await?.0,
        Deed::Complete => complete(scope, id()?, &version).await?.0,
        Deed::Reopen => reopen(scope, id()?, &version).await?.0,
        Deed::Restore => restore(scope, id()?, &version).await?.0,
        Deed::Move => {
            let after = if let Patch::Set(after) = after { Some(after) } else { None };
            bare(position(scope, id()?, &version, Position { after }).await?.0)
        }
        Deed::Delete => {
            let Written(()) = delete(scope, id()?, &version).await?;
            return Ok(None);
        }
    }))
}

/// Whether each has what it needs, and nothing else.
fn check(operations: &[Operation]) -> Result<(), Faults> {
    if !(1..=MOST).contains(&operations.len()) {
        return Err(Faults::at("/operations", &BatchFault::HowMany));
    }
    let mut faults = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let op = operation.op;
        let fields = [
            ("id", operation.id.is_some(), op != Deed::Create, true),
            ("if_match", operation.if_match.is_some(), op != Deed::Create, false),
            ("task", operation.task.is_some(), op == Deed::Create, true),
            ("changes", operation.changes.is_some(), op == Deed::Update, true),
            ("after", operation.after != Patch::Keep, op == Deed::Move, true),
        ];
        for (name, given, known, needed) in fields {
            let fault = match (given, known) {
                (true, false) => BatchFault::Unknown,
                (false, true) if needed => BatchFault::Missing,
                _ => continue,
            };
            faults.extend(Faults::at(&format!("/operations/{index}/{name}"), &fault).0);
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

/// Everything that the deeds lock, before the first of them and in the one order: people, projects, tasks, each by id. Two batches
/// that name the same in another order never wait for each other (tests/api/batches.rs:
/// `batches_that_name_the_same_tasks_in_another_order_never_wait_for_each_other`).
async fn lock(core: &mut Core, operations: &[Operation]) -> Result<()> {
    let (mut people, mut projects): (Vec<AccountId>, Vec<ProjectId>) = <_>::default();
    let (mut ids, mut keys): (Vec<Uuid>, Vec<(String, i32)>) = <_>::default();
    for operation in operations {
        match &operation.id {
            Some(TaskRef::Id(id)) => ids.push(id.0),
            Some(TaskRef::Key(key, number)) => keys.push((key.to_string(), *number)),
            None => {}
        }
        if let Some(task) = &operation.task {
            projects.push(task.project);
            people.extend(&task.assignees);
            people.extend(task.reminders.iter().flatten().filter_map(|reminder| match reminder.to {
                Recipient::Account(account) => Some(account),
                Recipient::Me | Recipient::Assignees => None,
            }));
        }
        if let Some(changes) = &operation.changes {
            projects.extend(changes.project.0);
            if let Patch::Set(assignees) = &changes.assignees {
                people.extend(assignees);
            }
        }
    }
    let named = sqlx::query!(
        r#"select t.id, t.project_id as "project: ProjectId",
                  array(select r.account_id from reminders r where r.task_id = t.id and r.removed_at is null and r.account_id is not null
                        union select a.account_id from task_assignees a where a.task_id = t.id) as "told!: Vec<AccountId>"
           from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id
           where (t.id = any($1) or (p.key, t.number) in (select * from unnest($2::text[], $3::integer[])))
             and permissions_in(p.id, p.visibility) & $4 = $4"#,
        &ids,
        &keys.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(),
        &keys.iter().map(|(_, number)| *number).collect::<Vec<_>>(),
        <WriteTasks as crate::access::Permission>::BITS,
    )
    .fetch_all(core.sql())
    .await?;
    people.extend(named.iter().flat_map(|task| &task.told));
    projects.extend(named.iter().map(|task| task.project));
    memberships::keep(core, people).await?;
    lock_projects(core, &projects).await?;
    lock_tasks(core, &named.iter().map(|task| task.id).collect::<Vec<_>>()).await
}
