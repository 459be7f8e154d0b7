//! Passwords: their rule, and argon2id kept from taking the machine with it.

use std::{convert::Infallible, num::NonZero, sync::LazyLock, time::Duration};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::{error::Error, input::Fault};

/// A password that fits the rule: 12 to 256 bytes, no rules of composition.
#[derive(Clone, Debug)]
pub struct NewPassword(SecretString);

/// Why a password was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must have 12 to 256 bytes")]
pub struct PasswordFault;

impl Fault for PasswordFault {
    fn code(&self) -> &'static str {
        "password_length"
    }
}

impl std::str::FromStr for NewPassword {
    type Err = PasswordFault;

    fn from_str(text: &str) -> Result<Self, PasswordFault> {
        if (12..=256).contains(&text.len()) { Ok(Self(text.into())) } else { Err(PasswordFault) }
    }
}

/// A password somebody claims to have; any length, so that the rule of today does not lock out the account of yesterday.
#[derive(Clone, Debug)]
pub struct ClaimedPassword(SecretString);

impl std::str::FromStr for ClaimedPassword {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

crate::input::parsed_field!(NewPassword);
crate::input::parsed_field!(ClaimedPassword);

/// Hashing uses all cores but one, so that a storm of sign-ins leaves the rest of the service alive.
static SLOTS: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    Semaphore::new(cores.saturating_sub(1).max(1))
});

/// Of a password that nobody has, with the parameters of [`hasher`]: verifying against it takes as long as against any
/// other.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$0HDSwhxkVnjYRCuLmJHcR9z9lVn3B0mlRyFsVKrUg8Q";

/// Who waits longer than this is better told to come back.
const QUEUE: Duration = Duration::from_secs(3);

/// Hashes a new password into a PHC string.
///
/// # Errors
/// [`Error::Busy`] when too many are waiting.
pub async fn hash(password: NewPassword) -> Result<String, Error> {
    in_turn(move || {
        let hash = hasher()?.hash_password(password.0.expose_secret().as_bytes()).map_err(internal)?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether the password is the one behind `stored`. Without one, as much time is spent on a made-up hash, so that an
/// unknown e-mail cannot be told from a wrong password.
///
/// # Errors
/// [`Error::Busy`] when too many are waiting.
pub async fn verify(password: ClaimedPassword, stored: Option<String>) -> Result<bool, Error> {
    in_turn(move || {
        let known = stored.is_some();
        let hash = PasswordHash::new(stored.as_deref().unwrap_or(NOBODYS)).map_err(internal)?;
        let fits = hasher()?.verify_password(password.0.expose_secret().as_bytes(), &hash).is_ok();
        Ok(fits && known)
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let _slot = timeout(QUEUE, SLOTS.acquire()).await.map_err(|_| Error::Busy)?.map_err(internal)?;
    spawn_blocking(work).await.map_err(internal)?
}

/// OWASP's first choice for argon2id: 19 MiB, two passes.
fn hasher() -> Result<Argon2<'static>, Error> {
    let params = Params::new(19_456, 2, 1, None).map_err(internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn internal(fault: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Box::new(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_account_fits() {
        let stored = hash("correct horse battery".parse().unwrap()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse battery".parse().unwrap(), Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horse batterz".parse().unwrap(), Some(stored)).await.unwrap());
        assert!(!verify("nobody has this password".parse().unwrap(), None).await.unwrap());
    }
}
