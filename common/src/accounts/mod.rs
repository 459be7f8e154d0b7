//! Accounts: people, from sign-up to the end. A file for each thing that happens to one.
//!
//! Whatever changes an account locks its row first ([`lock`]): a reset, a change of address and a sign-in that meet come one
//! after another, and never wait for each other.

pub mod deletion;
pub mod email;
pub mod export;
pub mod password;
mod profile;
pub mod reset;
mod sign_up;
mod verify;

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub use profile::{AccountChanges, update};
pub use sign_up::{NewAccount, sign_up};
pub use verify::{NewVerification, SignedUp, resend, sign_up_of, verify};

use crate::{
    access::{Core, ReadMe, Scope},
    error::{Error, Result},
    ids::AccountId,
    input::Faults,
    passwords::NewPassword,
    shown::shown,
    text::EmailAddress,
};

/// A person.
#[derive(Clone, Debug, Serialize, ToSchema)]
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
    /// Since when mail servers refuse the address for good: five mails in a row were. The next one that is taken ends it.
    pub mail_refused_at: Option<Timestamp>,
    /// Since when.
    pub created_at: Timestamp,
    /// Rises with every change.
    pub version: i32,
}

shown!(Account, version);

/// Somebody who asks for mail, and has proved nothing.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct MailRequest {
    /// Where to.
    pub email: EmailAddress,
}

/// The caller.
///
/// # Errors
/// The database's.
pub async fn me(scope: &mut Scope<ReadMe>) -> Result<Account> {
    find(scope.core()).await
}

async fn find(core: &mut Core) -> Result<Account> {
    let account = sqlx::query_as!(
        Account,
        r#"select id as "id: AccountId", email, name, time_zone, locale, deletion_due_at, mail_refused_at, created_at, version
           from accounts where id = current_account()"#
    )
    .fetch_one(core.sql())
    .await?;
    Ok(account)
}

/// The scope's account, locked; none when the scope has none, or it is deleted. `no key`: the check of a foreign key need not
/// wait for it.
async fn lock(core: &mut Core) -> Result<Option<Locked>> {
    let account = sqlx::query_as!(
        Locked,
        r#"select id as "id: AccountId", email_verified_at is not null as "verified!", deletion_due_at
           from accounts where id = current_account() and deleted_at is null for no key update"#
    )
    .fetch_optional(core.sql())
    .await?;
    Ok(account)
}

/// What is asked about an account before something is done to it.
struct Locked {
    id: AccountId,
    /// Somebody has proved to own its address.
    verified: bool,
    deletion_due_at: Option<Timestamp>,
}

/// Refuses a password made of what everybody knows of the account: its address, its name, its organizations' names.
async fn refuse_guessable(core: &mut Core, password: &NewPassword, pointer: &str) -> Result<()> {
    let known = sqlx::query_scalar!(
        r#"select email as "known!" from accounts where id = current_account()
           union all select name from accounts where id = current_account()
           union all select name from organizations"#
    )
    .fetch_all(core.sql())
    .await?;
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    refuse_made_of(&known, password, pointer)
}

fn refuse_made_of(known: &[&str], password: &NewPassword, pointer: &str) -> Result<()> {
    password.refuse_if_made_of(known).map_err(|fault| Error::Invalid(Faults::at(pointer, &fault)))
}
