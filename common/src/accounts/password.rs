//! Another password, by somebody who knows the one before.

use deserr::Deserr;
use utoipa::ToSchema;

use super::{lock, refuse_guessable};
use crate::{
    access::{Committed, Me},
    audit::{self, Action, Event, Origin},
    db::Db,
    error::{Error, Result},
    input::Faults,
    mails::{self, Notice, Owed},
    passwords::{self, ClaimedPassword, NewPassword},
    secrets::Credential,
    sessions::{self, Confirmed, StepUp},
};

/// A new password, and the one before.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct PasswordChange {
    /// The caller's.
    pub password: ClaimedPassword,
    /// 12 to 256 characters.
    pub new_password: NewPassword,
}

impl StepUp for PasswordChange {
    fn password(&self) -> &ClaimedPassword {
        &self.password
    }
}

/// Sets the password. All sessions but the caller's end, links for a lost password are void, and the owner is told.
///
/// # Errors
/// [`Error::Invalid`] at `/new_password` for one that is made of the account's names; [`Error::Busy`].
pub async fn change(
    db: &Db,
    credential: &Credential,
    confirmed: &Confirmed,
    new: NewPassword,
    origin: &Origin,
) -> Result<Committed<()>> {
    let mut scope = db.begin_account::<Me>(credential, origin).await?;
    refuse_guessable(scope.core(), &new, "/new_password").await?;
    // No connection is held while a core is busy.
    drop(scope);
    let password_hash = passwords::hash(new).await?;
    let mut scope = db.begin_account::<Me>(credential, origin).await?;
    let core = scope.core();
    let account = lock(core).await?.filter(|account| account.id == confirmed.account).ok_or(Error::Unauthenticated)?;
    sqlx::query!(
        "update accounts set password_hash = $1, version = version + 1 where id = current_account()",
        password_hash
    )
    .execute(core.sql())
    .await?;
    sqlx::query!("update password_resets set expires_at = now() where used_at is null and expires_at > now()")
        .execute(core.sql())
        .await?;
    audit::record(core, Event::new(Action::PasswordChanged).about(account.id)).await?;
    sessions::end_all_but_own(core).await?;
    let told = mails::owe(core, &[Owed::notice(account.id, &Notice::PasswordChanged)]).await?;
    scope.commit(told).await
}
