//! The second witness: organization permission says nothing of a single project.

use std::marker::PhantomData;

use super::{Core, Permission, Permissions, ReadTasks, Scope};
use crate::{
    error::{Error, Result},
    ids::ProjectId,
};

/// The caller holds `P` in one project. Minted by the statement that loads the project, or an object of it, together with
/// the caller's effective permissions.
#[derive(Debug)]
pub struct InProject<'s, P> {
    pub(crate) core: &'s mut Core,
    pub(crate) id: ProjectId,
    held: Held,
    holds: PhantomData<fn() -> P>,
}

/// What a statement has found about a project and its caller.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    /// The caller's effective permissions.
    pub(crate) bits: i64,
    pub(crate) archived: bool,
}

impl<'s, P: Permission> InProject<'s, P> {
    /// Enters a project that is named by the request.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is invisible to the caller, [`Error::Forbidden`] when `P` is not held in it,
    /// `project_archived` when `P` lets its content be written and nobody may.
    pub async fn enter(scope: &'s mut Scope<impl Permission>, project: ProjectId) -> Result<Self> {
        Self::reach(scope.core(), project).await
    }

    /// The same inside of a transaction that is about something else: the project that a task is moved to.
    pub(crate) async fn reach(core: &'s mut Core, project: ProjectId) -> Result<Self> {
        let held = held(core, project).await?;
        Self::admit(core, project, held)
    }

    /// Decides once more, for what is done under a lock that was waited for; gives all that is held in the project.
    pub(crate) async fn admit_again(&mut self) -> Result<Permissions> {
        let held = held(self.core, self.id).await?;
        InProject::<P>::admit(self.core, self.id, held)?;
        Ok(Permissions::of(held.bits))
    }

    /// Decides by what a statement has found: unseen is 404, seen but not allowed is 403, archived is 409.
    pub(crate) fn admit(core: &'s mut Core, project: ProjectId, held: Held) -> Result<Self> {
        if held.bits & ReadTasks::BITS == 0 {
            return Err(Error::NotFound);
        }
        if held.bits & P::BITS != P::BITS {
            return Err(Error::Forbidden(P::NAME));
        }
        let project = Self { core, id: project, held, holds: PhantomData };
        if P::WRITES {
            project.in_use()?;
        }
        if let Some(claim) = &mut project.core.claim {
            claim.admit::<P>(project.id);
        }
        Ok(project)
    }

    /// Nothing in an archived project is written, not even what a reader may write for themselves.
    pub(crate) fn in_use(&self) -> Result<()> {
        if self.held.archived {
            Err(Error::Conflict { code: "project_archived", detail: "the project is archived" })
        } else {
            Ok(())
        }
    }

    /// All that the caller holds in it.
    pub(crate) fn permissions(&self) -> Permissions {
        Permissions::of(self.held.bits)
    }
}

async fn held(core: &mut Core, project: ProjectId) -> Result<Held> {
    let held = sqlx::query_as!(
        Held,
        r#"select permissions_in(id, visibility) as "bits!", archived_at is not null as "archived!" from projects where id = $1"#,
        project.0
    )
    .fetch_optional(core.sql())
    .await?;
    Ok(held.unwrap_or_default())
}
