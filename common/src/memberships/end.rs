//! Leaving, removing, suspending: in one transaction the person is out, and so is all that hung on them.

use serde_json::json;

use super::{Membership, Target, an_owner_remains, change::member, lock_actor, lock_target, role_event};
use crate::{
    access::{Core, ManageMembers, Member, Scope, Written, may_act_on},
    audit::{self, Action, Event},
    error::{Error, Refusal, Result},
    ids::{AccountId, ProjectId},
};

/// Removes a member. Whoever removes themselves leaves, which a personal token cannot do to its owner this way either.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Refused`], `last_owner`.
pub async fn remove(scope: &mut Scope<ManageMembers>, account: AccountId) -> Result<Written<()>> {
    let core = scope.core();
    let actor = lock_actor::<ManageMembers>(core).await?;
    if actor.id == account && !actor.session {
        return Err(Error::Refused(Refusal::SessionNeeded));
    }
    let target = lock_target(core, account).await?;
    may_act_on(actor.permissions, target.permissions).map_err(Error::Refused)?;
    let (action, why) = if actor.id == account {
        (Action::MemberLeft, "member left")
    } else {
        (Action::MemberRemoved, "member removed")
    };
    cut_off(core, &target, "removed", why, action).await
}

/// Leaves the organization. A personal token cannot do that to its owner.
///
/// # Errors
/// `last_owner`, [`Error::Refused`].
pub async fn leave(scope: &mut Scope<Member>) -> Result<Written<()>> {
    let core = scope.core();
    let actor = lock_actor::<Member>(core).await?;
    if !actor.session {
        return Err(Error::Refused(Refusal::SessionNeeded));
    }
    let target = lock_target(core, actor.id).await?;
    cut_off(core, &target, "removed", "member left", Action::MemberLeft).await
}

/// Keeps a member out until they are reinstated. A second time changes nothing.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Refused`], `last_owner`.
pub async fn suspend(scope: &mut Scope<ManageMembers>, account: AccountId) -> Result<Written<Membership>> {
    let core = scope.core();
    let actor = lock_actor::<ManageMembers>(core).await?;
    let target = lock_target(core, account).await?;
    may_act_on(actor.permissions, target.permissions).map_err(Error::Refused)?;
    if target.status == "active" {
        // Only the effect counts here; what is answered is read below.
        let _ = cut_off(core, &target, "suspended", "member suspended", Action::MemberSuspended).await?;
    }
    member(core, account).await.map(Written)
}

/// `end_membership` in the database knows what hangs on a membership: the end of an account needs the same.
async fn cut_off(core: &mut Core, target: &Target, becomes: &str, why: &str, action: Action) -> Result<Written<()>> {
    an_owner_remains(core, target).await?;
    let inherited = sqlx::query_scalar!(
        r#"select end_membership(current_org(), $1, $2, $3) as "project!: ProjectId""#,
        target.id.0,
        becomes,
        why
    )
    .fetch_all(core.sql())
    .await?;
    let mut events = vec![Event::new(action).about(target.id).before(role_event(&target.role))];
    events.extend(inherited.into_iter().map(|project| {
        Event::new(Action::ProjectInherited).about(project).after(json!({ "by": "owners", "from": target.id }))
    }));
    audit::record_all(core, events).await?;
    Ok(Written(()))
}
