//! The order of the projects: one for the whole organization.

use deserr::Deserr;
use utoipa::ToSchema;

use super::{Project, archive::lock, find};
use crate::{
    access::{InProject, ManageProject, Written},
    error::{Error, Result},
    ids::ProjectId,
    input::{Faults, OrNull},
};

/// Where a project shall stand.
#[derive(Clone, Copy, Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ProjectPlace {
    /// Right behind this one; null: before all others.
    pub after: OrNull<ProjectId>,
}

/// Beyond so many digits behind the point the places are numbered anew: JSON's numbers would not tell them apart any more.
const FINEST: i32 = 30;

/// Moves a project. Its neighbours stay where they are, those whom the caller does not see too: between two places there is
/// always a third one.
///
/// # Errors
/// [`Error::NotFound`] when the caller does not see the one that shall stand before it.
pub async fn place(project: &mut InProject<'_, ManageProject>, place: ProjectPlace) -> Result<Written<Project>> {
    let ProjectPlace { after: OrNull(after) } = place;
    // One after the other, and after whoever creates one: no two get the same place.
    sqlx::query!("select id from organizations where id = current_org() for no key update")
        .fetch_one(project.core.sql())
        .await?;
    lock(project).await?;
    if let Some(after) = after {
        find(project.core, after).await?.ok_or(Error::NotFound)?;
    }
    let scale = sqlx::query_scalar!(
        r#"with before as (select position from projects where id = $2),
                behind as (select min(p.position) as position from projects p
                           where p.id <> $1 and ($2::uuid is null or p.position > (select position from before)))
           update projects set version = version + 1, position = coalesce(
                      ((select position from before) + (select position from behind)) * 0.5,
                      (select position from before) + 1, (select position from behind) - 1, 1)
           where id = $1 returning scale(position) as "scale!""#,
        project.id.0,
        after.map(|after| after.0),
    )
    .fetch_one(project.core.sql())
    .await?;
    if scale > FINEST {
        sqlx::query!(
            "update projects p set position = o.place
             from (select id, row_number() over (order by position, id) as place from projects) o where p.id = o.id"
        )
        .execute(project.core.sql())
        .await?;
    }
    find(project.core, project.id).await?.map(Written).ok_or(Error::NotFound)
}
