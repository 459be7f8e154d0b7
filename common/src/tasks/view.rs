//! What of a task is shown: `fields=` takes away, `expand=` adds.

use std::{collections::HashMap, hash::Hash, str::FromStr, sync::Arc};

use deserr::Deserr;
use serde::{Serialize, Serializer, ser::SerializeMap};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Task, TaskStatus};
use crate::{
    access::{Core, ListMembers, Permission},
    error::Result,
    ids::{AccountId, OrgId, ProjectId, TaskId},
    input::{Fault, Faults},
    page::Page,
    parameters::{NotOneOf, Several, names},
    shown::Shown,
};

/// The fields of a task that can be asked for.
const FIELDS: [&str; 26] = [
    "id",
    "project_id",
    "key",
    "parent_id",
    "title",
    "description",
    "status",
    "priority",
    "start",
    "due",
    "recurrence",
    "occurrence",
    "assignees",
    "labels",
    "position",
    "subtask_count",
    "completed_subtask_count",
    "created_by",
    "created_at",
    "updated_at",
    "completed_at",
    "completed_by",
    "deleted_at",
    "permissions",
    "version",
    "expanded",
];

/// The name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskField(&'static str);

crate::schema::one_of!(TaskField, "A field of a task.", FIELDS);

/// The text is no field of a task.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be fields of a task: {}", FIELDS.join(", "))]
pub struct NotAField;

impl Fault for NotAField {
    fn code(&self) -> &'static str {
        NotOneOf(&[]).code()
    }
}

impl FromStr for TaskField {
    type Err = NotAField;

    fn from_str(text: &str) -> Result<Self, NotAField> {
        FIELDS.iter().find(|known| **known == text).map(|known| Self(known)).ok_or(NotAField)
    }
}

names! {
    /// What is shown beside its id.
    Expand:
        /// The people who do it.
        Assignees = "assignees",
        /// Its labels; they are shown anyway.
        Labels = "labels",
        /// Its project.
        Project = "project",
        /// The task that it is a part of.
        Parent = "parent",
        /// Who asked for it.
        CreatedBy = "created_by";
}

/// What of one task.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct TaskShape {
    /// These fields alone.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<TaskField>>, example = json!(["key", "title", "due"]))]
    pub fields: Option<Several<TaskField>>,
    /// What these ids stand for, too, in `expanded`.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<Expand>>, example = json!(["project", "assignees"]))]
    pub expand: Option<Several<Expand>>,
}

/// A task as it was asked for.
#[derive(Clone, Debug)]
pub struct TaskView {
    whole: WholeTask,
    fields: Option<Arc<[TaskField]>>,
}

/// A task, and with `expand` what its ids stand for.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaskView)]
pub(super) struct WholeTask {
    #[serde(flatten)]
    task: Task,
    #[serde(flatten)]
    beside: Beside,
}

/// What is shown of other things beside it.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(super) struct Beside {
    /// Where it is, in a list over several organizations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    organization: Option<OrganizationBrief>,
    /// What its ids stand for, as far as `expand` asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expanded: Option<Expanded>,
}

/// What the ids of a task stand for.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Expanded {
    /// Its project.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub project: Option<ProjectBrief>,
    /// The task that it is a part of; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent: Option<TaskBrief>,
    /// Who does it, in the order of `assignees`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assignees: Option<Vec<PersonBrief>>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub created_by: Option<PersonBrief>,
}

/// An organization in short.
#[derive(Clone, Debug, Serialize, FromRow, ToSchema)]
pub struct OrganizationBrief {
    /// Its id.
    pub id: OrgId,
    /// Its name in paths.
    #[schema(example = "acme")]
    pub slug: String,
    /// Its name.
    #[schema(example = "Acme and Sons")]
    pub name: String,
}

/// A project in short.
#[derive(Clone, Debug, Serialize, FromRow, ToSchema)]
pub struct ProjectBrief {
    /// Its id.
    pub id: ProjectId,
    /// Stands before its tasks' numbers.
    #[schema(example = "OPS")]
    pub key: String,
    /// Its name.
    #[schema(example = "Operations")]
    pub name: String,
    /// `#rrggbb`.
    #[schema(example = "#2f6f4e")]
    pub colour: Option<String>,
}

/// A task in short.
#[derive(Clone, Debug, Serialize, FromRow, ToSchema)]
pub struct TaskBrief {
    /// Its id.
    pub id: TaskId,
    /// Its short name.
    #[schema(example = "OPS-42")]
    pub key: String,
    /// One line.
    #[schema(example = "Pay the rent")]
    pub title: String,
    /// How it stands.
    pub status: TaskStatus,
}

/// A person in short.
#[derive(Clone, Debug, Serialize, FromRow, ToSchema)]
pub struct PersonBrief {
    /// Their account.
    pub id: AccountId,
    /// Their name.
    #[schema(example = "Ada")]
    pub name: String,
    /// Their address, for those who may list members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "ada@example.org")]
    pub email: Option<String>,
}

