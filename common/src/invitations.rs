//! Invitations: offers of membership, sent by mail.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    access::{Core, ManageMembers, Scope, Written, may_act_on, may_give},
    audit::{self, Action, Event},
    error::{Error, Result},
    ids::{AccountId, InvitationId},
    input::Faults,
    mails::{self, MailKind, Owed},
    memberships,
    secrets::Purpose,
    shown::shown,
    text::{EmailAddress, RoleKey},
    throttle::{self, Door},
};

/// An offer that waits; never shows its token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Who may accept.
    pub email: String,
    /// The key of the role on offer; it gives at most what the inviter has when it is accepted.
    pub role: String,
    /// Who offers.
    pub invited_by: AccountId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

shown!(Invitation);

/// An offer to be.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewInvitation {
    /// Who may accept.
    pub email: EmailAddress,
    /// The key of the role on offer.
    pub role: RoleKey,
}

/// Invites somebody; the mail is a row of the same transaction.
///
/// # Errors
/// `already_invited`, `already_member`, `no_such_role`, a role above one's own, or as many members as there may be.
pub async fn create(scope: &mut Scope<ManageMembers>, new: NewInvitation) -> Result<Written<Invitation>> {
    let own = memberships::lock_actor::<ManageMembers>(scope.core()).await?;
    let given = memberships::permissions_of(scope.core(), &new.role).await?;
    may_give(own.permissions, given).map_err(Error::Refused)?;
    // An offer that ran out, or whose mail never arrived, makes room for a new one.
    sqlx::query!(
        "update invitations set revoked_at = now()
         where email = $1 and accepted_at is null and revoked_at is null and declined_at is null
           and (expires_at <= now() or exists (
               select from deliveries d join mails m on m.id = d.mail_id
               where d.invitation_id = invitations.id and m.state in ('dead', 'expired')))",
        new.email.as_str(),
    )
    .execute(scope.sql())
    .await?;
    let id = InvitationId::new();
    let token_hash = scope.db().key().mailed_token(Purpose::Invitation, id.0).hash();
    let invitation = sqlx::query_as!(
        Invitation,
        r#"insert into invitations (org_id, id, token_id, email, role, invited_by, token_hash, expires_at)
           select current_org(), $1, $1, $2, $3, current_account(), $4, now() + interval '7 days'
           where not exists (select from memberships m join accounts a on a.id = m.account_id
                             where a.email = $2 and m.status <> 'removed')
           returning id as "id: InvitationId", email, role, invited_by as "invited_by: AccountId", created_at, expires_at"#,
        id.0,
        new.email.as_str(),
        new.role.as_str(),
        token_hash.as_bytes(),
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::Conflict { code: "already_member", detail: "the account is already a member of the organization" })?;
    memberships::a_place_is_free(scope.core()).await?;
    throttle::enter_within(scope.core(), Door::Invitation, &invitation.email).await?;
    audit::record(scope.core(), Event::new(Action::InvitationCreated).about(id).after(told(&invitation))).await?;
    send(scope.core(), invitation).await
}

/// The offers that wait, newest first.
///
/// # Errors
/// The database's.
pub async fn pending(scope: &mut Scope<ManageMembers>) -> Result<Vec<Invitation>> {
    let invitations = sqlx::query_as!(
        Invitation,
        r#"select id as "id: InvitationId", email, role, invited_by as "invited_by: AccountId", created_at, expires_at
           from invitations
           where accepted_at is null and revoked_at is null and declined_at is null and expires_at > now()
           order by id desc"#
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(invitations)
}

/// Sends the mail again, with another token and seven more days; the tokens before are void. From now on the offer is the
/// caller's.
///
/// # Errors
/// [`Error::NotFound`] when it does not wait any more, a role above one's own, or as many members as there may be.
pub async fn resend(scope: &mut Scope<ManageMembers>, id: InvitationId) -> Result<Written<Invitation>> {
    let before = waiting(scope, id).await?;
    let token = InvitationId::new();
    let token_hash = scope.db().key().mailed_token(Purpose::Invitation, token.0).hash();
    let invitation = sqlx::query_as!(
        Invitation,
        r#"update invitations set token_id = $2, token_hash = $3, expires_at = now() + interval '7 days', invited_by = current_account()
           where id = $1
           returning id as "id: InvitationId", email, role, invited_by as "invited_by: AccountId", created_at, expires_at"#,
        id.0,
        token.0,
        token_hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    // One that had run out takes a place again.
    memberships::a_place_is_free(scope.core()).await?;
    throttle::enter_within(scope.core(), Door::Invitation, &invitation.email).await?;
    cancel_mails(scope.core(), id, "sent again with another token").await?;
    let event = Event::new(Action::InvitationResent).about(id).before(told(&before)).after(told(&invitation));
    audit::record(scope.core(), event).await?;
    send(scope.core(), invitation).await
}

/// Takes an offer back.
///
/// # Errors
/// [`Error::NotFound`] when it does not wait any more, or a role above one's own.
pub async fn revoke(scope: &mut Scope<ManageMembers>, id: InvitationId) -> Result<Written<()>> {
    let before = waiting(scope, id).await?;
    sqlx::query!("update invitations set revoked_at = now() where id = $1", id.0).execute(scope.sql()).await?;
    cancel_mails(scope.core(), id, "invitation revoked").await?;
    audit::record(scope.core(), Event::new(Action::InvitationRevoked).about(id).before(told(&before))).await?;
    Ok(Written(()))
}

/// An offer that waits, locked; what it offers must be within the caller's own.
async fn waiting(scope: &mut Scope<ManageMembers>, id: InvitationId) -> Result<Invitation> {
    let own = memberships::lock_actor::<ManageMembers>(scope.core()).await?;
    let row = sqlx::query!(
        r#"select id as "id: InvitationId", email, role, invited_by as "invited_by: AccountId", created_at, expires_at,
                  permissions_of_role(org_id, role) as "given!: crate::access::Permissions"
           from invitations
           where id = $1 and accepted_at is null and revoked_at is null and declined_at is null for update"#,
        id.0,
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    may_act_on(own.permissions, row.given).map_err(Error::Refused)?;
    Ok(Invitation {
        id: row.id,
        email: row.email,
        role: row.role,
        invited_by: row.invited_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
    })
}

async fn send(core: &mut Core, invitation: Invitation) -> Result<Written<Invitation>> {
    let owed = Owed { invitation: Some(invitation.id), ..Owed::to_nobody_yet(MailKind::Invitation) };
    Ok(mails::owe(core, &[owed]).await?.map(|()| invitation))
}

/// What is still on its way with a token that counts no more.
async fn cancel_mails(core: &mut Core, id: InvitationId, why: &str) -> Result<()> {
    sqlx::query!(
        "with waiting as (
             select m.id from mails m
             where m.id in (select d.mail_id from deliveries d where d.invitation_id = $1 and d.cancelled_at is null)
               and m.state in ('scheduled', 'retry', 'claimed')
             order by m.id for update
         ), cancelled as (
             update deliveries d set cancelled_at = now(), reason = $2 from waiting w where d.mail_id = w.id
         )
         update mails m set state = 'cancelled', reason = $2, lease_until = null from waiting w where m.id = w.id",
        id.0,
        why,
    )
    .execute(core.sql())
    .await?;
    Ok(())
}

fn told(invitation: &Invitation) -> serde_json::Value {
    json!({ "email": invitation.email, "role": invitation.role, "invited_by": invitation.invited_by })
}
