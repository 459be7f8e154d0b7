//! Changing a project: what it is called, and who sees it.

use deserr::Deserr;

use super::{Project, Visibility, archive::lock, find, told};
use crate::{
    access::{InProject, ManageProject, Written},
    audit::{self, Action, Event},
    error::Result,
    input::{Faults, Given, Patch},
    precondition::Precondition,
    text::{Colour, Description, Name, ProjectKey},
};

/// A change of a project; what is absent stays.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ProjectChanges {
    /// Stands before its tasks' numbers; of the old one nothing is kept.
    #[deserr(default)]
    pub key: Given<ProjectKey>,
    /// Its name.
    #[deserr(default)]
    pub name: Given<Name>,
    /// Markdown.
    #[deserr(default)]
    pub description: Patch<Description>,
    /// To be recognized by.
    #[deserr(default)]
    pub colour: Patch<Colour>,
    /// Who sees it. In a private one only grants count, for whoever closes it too.
    #[deserr(default)]
    pub visibility: Given<Visibility>,
}

/// Changes a project, an archived one too: only what is in it is closed.
///
/// # Errors
/// `key_taken`, [`crate::Error::Stale`].
pub async fn update(
    project: &mut InProject<'_, ManageProject>,
    changes: ProjectChanges,
    precondition: &Precondition,
) -> Result<Written<Project>> {
    let before = lock(project).await?;
    precondition.check(before.version)?;
    let description = changes.description.as_ref().map(|text| text.map_or("", Description::as_str));
    let colour = changes.colour.as_ref();
    let after = sqlx::query!(
        "update projects set key = coalesce($2, key), name = coalesce($3, name), description = coalesce($4, description),
                colour = case when $5 then $6 else colour end, visibility = coalesce($7, visibility), version = version + 1
         where id = $1 returning key, name, description, colour, version",
        project.id.0,
        changes.key.0.as_ref().map(ProjectKey::as_str),
        changes.name.0.as_ref().map(Name::as_str),
        description,
        colour.is_some(),
        colour.flatten().map(Colour::as_str),
        changes.visibility.0.map(Visibility::as_str),
    )
    .fetch_one(project.core.sql())
    .await?;
    let after = Project {
        key: after.key,
        name: after.name,
        description: after.description,
        colour: after.colour,
        visibility: changes.visibility.0.unwrap_or(before.visibility),
        version: after.version,
        ..before.clone()
    };
    let event = Event::new(Action::ProjectUpdated).about(project.id).before(told(&before)).after(told(&after));
    audit::record(project.core, event).await?;
    // What the caller may do in it now; who has closed it to themselves is told for the last time.
    Ok(Written(find(project.core, project.id).await?.unwrap_or(after)))
}
