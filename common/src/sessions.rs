//! Sessions: what a sign-in gives.

use deserr::Deserr;
use jiff_sqlx::Timestamp;
use serde::Serialize;

use crate::{
    access::{Committed, Written},
    db::Db,
    error::{Error, Result},
    ids::{AccountId, SessionId},
    input::Faults,
    passwords::{self, ClaimedPassword},
    secrets::SessionToken,
    text::EmailAddress,
};

/// Somebody who claims to own an account.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct SignIn {
    /// The account's address.
    pub email: EmailAddress,
    /// Its password.
    pub password: ClaimedPassword,
}

/// A new session; the only time its token is shown.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub account_id: AccountId,
    /// For the header `Authorization: Bearer …`.
    pub token: String,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// Signs in. No connection is held while the password is hashed.
///
/// # Errors
/// [`Error::WrongPassword`] for an unknown address too; [`Error::Busy`].
pub async fn sign_in(db: &Db, claim: SignIn) -> Result<Committed<Session>> {
    let stored = sqlx::query!(
        r#"select account_id as "account_id!: AccountId", password_hash as "password_hash!" from sign_in_hash($1)"#,
        claim.email.as_str(),
    )
    .fetch_optional(&db.pool)
    .await?;
    let (account_id, hash) = stored.map(|row| (row.account_id, row.password_hash)).unzip();
    let fits = passwords::verify(claim.password, hash).await?.fits;
    let account_id = account_id.filter(|_| fits).ok_or(Error::WrongPassword)?;

    let (id, token) = (SessionId::new(), SessionToken::random()?);
    let mut scope = db.begin_session(account_id, id, &token).await?;
    let expires_at =
        sqlx::query_scalar!("select expires_at from sessions where id = $1", id.0).fetch_one(scope.sql()).await?;
    scope.commit(Written(Session { id, account_id, token: token.reveal(), expires_at })).await
}
