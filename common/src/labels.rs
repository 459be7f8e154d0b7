//! Labels: words that the tasks of one project are sorted by.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::{Core, Implies, InProject, Permission, ReadTasks, WriteTasks, Written},
    error::{Error, Result},
    ids::{LabelId, ProjectId},
    input::{Faults, Given, Patch},
    precondition::Precondition,
    quotas::Quota,
    shown::shown,
    text::{Colour, LabelName},
};

/// A label.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Label {
    /// Its id.
    pub id: LabelId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its name; no other of the project has it, in small or capital letters.
    #[schema(example = "urgent")]
    pub name: String,
    /// `#2f6f4e`, where it has one.
    pub colour: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// Rises with every change.
    pub version: i32,
}

shown!(Label, version);

/// A label to be.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewLabel {
    /// Its name.
    pub name: LabelName,
    /// To be recognized by.
    #[deserr(default)]
    pub colour: Option<Colour>,
}

/// A change of a label; what is absent stays.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct LabelChanges {
    /// Its name.
    #[deserr(default)]
    pub name: Given<LabelName>,
    /// To be recognized by.
    #[deserr(default)]
    pub colour: Patch<Colour>,
}

/// The labels of a project, by name.
///
/// # Errors
/// The database's.
pub async fn list(project: &mut InProject<'_, impl Implies<ReadTasks>>) -> Result<Vec<Label>> {
    let labels = sqlx::query_as!(
        Label,
        r#"select id as "id: LabelId", project_id as "project_id: ProjectId", name, colour, created_at, version
           from labels where project_id = $1 order by lower(name)"#,
        project.id.0,
    )
    .fetch_all(project.core.sql())
    .await?;
    Ok(labels)
}

/// One label of the project.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn show(project: &mut InProject<'_, impl Implies<ReadTasks>>, id: LabelId) -> Result<Label> {
    find(project.core, project.id, id).await
}

async fn find(core: &mut Core, project: ProjectId, id: LabelId) -> Result<Label> {
    sqlx::query_as!(
        Label,
        r#"select id as "id: LabelId", project_id as "project_id: ProjectId", name, colour, created_at, version
           from labels where project_id = $1 and id = $2"#,
        project.0,
        id.0,
    )
    .fetch_optional(core.sql())
    .await?
    .ok_or(Error::NotFound)
}

/// Creates a label.
///
/// # Errors
/// `label_taken`, `quota_reached`, `project_archived`.
pub async fn create(project: &mut InProject<'_, impl Implies<WriteTasks>>, new: NewLabel) -> Result<Written<Label>> {
    lock(project).await?;
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from labels where project_id = $1"#, project.id.0)
        .fetch_one(project.core.sql())
        .await?;
    project.core.db.quotas.admit(Quota::Labels, count + 1)?;
    let label = sqlx::query_as!(
        Label,
        r#"insert into labels (org_id, id, project_id, name, colour) values (current_org(), $1, $2, $3, $4)
           returning id as "id: LabelId", project_id as "project_id: ProjectId", name, colour, created_at, version"#,
        LabelId::new().0,
        project.id.0,
        new.name.as_str(),
        new.colour.as_ref().map(Colour::as_str),
    )
    .fetch_one(project.core.sql())
    .await?;
    Ok(Written(label))
}

/// Changes a label; its tasks count as changed, since they are told with it. What is the same already makes no version.
///
/// # Errors
/// [`Error::NotFound`], those of the precondition, `label_taken`, `project_archived`.
pub async fn update(
    project: &mut InProject<'_, impl Implies<WriteTasks>>,
    id: LabelId,
    precondition: &Precondition,
    changes: LabelChanges,
) -> Result<Written<Label>> {
    lock(project).await?;
    let before = find(project.core, project.id, id).await?;
    precondition.check(before.version)?;
    let colour = changes.colour.as_ref();
    let label = sqlx::query_as!(
        Label,
        r#"with changed as (
               update labels set name = coalesce($2, name), colour = case when $3 then $4 else colour end, version = version + 1
               where id = $1 and (name, colour) is distinct from (coalesce($2, name), case when $3 then $4 else colour end)
               returning id, project_id, name, colour, created_at, version
           ), told as (
               select t.id from tasks t where t.id in (select l.task_id from task_labels l, changed c where l.label_id = c.id)
               order by t.parent_id is null, t.id for no key update
           ), touched as (
               -- The trigger writes the present transaction into it.
               update tasks t set changed_xid = t.changed_xid from told where t.id = told.id
           )
           select id as "id: LabelId", project_id as "project_id: ProjectId", name, colour, created_at, version from changed"#,
        id.0,
        changes.name.0.as_ref().map(LabelName::as_str),
        colour.is_some(),
        colour.flatten().map(Colour::as_str),
    )
    .fetch_optional(project.core.sql())
    .await?;
    Ok(Written(label.unwrap_or(before)))
}

/// Deletes a label, and takes it from its tasks, which count as changed.
///
/// # Errors
/// [`Error::NotFound`], those of the precondition, `project_archived`.
pub async fn destroy(
    project: &mut InProject<'_, impl Implies<WriteTasks>>,
    id: LabelId,
    precondition: &Precondition,
) -> Result<Written<()>> {
    lock(project).await?;
    precondition.check(find(project.core, project.id, id).await?.version)?;
    sqlx::query!(
        "with told as (
             select t.id from tasks t where t.id in (select l.task_id from task_labels l where l.label_id = $1)
             order by t.parent_id is null, t.id for no key update
         ), touched as (
             update tasks t set changed_xid = t.changed_xid from told where t.id = told.id
         )
         delete from labels where id = $1",
        id.0,
    )
    .execute(project.core.sql())
    .await?;
    Ok(Written(()))
}

/// Labels of one project are changed one after the other: so their number and their versions are what they seem.
async fn lock(project: &mut InProject<'_, impl Permission>) -> Result<()> {
    sqlx::query!("select id from projects where id = $1 for no key update", project.id.0)
        .fetch_one(project.core.sql())
        .await?;
    project.admit_again().await.map(drop)
}
