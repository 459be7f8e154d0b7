//! Invitations from the other side: what the holder of the mail sees, and how they answer. The mailed token proves the
//! invited address; a password proves its account.

use deserr::Deserr;
use jiff_sqlx::Timestamp;

use crate::{
    access::{Committed, Me, Written},
    audit::{self, Action, Event, Origin},
    config::Registration,
    db::Db,
    error::{Error, Refusal, Result},
    ids::{AccountId, InvitationId},
    input::Faults,
    memberships::{self, Acceptance, Joined},
    passwords::{self, ClaimedPassword, NewPassword},
    second_factor::SecondFactorCode,
    secrets::{Credential, Token},
    sessions::{self, SignIn},
    text::Name,
};

/// An invitation, as the invited see it.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The organization's name.
    pub organization: String,
    /// Who invites.
    pub inviter: String,
    /// The name of the role that accepting gives, were it now.
    pub role: String,
    /// Who is invited.
    pub email: String,
    /// Whether the address has an account.
    pub has_account: bool,
    /// Whether that has a second factor.
    pub has_second_factor: bool,
    /// Until when.
    pub expires_at: Timestamp,
    /// What it is answered with.
    token: Token,
}

/// What the invited answer.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, tag = "answer", rename_all = lowercase, deny_unknown_fields)]
pub enum Answer {
    /// Yes, with the account that the address has.
    Accept {
        /// The account's.
        password: ClaimedPassword,
        /// Of its second factor, where it has one.
        #[deserr(default)]
        code: Option<SecondFactorCode>,
    },
    /// Yes, with an account that begins with it.
    Join {
        /// What others will call them.
        name: Name,
        /// 12 to 256 characters.
        password: NewPassword,
    },
    /// No. (Braces: of a bare variant deserr does not refuse unknown fields.)
    Decline {},
}

/// The offer that a mailed token is for; changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when it is unknown, answered, revoked or too old, or whoever invited may not invite any more.
pub async fn show(db: &Db, token: Token, origin: &Origin) -> Result<Offer> {
    let mut scope = db.begin_offer(&token, origin).await?;
    let hash = token.hash();
    let row = sqlx::query!(
        r#"select o.name as organization, a.name as inviter, coalesce(r.name, given.role) as "role!", i.email, i.expires_at,
                  current_account() is not null as "has_account!",
                  exists (select from second_factors where confirmed_at is not null) as "has_second_factor!"
           from invitations i
                join organizations o on o.id = i.org_id
                join memberships m on m.org_id = i.org_id and m.account_id = i.invited_by and m.status = 'active'
                                  and permissions_of_role(m.org_id, m.role) & 8 = 8
                join accounts a on a.id = i.invited_by
                cross join lateral (select capped_role(i.org_id, i.role, m.role)) given (role)
                left join roles r on r.org_id = i.org_id and r.key = given.role
           where i.token_hash = $1"#,
        hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    Ok(Offer {
        organization: row.organization,
        inviter: row.inviter,
        role: row.role,
        email: row.email,
        has_account: row.has_account,
        has_second_factor: row.has_second_factor,
        expires_at: row.expires_at,
        token,
    })
}

/// Answers it with the account that the address has: signs in for this one deed, by the same door as everybody, and out
/// again.
///
/// # Errors
/// [`Error::NotFound`], `already_member`, and those of [`sessions::sign_in`].
pub async fn accept(
    db: &Db,
    offer: &Offer,
    password: ClaimedPassword,
    code: Option<SecondFactorCode>,
    origin: &Origin,
) -> Result<Committed<Joined>> {
    let email = offer.email.parse().map_err(|_| Error::NotFound)?;
    let session = sessions::sign_in(db, SignIn { email, password, code }, origin).await?.into_inner();
    let credential: Credential = session.token.parse().map_err(|_| Error::Unauthenticated)?;
    let mut scope = db.begin_account::<Me>(&credential, origin).await?;
    // First, while the account's log is the one that is written; accepting enters the organization.
    let Written(()) = sessions::end_current(&mut scope).await?;
    match memberships::accept(&mut scope, &Acceptance { invitation: offer.token.clone() }).await {
        Ok(joined) => scope.commit(joined).await,
        Err(refusal) => {
            drop(scope);
            let mut scope = db.begin_account::<Me>(&credential, origin).await?;
            let ended = sessions::end_current(&mut scope).await?;
            scope.commit(ended).await?;
            Err(refusal)
        }
    }
}

/// Answers it with a new account, which the mailed token verifies. The account, its proof and its membership are one
/// transaction; sign-ups of others for the address are void from then on.
///
/// # Errors
/// [`Error::NotFound`], when the address has an account by now too; a password made of names; [`Error::Busy`]; or that the
/// deployment takes nobody.
pub async fn join(
    db: &Db,
    offer: &Offer,
    name: Name,
    password: NewPassword,
    registration: Registration,
    origin: &Origin,
) -> Result<Committed<Joined>> {
    if registration == Registration::Closed {
        return Err(Error::Refused(Refusal::RegistrationClosed));
    }
    password
        .refuse_if_made_of(&[&offer.email, name.as_str(), &offer.organization])
        .map_err(|fault| Faults::at("/password", &fault))?;
    // There is an offer, so the token has been looked at: nobody keeps us busy hashing for nothing.
    let password_hash = passwords::hash(password).await?;
    let mut scope = db.begin_joining(&offer.token, &name, origin).await?;
    let account = sqlx::query_scalar!(
        r#"update accounts set name = $1, password_hash = $2, email_verified_at = now(), version = version + 1
           where id = current_account() and email_verified_at is null returning id as "id: AccountId""#,
        name.as_str(),
        password_hash,
    )
    .fetch_one(scope.sql())
    .await?;
    sqlx::query!("update verifications set expires_at = now() where used_at is null and expires_at > now()")
        .execute(scope.sql())
        .await?;
    audit::record(scope.core(), Event::new(Action::AccountCreated).about(account)).await?;
    let joined = memberships::take_up(scope.core(), &offer.token).await?;
    scope.commit(joined).await
}

/// Says no; the invitation is over.
///
/// # Errors
/// [`Error::NotFound`] when somebody else was faster.
pub async fn decline(db: &Db, offer: &Offer, origin: &Origin) -> Result<Committed<()>> {
    let mut scope = db.begin_offer(&offer.token, origin).await?;
    let hash = offer.token.hash();
    let declined = sqlx::query_scalar!(
        r#"update invitations set declined_at = now()
           where token_hash = $1 and accepted_at is null and revoked_at is null and declined_at is null
           returning id as "id: InvitationId""#,
        hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    audit::record(scope.core(), Event::new(Action::InvitationDeclined).about(declined)).await?;
    scope.commit(Written(())).await
}
