//! From a sign-up that waits to an account: by the token of a mail, which can be sent again.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use utoipa::ToSchema;

use super::{Account, MailRequest, lock};
use crate::{
    access::{Committed, Link, Scope, Written},
    audit::{self, Action, Event, Origin},
    db::Db,
    error::{Error, Result},
    ids::{AccountId, VerificationId},
    input::Faults,
    mails::{self, MailKind, Owed},
    secrets::Token,
    throttle::{self, Door},
};

/// The token of a verification mail.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewVerification {
    /// From the mail.
    pub token: Token,
}

/// A sign-up that waits for its mail. Who opens the mail sees by name and time whether it is their own
/// (docs/adr/0003): whoever signed up knows the password that confirming makes good.
#[derive(Clone, Debug)]
pub struct SignedUp {
    /// The address to be confirmed.
    pub email: String,
    /// As whom.
    pub name: String,
    /// When.
    pub created_at: Timestamp,
}

/// Sends the mail of the newest sign-up that waits at an address once more, and lets it wait for another day. Where none
/// waits nothing is said, to nobody (tests/api/accounts.rs: `a_resend_does_not_tell_whether_a_sign_up_waits`).
///
/// # Errors
/// [`Error::Throttled`].
pub async fn resend(db: &Db, request: MailRequest, origin: &Origin) -> Result<()> {
    let _ = throttle::enter(db, Door::Mail, request.email.as_str(), origin).await?;
    let mut scope = db.begin_mailbox(&request.email, origin).await?;
    let core = scope.core();
    // The same statements whatever there is.
    let unproved = lock(core).await?.is_some_and(|account| !account.verified);
    let waiting = sqlx::query!(
        r#"update verifications set expires_at = now() + interval '24 hours'
           where $1 and id = (select id from verifications where used_at is null order by id desc limit 1)
           returning id as "id: VerificationId", account_id as "account: AccountId""#,
        unproved,
    )
    .fetch_optional(core.sql())
    .await?;
    let owed =
        waiting.map(|row| Owed { verification: Some(row.id), ..Owed::to_account(MailKind::Verification, row.account) });
    let written = mails::owe(core, owed.as_slice()).await?;
    scope.commit(written).await.map(Committed::into_inner)
}

/// The sign-up that a mail is about; changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when somebody else was faster.
pub async fn sign_up_of(scope: &mut Scope<Link>, token: &Token) -> Result<SignedUp> {
    let token_hash = token.hash();
    let sign_up = sqlx::query_as!(
        SignedUp,
        "select a.email, v.name, v.created_at from verifications v join accounts a on a.id = v.account_id
         where v.token_hash = $1 and v.used_at is null",
        token_hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    Ok(sign_up)
}

/// Uses the token up and makes the sign-up an account; other sign-ups for the address are void from then on.
///
/// # Errors
/// [`Error::NotFound`] when somebody else was faster.
pub async fn verify(scope: &mut Scope<Link>, token: &Token) -> Result<Written<Account>> {
    // Two tokens of one account at once would each wait for what the other has locked below.
    lock(scope.core()).await?.ok_or(Error::NotFound)?;
    let token_hash = token.hash();
    let used = sqlx::query!(
        "update verifications set used_at = now() where token_hash = $1 and used_at is null returning name, password_hash",
        token_hash.as_bytes(),
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    sqlx::query!("update verifications set expires_at = now() where used_at is null and expires_at > now()")
        .execute(scope.sql())
        .await?;
    let account = sqlx::query_as!(
        Account,
        r#"update accounts set name = $1, password_hash = $2, email_verified_at = now(), version = version + 1
           where id = current_account() and email_verified_at is null
           returning id as "id: AccountId", email, name, time_zone, locale, deletion_due_at, mail_refused_at, created_at, version"#,
        used.name,
        used.password_hash,
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    audit::record(scope.core(), Event::new(Action::AccountCreated).about(account.id)).await?;
    Ok(Written(account))
}
