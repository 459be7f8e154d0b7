//! Another address for an account: what the holders of the two mails see and do.

use jiff_sqlx::Timestamp;
use serde::Serialize;

use crate::{
    access::{Committed, Written},
    audit::{self, Action, Event, Origin},
    db::Db,
    error::{Error, Result},
    ids::AccountId,
    secrets::{Purpose, Token},
};

/// A change that waits for both addresses.
#[derive(Clone, Debug)]
pub struct EmailChange {
    /// The address that is left.
    pub old_email: String,
    /// The address that comes.
    pub new_email: String,
    /// Whether the token was mailed to the address that is left.
    pub from_old: bool,
    /// Until when.
    pub expires_at: Timestamp,
    token: Token,
}

/// What came of a confirmation.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Confirmation {
    /// Both have confirmed; the address is another one.
    pub done: bool,
}

/// The change that a mailed token is for; changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when it is unknown, used or too old.
pub async fn show(db: &Db, token: Token, origin: &Origin) -> Result<EmailChange> {
    let (mut scope, from_old) = match db.begin_link(&token, Purpose::EmailOld, origin).await {
        Err(Error::NotFound) => (db.begin_link(&token, Purpose::EmailNew, origin).await?, false),
        scope => (scope?, true),
    };
    let hash = token.hash();
    let row = sqlx::query!(
        "select a.email, c.new_email, c.expires_at from email_changes c join accounts a on a.id = c.account_id
         where $1 in (c.old_token_hash, c.new_token_hash)",
        hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    Ok(EmailChange { old_email: row.email, new_email: row.new_email, from_old, expires_at: row.expires_at, token })
}

/// Confirms it for one of the two addresses; the second makes it so.
///
/// # Errors
/// [`Error::NotFound`] when somebody else was faster, `email_taken`.
pub async fn confirm(db: &Db, change: &EmailChange, origin: &Origin) -> Result<Committed<Confirmation>> {
    let purpose = if change.from_old { Purpose::EmailOld } else { Purpose::EmailNew };
    let mut scope = db.begin_link(&change.token, purpose, origin).await?;
    let hash = change.token.hash();
    let row = sqlx::query!(
        r#"update email_changes set old_confirmed_at = case when old_token_hash = $1 then now() else old_confirmed_at end,
                                    new_confirmed_at = case when new_token_hash = $1 then now() else new_confirmed_at end
           where $1 in (old_token_hash, new_token_hash)
           returning num_nonnulls(old_confirmed_at, new_confirmed_at) = 2 as "done!""#,
        hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    if row.done {
        let account = sqlx::query_scalar!(
            r#"update accounts set email = $1, version = version + 1 where id = current_account() returning id as "id: AccountId""#,
            change.new_email,
        )
        .fetch_one(scope.sql())
        .await?;
        audit::record(scope.core(), Event::new(Action::EmailChanged).about(account)).await?;
    }
    scope.commit(Written(Confirmation { done: row.done })).await
}
