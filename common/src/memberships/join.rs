use deserr::Deserr;
use serde::Serialize;
use utoipa::ToSchema;

use super::role_event;
use crate::{
    access::{Core, Me, Scope, Written},
    audit::{self, Action, Event},
    error::Result,
    ids::{InvitationId, OrgId},
    input::Faults,
    quotas::Quota,
    secrets::Token,
    shown::shown,
};

/// The token of an invitation's mail.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Acceptance {
    /// From the mail.
    pub invitation: Token,
}

/// What an accepted invitation gives.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Joined {
    /// The organization.
    pub org_id: OrgId,
    /// Its name in URLs.
    pub org_slug: String,
    /// The role that was given.
    pub role: String,
}

shown!(Joined);

/// Joins the organization that an invitation offers. It must have been sent to the caller's own address.
///
/// # Errors
/// [`crate::Error::NotFound`] for whatever is wrong with the invitation, `already_member`, as many members as there may be.
pub async fn accept(scope: &mut Scope<Me>, acceptance: &Acceptance) -> Result<Written<Joined>> {
    take_up(scope.core(), &acceptance.invitation).await
}

/// The same, for the account of the context, which the caller has verified in some way.
pub(crate) async fn take_up(core: &mut Core, invitation: &Token) -> Result<Written<Joined>> {
    let hash = invitation.hash();
    let joined = sqlx::query!(
        r#"select org_id as "org_id!: OrgId", slug as "slug!", role as "role!", invitation as "invitation!: InvitationId"
           from accept_invitation($1)"#,
        hash.as_bytes(),
    )
    .fetch_one(core.sql())
    .await?;
    // The function has locked and entered the organization: this counts its members, and the event goes into its log. Only
    // those who are in: the invited have had their place since they were invited, unless the operator allows fewer by now.
    let active = sqlx::query_scalar!(r#"select count(*) as "active!" from memberships where status = 'active'"#)
        .fetch_one(core.sql())
        .await?;
    core.db.quotas.admit(Quota::Members, active)?;
    let event = Event::new(Action::InvitationAccepted).about(joined.invitation).after(role_event(&joined.role));
    audit::record(core, event).await?;
    Ok(Written(Joined { org_id: joined.org_id, org_slug: joined.slug, role: joined.role }))
}