impl Serialize for TaskView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(fields) = &self.fields else { return self.whole.serialize(serializer) };
        let value = serde_json::to_value(&self.whole).map_err(serde::ser::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in value.as_object().into_iter().flatten().filter(|(name, _)| shows(fields, name)) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// What was expanded was asked for.
fn shows(fields: &[TaskField], name: &str) -> bool {
    matches!(name, "expanded" | "organization") || fields.iter().any(|field| field.0 == name)
}

impl TaskView {
    /// With the organization that it is of.
    pub(super) fn of(self, organization: OrganizationBrief) -> Self {
        let beside = Beside { organization: Some(organization), ..self.whole.beside };
        Self { whole: WholeTask { beside, ..self.whole }, ..self }
    }
}

impl Shown for TaskView {
    fn version(&self) -> Option<i32> {
        Some(self.whole.task.version)
    }
}

/// One task as it was asked for.
pub(super) async fn one(core: &mut Core, task: Task, shape: TaskShape) -> Result<TaskView> {
    let mut views = views(core, vec![task], shape.fields, &shape.expand.unwrap_or_default()).await?;
    views.pop().ok_or(crate::Error::NotFound)
}

/// A page of tasks as they were asked for.
pub(super) async fn page(
    core: &mut Core,
    page: Page<Task>,
    fields: Option<Several<TaskField>>,
    expand: Several<Expand>,
) -> Result<Page<TaskView>> {
    let Page { data, page } = page;
    Ok(Page { data: views(core, data, fields, &expand).await?, page })
}

/// At most one more statement for each kind of thing, however many tasks there are.
pub(super) async fn views(
    core: &mut Core,
    tasks: Vec<Task>,
    fields: Option<Several<TaskField>>,
    expand: &Several<Expand>,
) -> Result<Vec<TaskView>> {
    let fields: Option<Arc<[TaskField]>> = fields.map(|fields| fields.0.into());
    let view = |task, expanded| TaskView {
        whole: WholeTask { task, beside: Beside { organization: None, expanded } },
        fields: fields.clone(),
    };
    if expand.0.is_empty() {
        return Ok(tasks.into_iter().map(|task| view(task, None)).collect());
    }
    let asked = |kind| expand.0.contains(&kind);
    let projects = if asked(Expand::Project) { projects(core, &tasks).await? } else { HashMap::new() };
    let parents = if asked(Expand::Parent) { parents(core, &tasks).await? } else { HashMap::new() };
    let people = if asked(Expand::Assignees) || asked(Expand::CreatedBy) {
        let assignees = tasks.iter().flat_map(|task| &task.assignees).filter(|_| asked(Expand::Assignees));
        let authors = tasks.iter().map(|task| &task.created_by).filter(|_| asked(Expand::CreatedBy));
        people(core, assignees.chain(authors).map(|account| account.0)).await?
    } else {
        HashMap::new()
    };
    let expanded = |task: &Task| Expanded {
        project: projects.get(&task.project_id).cloned(),
        parent: task.parent_id.and_then(|parent| parents.get(&parent).cloned()),
        assignees: asked(Expand::Assignees)
            .then(|| task.assignees.iter().filter_map(|account| people.get(account).cloned()).collect()),
        created_by: people.get(&task.created_by).filter(|_| asked(Expand::CreatedBy)).cloned(),
    };
    let shown = |task| {
        let expanded = expanded(&task);
        view(task, Some(expanded))
    };
    Ok(tasks.into_iter().map(shown).collect())
}

/// The one whose content is read at this moment.
pub(super) async fn organization(core: &mut Core) -> Result<OrganizationBrief> {
    let organization = sqlx::query_as!(
        OrganizationBrief,
        r#"select id as "id: OrgId", slug, name from organizations where id = current_org()"#
    )
    .fetch_one(core.sql())
    .await?;
    Ok(organization)
}

async fn projects(core: &mut Core, tasks: &[Task]) -> Result<HashMap<ProjectId, ProjectBrief>> {
    let ids = once(tasks.iter().map(|task| task.project_id.0));
    let projects = sqlx::query_as!(
        ProjectBrief,
        r#"select id as "id: ProjectId", key, name, colour from projects where id = any($1)"#,
        &ids
    )
    .fetch_all(core.sql())
    .await?;
    Ok(by(projects, |project| project.id))
}

/// They are in the project of their parts: who sees the one sees the other.
async fn parents(core: &mut Core, tasks: &[Task]) -> Result<HashMap<TaskId, TaskBrief>> {
    let ids = once(tasks.iter().filter_map(|task| task.parent_id).map(|parent| parent.0));
    let parents = sqlx::query_as!(
        TaskBrief,
        r#"select t.id as "id: TaskId", format('%s-%s', p.key, t.number) as "key!", t.title, t.status as "status: TaskStatus"
           from tasks t join projects p on p.org_id = t.org_id and p.id = t.project_id where t.id = any($1)"#,
        &ids
    )
    .fetch_all(core.sql())
    .await?;
    Ok(by(parents, |parent| parent.id))
}

/// Names for everybody who sees the task; addresses for those who may list members.
async fn people(core: &mut Core, accounts: impl Iterator<Item = Uuid>) -> Result<HashMap<AccountId, PersonBrief>> {
    let people = sqlx::query_as!(
        PersonBrief,
        r#"select id as "id: AccountId", name, case when has_permission($2) then email end as email
           from accounts where id = any($1)"#,
        &once(accounts),
        ListMembers::BITS
    )
    .fetch_all(core.sql())
    .await?;
    Ok(by(people, |person| person.id))
}

fn once(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn by<K: Eq + Hash, T>(things: Vec<T>, key: impl Fn(&T) -> K) -> HashMap<K, T> {
    things.into_iter().map(|thing| (key(&thing), thing)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_that_a_task_has() {
        assert!("title".parse::<TaskField>().is_ok());
        assert_eq!("colour".parse::<TaskField>().unwrap_err().code(), "not_one_of");
    }
}
