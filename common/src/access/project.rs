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
    holds: PhantomData<fn() -> P>,
}

impl<'s, P: Permission> InProject<'s, P> {
    /// Enters a project that is named by the request.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is invisible to the caller, [`Error::Forbidden`] when `P` is not held in it.
    pub async fn enter(scope: &'s mut Scope<impl Permission>, project: ProjectId) -> Result<Self> {
        let held = held(scope.core(), project).await?;
        Self::admit(scope.core(), project, held)
    }

    /// Decides once more, for what is done under a lock that was waited for; gives all that is held in the project.
    pub(crate) async fn admit_again(&mut self) -> Result<Permissions> {
        let held = held(self.core, self.id).await?;
        InProject::<P>::admit(self.core, self.id, held)?;
        Ok(Permissions::of(held))
    }

    /// Decides by the permissions that a statement has found: unseen is 404, seen but not allowed is 403.
    pub(crate) fn admit(core: &'s mut Core, project: ProjectId, held: i64) -> Result<Self> {
        if held & ReadTasks::BITS == 0 {
            Err(Error::NotFound)
        } else if held & P::BITS == P::BITS {
            Ok(Self { core, id: project, holds: PhantomData })
        } else {
            Err(Error::Forbidden(P::NAME))
        }
    }
}

async fn held(core: &mut Core, project: ProjectId) -> Result<i64> {
    let held = sqlx::query_scalar!(
        r#"select permissions_in(id, visibility) as "held!" from projects where id = $1"#,
        project.0
    )
    .fetch_optional(core.sql())
    .await?;
    Ok(held.unwrap_or(0))
}
