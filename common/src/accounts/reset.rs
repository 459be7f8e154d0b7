//! A lost password: what the holder of the mail sees and does.

use deserr::Deserr;
use jiff_sqlx::Timestamp;

use crate::{
    access::Committed,
    audit::{self, Action, Event, Origin},
    db::Db,
    error::{Error, Result},
    ids::AccountId,
    input::Faults,
    mails::{self, Notice, Owed},
    passwords::{self, NewPassword},
    secrets::{Purpose, Token},
};

/// A reset that waits for its new password.
#[derive(Clone, Debug)]
pub struct Reset {
    /// Whose.
    pub email: String,
    /// What others call them.
    pub name: String,
    /// Until when.
    pub expires_at: Timestamp,
    token: Token,
}

/// The password that shall be.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct ChosenPassword {
    /// 12 to 256 bytes.
    pub password: NewPassword,
}

/// The reset that a mailed token is for; changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when it is unknown, used or too old.
pub async fn show(db: &Db, token: Token, origin: &Origin) -> Result<Reset> {
    let mut scope = db.begin_link(&token, Purpose::PasswordReset, origin).await?;
    let hash = token.hash();
    let row = sqlx::query!(
        "select a.email, a.name, r.expires_at from password_resets r join accounts a on a.id = r.account_id
         where r.token_hash = $1 and r.used_at is null",
        hash.as_bytes(),
    )
    .fetch_one(scope.sql())
    .await?;
    Ok(Reset { email: row.email, name: row.name, expires_at: row.expires_at, token })
}

/// Sets the password, ends all sessions, and tells the owner.
///
/// # Errors
/// [`Error::NotFound`] when somebody else was faster; a password made of names; [`Error::Busy`].
pub async fn complete(db: &Db, reset: &Reset, password: NewPassword, origin: &Origin) -> Result<Committed<()>> {
    password.refuse_if_made_of(&[&reset.email, &reset.name]).map_err(|fault| Faults::at("/password", &fault))?;
    let password_hash = passwords::hash(password).await?;
    let mut scope = db.begin_link(&reset.token, Purpose::PasswordReset, origin).await?;
    let account = sqlx::query_scalar!(
        r#"update accounts set password_hash = $1, version = version + 1 where id = current_account()
           returning id as "id: AccountId""#,
        password_hash,
    )
    .fetch_one(scope.sql())
    .await?;
    let hash = reset.token.hash();
    let used = sqlx::query!(
        "update password_resets set used_at = now() where token_hash = $1 and used_at is null",
        hash.as_bytes(),
    )
    .execute(scope.sql())
    .await?;
    if used.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    sqlx::query!("update password_resets set expires_at = now() where used_at is null and expires_at > now()")
        .execute(scope.sql())
        .await?;
    sqlx::query!("delete from sessions").execute(scope.sql()).await?;
    audit::record(scope.core(), Event::new(Action::PasswordReset).about(account)).await?;
    let written = mails::owe(scope.core(), &[Owed::notice(account, &Notice::PasswordReset)]).await?;
    scope.commit(written).await
}
