//! Step-up: the password again, for what cannot be taken back.

use deserr::Deserr;
use utoipa::ToSchema;

use crate::{
    audit::{Action, Origin},
    db::Db,
    error::{Error, Refusal, Result},
    ids::AccountId,
    input::Faults,
    passwords::{self, ClaimedPassword},
    secrets::Credential,
    throttle::{self, Door},
};

/// The caller has just given their password. Sensitive functions ask for it beside their scope.
#[derive(Debug)]
pub struct Confirmed {
    pub(crate) account: AccountId,
    pub(crate) email: String,
}

/// An input that brings the caller's password along.
pub trait StepUp {
    /// The password.
    fn password(&self) -> &ClaimedPassword;
}

/// The caller's password and nothing else.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct WithPassword {
    /// The caller's.
    pub password: ClaimedPassword,
}

impl StepUp for WithPassword {
    fn password(&self) -> &ClaimedPassword {
        &self.password
    }
}

/// Asks whether the password is the one of the session's account. To be called while no scope is open: hashing takes its
/// time, and a connection is not held for it.
///
/// # Errors
/// [`Error::WrongPassword`], [`Error::Throttled`], [`Error::Unauthenticated`], or that a personal token will not do.
pub async fn confirm(
    db: &Db,
    credential: &Credential,
    password: &ClaimedPassword,
    origin: &Origin,
) -> Result<Confirmed> {
    let hash = credential.hash().to_string();
    let row = sqlx::query!(
        r#"select account_id as "account_id!: AccountId", email as "email!", password_hash from password_of($1)"#,
        hash
    )
    .fetch_one(&db.pool)
    .await
    .map_err(|fault| match fault.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("TB403") => Error::Refused(Refusal::SessionNeeded),
        _ => fault.into(),
    })?;
    let attempt = throttle::enter(db, Door::Password, &row.email, origin).await?;
    if passwords::verify(password.clone(), row.password_hash).await?.fits {
        attempt.forgive(db).await?;
        Ok(Confirmed { account: row.account_id, email: row.email })
    } else {
        throttle::tell(db, row.account_id, Action::SessionRefused, origin).await?;
        Err(Error::WrongPassword)
    }
}
