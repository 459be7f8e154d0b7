//! Invitations: offers of membership, sent by mail.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;

use crate::{
    access::{ManageMembers, Permission, Role, Scope, Written, may_invite_as},
    error::{Error, Result},
    ids::{AccountId, InvitationId},
    input::Faults,
    mails::{self, MailKind, Owed},
    secrets::Purpose,
    text::EmailAddress,
};

/// An offer that waits; never shows its token.
#[derive(Clone, Debug, Serialize)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Who may accept.
    pub email: String,
    /// The role on offer, at most the inviter's own when it is accepted.
    pub role: Role,
    /// Who offers.
    pub invited_by: AccountId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

/// An offer to be.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewInvitation {
    /// Who may accept.
    pub email: EmailAddress,
    /// The role on offer.
    pub role: Role,
}

/// Invites somebody; the mail is a row of the same transaction.
///
/// # Errors
/// `already_invited`, `already_member`, or a role above one's own.
pub async fn create(scope: &mut Scope<ManageMembers>, new: NewInvitation) -> Result<Written<Invitation>> {
    let own = sqlx::query_scalar!(
        r#"select role as "role: Role" from memberships where account_id = current_account() and status = 'active' for share"#
    )
    .fetch_optional(scope.sql())
    .await?
    // Asked again under the lock: the permission may have gone while this request waited for it.
    .filter(|own| own.permissions() & ManageMembers::BITS != 0)
    .ok_or(Error::Forbidden(ManageMembers::NAME))?;
    may_invite_as(own, new.role).map_err(Error::Refused)?;
    // An offer that ran out, or whose mail never arrived, makes room for a new one.
    sqlx::query!(
        "update invitations set revoked_at = now()
         where email = $1 and accepted_at is null and revoked_at is null
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
        r#"insert into invitations (org_id, id, email, role, invited_by, token_hash, expires_at)
           select current_org(), $1, $2, $3, current_account(), $4, now() + interval '7 days'
           where not exists (select from memberships m join accounts a on a.id = m.account_id where a.email = $2)
           returning id as "id: InvitationId", email, role as "role: Role", invited_by as "invited_by: AccountId", created_at, expires_at"#,
        id.0,
        new.email.as_str(),
        new.role.as_str(),
        token_hash.as_bytes(),
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::Conflict { code: "already_member", detail: "the account is already a member of the organization" })?;
    let written =
        mails::owe(scope.core(), &[Owed { invitation: Some(id), ..Owed::to_nobody_yet(MailKind::Invitation) }]).await?;
    Ok(written.map(|()| invitation))
}

/// The offers that wait, newest first.
///
/// # Errors
/// The database's.
pub async fn pending(scope: &mut Scope<ManageMembers>) -> Result<Vec<Invitation>> {
    let invitations = sqlx::query_as!(
        Invitation,
        r#"select id as "id: InvitationId", email, role as "role: Role", invited_by as "invited_by: AccountId", created_at, expires_at
           from invitations where accepted_at is null and revoked_at is null and expires_at > now()
           order by id desc"#
    )
    .fetch_all(scope.sql())
    .await?;
    Ok(invitations)
}
