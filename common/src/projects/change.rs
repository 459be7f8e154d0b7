//! Changing a project: what it is called, and who sees it.

use deserr::Deserr;
use utoipa::ToSchema;

use super::{Project, Visibility, archive::lock, find, told};
use crate::{
    access::{InProject, ManageProject, Written},
    audit::{self, Action, Event},
    error::Result,
    input::{Faults, Given, Patch},
    precondition::Precondition,
    reminders,
    text::{Colour, Description, Name, ProjectKey},
};

/// A change of a project; what is absent stays.
#[derive(Debug, Deserr, ToSchema)]
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

/// Changes a project, an archived one too: only what is in it is closed. What is the same already makes no version.
///
/// # Errors
/// `key_taken`, those of the precondition.
pub async fn update(
    project: &mut InProject<'_, ManageProject>,
    precondition: &Precondition,
    changes: ProjectChanges,
) -> Result<Written<Project>> {
    let before = lock(project).await?;
    precondition.check(before.version)?;
    let description = changes.description.as_ref().map(|text| text.map_or("", Description::as_str));
    let colour = changes.colour.as_ref();
    let after = sqlx::query!(
        "update projects p set key = n.key, name = n.name, description = n.description, colour = n.colour,
                visibility = n.visibility, version = version + 1
         from (select id, coalesce($2, key) as key, coalesce($3, name) as name, coalesce($4, description) as description,
                      case when $5 then $6 else colour end as colour, coalesce($7, visibility) as visibility
               from projects where id = $1) n
         where p.id = n.id and (p.key, p.name, p.description, p.colour, p.visibility)
                   is distinct from (n.key, n.name, n.description, n.colour, n.visibility)
         returning p.key, p.name, p.description, p.colour, p.version",
        project.id.0,
        changes.key.0.as_ref().map(ProjectKey::as_str),
        changes.name.0.as_ref().map(Name::as_str),
        description,
        colour.is_some(),
        colour.flatten().map(Colour::as_str),
        changes.visibility.0.map(Visibility::as_str),
    )
    .fetch_optional(project.core.sql())
    .await?;
    let Some(after) = after else {
        return Ok(Written(before));
    };
    let after = Project {
        key: after.key,
        name: after.name,
        description: after.description,
        colour: after.colour,
        visibility: changes.visibility.0.unwrap_or(before.visibility),
        version: after.version,
        ..before.clone()
    };
    if (before.visibility, after.visibility) == (Visibility::Private, Visibility::Open) {
        reminders::ask_who_see_it_now(project.core, project.id).await?;
    }
    let event = Event::new(Action::ProjectUpdated).about(project.id).before(told(&before)).after(told(&after));
    audit::record(project.core, event).await?;
    // What the caller may do in it now; who has closed it to themselves is told for the last time.
    Ok(Written(find(project.core, project.id).await?.unwrap_or(after)))
}
