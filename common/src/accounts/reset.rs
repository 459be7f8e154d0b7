//! A lost password: a mailed link sets a new one.

use deserr::Deserr;
use utoipa::ToSchema;

use super::{MailRequest, lock, refuse_guessable};
use crate::{
    access::{Committed, Link, Scope},
    audit::{self, Action, Event, Origin},
    db::Db,
    error::{Error, Result},
    ids::{AccountId, PasswordResetId},
    input::Faults,
    mails::{self, MailKind, Notice, Owed},
    passwords::{self, NewPassword},
    secrets::{Purpose, Token},
    sessions,
    throttle::{self, Door},
};

/// A new password, by the token of a mail.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Reset {
    /// From the mail.
    pub token: Token,
    /// 12 to 256 characters.
    pub password: NewPassword,
}

/// The same on the page of the link, which has the token already.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ChosenPassword {
    /// 12 to 256 characters.
    pub password: NewPassword,
}

/// Sends a link for a new password to the address of an account; those before are void. An address without one gets the same
/// answer and no mail (`asking_for_a_reset_does_not_tell_whether_an_address_is_known`).
///
/// # Errors
/// [`Error::Throttled`].
pub async fn ask(db: &Db, request: MailRequest, origin: &Origin) -> Result<()> {
    let _ = throttle::enter(db, Door::Mail, request.email.as_str(), origin).await?;
    let mut scope = db.begin_mailbox(&request.email, origin).await?;
    let id = PasswordResetId::new();
    let token_hash = scope.db().key().mailed_token(Purpose::PasswordReset, id.0).hash();
    let core = scope.core();
    // The same statements whatever there is.
    let verified = lock(core).await?.is_some_and(|account| account.verified);
    let account = sqlx::query_scalar!(
        r#"with void as (update password_resets set expires_at = now() where $3 and used_at is null and expires_at > now())
           insert into password_resets (id, account_id, token_hash, expires_at)
           select $1, current_account(), $2, now() + interval '1 hour' where $3
           returning account_id as "account: AccountId""#,
        id.0,
        token_hash.as_bytes(),
        verified,
    )
    .fetch_optional(core.sql())
    .await?;
    let owed = account.map(|account| Owed { reset: Some(id), ..Owed::to_account(MailKind::PasswordReset, account) });
    let written = mails::owe(core, owed.as_slice()).await?;
    scope.commit(written).await.map(Committed::into_inner)
}

/// The address of the account that a link sets a new password for; changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when the token is unknown, used, void or too old.
pub async fn address_of(db: &Db, token: &Token, origin: &Origin) -> Result<String> {
    let mut scope = open(db, token, origin).await?;
    let email =
        sqlx::query_scalar!("select email from accounts where id = current_account()").fetch_one(scope.sql()).await?;
    Ok(email)
}

/// Uses the token up and sets the password. Whoever was signed in is not any more; the owner is told.
///
/// # Errors
/// [`Error::NotFound`] when the token is unknown, used, void or too old; [`Error::Invalid`] at `/password` for one that is
/// made of the account's names; [`Error::Busy`].
pub async fn complete(db: &Db, reset: Reset, origin: &Origin) -> Result<Committed<()>> {
    let Reset { token, password } = reset;
    // Looked at first, so that only who has a link makes us hash; and no connection is held meanwhile.
    let mut scope = open(db, &token, origin).await?;
    refuse_guessable(scope.core(), &password, "/password").await?;
    drop(scope);
    let password_hash = passwords::hash(password).await?;
    let mut scope = open(db, &token, origin).await?;
    let core = scope.core();
    let account = lock(core).await?.ok_or(Error::NotFound)?;
    let token_hash = token.hash();
    let used = sqlx::query!(
        "update password_resets set used_at = now() where token_hash = $1 and used_at is null and expires_at > now()",
        token_hash.as_bytes(),
    )
    .execute(core.sql())
    .await?;
    if used.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    sqlx::query!(
        "update accounts set password_hash = $1, version = version + 1 where id = current_account()",
        password_hash
    )
    .execute(core.sql())
    .await?;
    audit::record(core, Event::new(Action::PasswordReset).about(account.id)).await?;
    sessions::end_all_but_own(core).await?;
    let told = mails::owe(core, &[Owed::notice(account.id, &Notice::PasswordReset)]).await?;
    scope.commit(told).await
}

async fn open(db: &Db, token: &Token, origin: &Origin) -> Result<Scope<Link>> {
    db.begin_link(token, Purpose::PasswordReset, origin).await
}
