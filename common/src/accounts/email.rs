//! Another address. It counts when both mailboxes have agreed: the one that is left, so that a stolen password does not take
//! the account along, and the one that comes, so that the account does not end up with a stranger.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::lock;
use crate::{
    access::{Committed, Link, Me, Scope, Written},
    audit::{self, Action, Event, Origin},
    db::Db,
    error::{Error, Result},
    idempotency::{Outcome, RequestKey},
    ids::EmailChangeId,
    input::{Fault, Faults},
    mails::{self, MailKind, Owed},
    passwords::ClaimedPassword,
    secrets::{Credential, Purpose, Token},
    sessions::{Confirmed, StepUp},
    shown::shown,
    text::EmailAddress,
    throttle::{self, Door},
};

/// Another address, and the caller's password.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewEmail {
    /// The one that shall come.
    pub email: EmailAddress,
    /// The caller's.
    pub password: ClaimedPassword,
}

impl StepUp for NewEmail {
    fn password(&self) -> &ClaimedPassword {
        &self.password
    }
}

/// The token of either of the two mails.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct EmailConfirmation {
    /// From the mail.
    pub token: Token,
}

/// What came of a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EmailConfirmed {
    /// Both mailboxes have confirmed: the account has its new address. If not, the other one's turn is next.
    pub done: bool,
}

shown!(EmailConfirmed);

/// A change of address that waits, as the holder of one of its two mails sees it.
#[derive(Clone, Debug)]
pub struct EmailChange {
    /// Whether the mail went to the address that the account has now.
    pub old: bool,
    /// The address that it has now.
    pub email: String,
    /// The address that it shall have.
    pub new_email: String,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}

/// The address is the account's already.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("is the address of your account already")]
struct SameAddress;

impl Fault for SameAddress {
    fn code(&self) -> &'static str {
        "same_address"
    }
}

/// Asks both mailboxes; a change that waits already is void from now on. Whether another account has the address is not told
/// here: only who has proved to own it learns that.
///
/// # Errors
/// [`Error::Throttled`], or [`Error::Invalid`] at `/email` for the address that the account has.
pub async fn ask(
    db: &Db,
    credential: &Credential,
    confirmed: &Confirmed,
    new: &EmailAddress,
    origin: &Origin,
    key: Option<&RequestKey>,
) -> Result<()> {
    if new.as_str() == confirmed.email {
        return Err(Error::Invalid(Faults::at("/email", &SameAddress)));
    }
    // Two mailboxes get mail: neither is to be flooded.
    let _ = throttle::enter(db, Door::Mail, &confirmed.email, origin).await?;
    let _ = throttle::enter(db, Door::Mail, new.as_str(), origin).await?;
    let mut scope = db.begin_account_once::<Me>(credential, origin, key).await?.now()?;
    let id = EmailChangeId::new();
    let [old_hash, new_hash] =
        [Purpose::EmailOld, Purpose::EmailNew].map(|purpose| scope.db().key().mailed_token(purpose, id.0).hash());
    let core = scope.core();
    let account = lock(core).await?.filter(|account| account.id == confirmed.account).ok_or(Error::Unauthenticated)?;
    sqlx::query!(
        "with void as (update email_changes set expires_at = now() where expires_at > now())
         insert into email_changes (id, account_id, new_email, old_token_hash, new_token_hash, expires_at)
         values ($1, current_account(), $2, $3, $4, now() + interval '24 hours')",
        id.0,
        new.as_str(),
        old_hash.as_bytes(),
        new_hash.as_bytes(),
    )
    .execute(core.sql())
    .await?;
    let owed = [MailKind::EmailChangeOld, MailKind::EmailChangeNew]
        .map(|kind| Owed { email_change: Some(id), ..Owed::to_account(kind, account.id) });
    let written = mails::owe(core, &owed).await?;
    scope.done(written, Outcome::Accepted).await.map(Committed::into_inner)
}

/// The change that a mail asks about; changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when the token is unknown, used, void or too old.
pub async fn change_of(db: &Db, token: &Token, origin: &Origin) -> Result<EmailChange> {
    let (mut scope, old) = open(db, token, origin).await?;
    let token_hash = token.hash();
    let change = sqlx::query_as!(
        EmailChange,
        r#"select $2::bool as "old!", a.email, c.new_email, c.expires_at from email_changes c join accounts a on a.id = c.account_id
           where case when $2 then c.old_token_hash else c.new_token_hash end = $1"#,
        token_hash.as_bytes(),
        old,
    )
    .fetch_one(scope.sql())
    .await?;
    Ok(change)
}

/// One of the two mailboxes agrees. With the second, the account has its new address in this transaction.
///
/// # Errors
/// [`Error::NotFound`] when the token is unknown, used, void or too old; `email_taken` when the address has become another
/// account's.
pub async fn confirm(db: &Db, token: &Token, origin: &Origin) -> Result<Committed<EmailConfirmed>> {
    let (mut scope, old) = open(db, token, origin).await?;
    let core = scope.core();
    let account = lock(core).await?.ok_or(Error::NotFound)?;
    let token_hash = token.hash();
    let change = sqlx::query!(
        r#"update email_changes set old_confirmed_at = case when $2 then now() else old_confirmed_at end,
                                    new_confirmed_at = case when $2 then new_confirmed_at else now() end
           where expires_at > now()
             and case when $2 then old_token_hash = $1 and old_confirmed_at is null
                      else new_token_hash = $1 and new_confirmed_at is null end
           returning id, old_confirmed_at is not null and new_confirmed_at is not null as "done!""#,
        token_hash.as_bytes(),
        old,
    )
    .fetch_optional(core.sql())
    .await?
    .ok_or(Error::NotFound)?;
    if change.done {
        let email = sqlx::query!(r#"select before as "before!", after as "after!" from change_email($1)"#, change.id)
            .fetch_one(core.sql())
            .await?;
        // Links for a lost password lie in the mailbox that was left.
        sqlx::query!("update password_resets set expires_at = now() where used_at is null and expires_at > now()")
            .execute(core.sql())
            .await?;
        let event = Event::new(Action::EmailChanged)
            .about(account.id)
            .before(json!({ "email": email.before }))
            .after(json!({ "email": email.after }));
        audit::record(core, event).await?;
    }
    scope.commit(Written(EmailConfirmed { done: change.done })).await
}

/// The scope of either token, and whether it is the one of the address that the account has now.
async fn open(db: &Db, token: &Token, origin: &Origin) -> Result<(Scope<Link>, bool)> {
    match db.begin_link(token, Purpose::EmailOld, origin).await {
        Err(Error::NotFound) => db.begin_link(token, Purpose::EmailNew, origin).await.map(|scope| (scope, false)),
        scope => scope.map(|scope| (scope, true)),
    }
}
