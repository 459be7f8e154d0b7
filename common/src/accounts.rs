//! Accounts: people, from sign-up to a verified e-mail.

pub mod email;
pub mod reset;

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;

use crate::{
    access::{Committed, Link, ReadMe, Scope, Written},
    audit::{self, Action, Event, Origin},
    config::Registration,
    db::Db,
    error::{Error, Refusal, Result},
    ids::{AccountId, VerificationId},
    input::Faults,
    mails::{self, MailKind, Owed},
    passwords::{self, NewPassword},
    secrets::{Purpose, Token},
    text::{EmailAddress, Name},
    throttle::{self, Door},
};

/// A person.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The verified address.
    pub email: String,
    /// What others call them.
    pub name: String,
    /// IANA name; null for the organization's.
    pub time_zone: Option<String>,
    /// A language tag; null for the deployment's.
    pub locale: Option<String>,
    /// When the account will be deleted, if its owner has asked for it.
    pub deletion_due_at: Option<Timestamp>,
    /// Since when.
    pub created_at: Timestamp,
    /// Rises with every change.
    pub version: i32,
}

/// Somebody who wants an account.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewAccount {
    /// Will be proved by a mail.
    pub email: EmailAddress,
    /// What others call them.
    pub name: Name,
    /// 12 to 256 bytes.
    pub password: NewPassword,
}

/// The token of a verification mail.
#[derive(Debug, Deserr)]
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

/// Takes a sign-up in. The account begins with its verification; an address that already has one is told so by mail, and
/// the answer is the same (tests/api/accounts.rs: `sign_up_does_not_tell_whether_an_address_is_known`). Where one must be
/// invited, an address that nobody waits for gets the same answer and no mail.
///
/// # Errors
/// [`Error::Throttled`], [`Error::Busy`], or that the deployment takes nobody.
pub async fn sign_up(db: &Db, new: NewAccount, registration: Registration, origin: &Origin) -> Result<()> {
    if registration == Registration::Closed {
        return Err(Error::Refused(Refusal::RegistrationClosed));
    }
    let _ = throttle::enter(db, Door::Mail, new.email.as_str(), origin).await?;
    let password_hash = passwords::hash(new.password).await?;
    if registration == Registration::Invited && !is_expected(db, &new.email).await? {
        return Ok(());
    }
    let mut scope = db.begin_sign_up(&new.email, &new.name, origin).await?;
    let id = VerificationId::new();
    let token_hash = scope.db().key().mailed_token(Purpose::Verification, id.0).hash();
    // The password waits in this row until the mail proves who sent it: whoever signs up with somebody else's address
    // leaves nothing behind that would count later.
    let account = sqlx::query!(
        r#"with known as (select id, email_verified_at is not null as verified from accounts where id = current_account()),
                waiting as (
                    insert into verifications (id, account_id, name, password_hash, token_hash, expires_at)
                    select $1, known.id, $2, $3, $4, now() + interval '24 hours' from known where not known.verified)
           select id as "id: AccountId", verified as "verified!" from known"#,
        id.0,
        new.name.as_str(),
        password_hash,
        token_hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    let owed = if account.verified {
        Owed::to_account(MailKind::AlreadyRegistered, account.id)
    } else {
        Owed { verification: Some(id), ..Owed::to_account(MailKind::Verification, account.id) }
    };
    let written = mails::owe(scope.core(), &[owed]).await?;
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
    sqlx::query!("select id from accounts where id = current_account() for no key update")
        .fetch_one(scope.sql())
        .await?;
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
           returning id as "id: AccountId", email, name, time_zone, locale, deletion_due_at, created_at, version"#,
        used.name,
        used.password_hash,
    )
    .fetch_optional(scope.sql())
    .await?
    .ok_or(Error::NotFound)?;
    audit::record(scope.core(), Event::new(Action::AccountCreated).about(account.id)).await?;
    Ok(Written(account))
}

/// Whether an invitation waits for the address, or an account.
async fn is_expected(db: &Db, email: &EmailAddress) -> Result<bool> {
    let expected =
        sqlx::query_scalar!(r#"select is_expected($1) as "expected!""#, email.as_str()).fetch_one(&db.pool).await?;
    Ok(expected)
}

/// The caller.
///
/// # Errors
/// The database's.
pub async fn me(scope: &mut Scope<ReadMe>) -> Result<Account> {
    let account = sqlx::query_as!(
        Account,
        r#"select id as "id: AccountId", email, name, time_zone, locale, deletion_due_at, created_at, version
           from accounts where id = current_account()"#
    )
    .fetch_one(scope.sql())
    .await?;
    Ok(account)
}
