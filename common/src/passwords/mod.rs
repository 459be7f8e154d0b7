//! Passwords: their rule, and argon2id kept from taking the machine with it.

use std::{num::NonZero, sync::LazyLock, time::Duration};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use secrecy::ExposeSecret;

use crate::error::Error;

mod common;
mod gate;
mod rule;

use gate::Gate;
pub use rule::{ClaimedPassword, NewPassword, PasswordFault};

/// Of a password that nobody has, with the parameters of [`hasher`]: verifying against it takes as long as against any
/// other.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$0HDSwhxkVnjYRCuLmJHcR9z9lVn3B0mlRyFsVKrUg8Q";

/// How many wait for each core that hashes: at 40 to 100 ms each, more would wait in vain.
const WAITING: usize = 32;

/// Who waits longer than this is better told to come back.
const PATIENCE: Duration = Duration::from_secs(3);

/// Hashing uses all cores but one, so that a storm of sign-ins leaves the rest of the service alive.
static GATE: LazyLock<Gate> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    Gate::new(cores.saturating_sub(1).max(1), WAITING, PATIENCE)
});

/// What came of comparing a password with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It is the right one.
    pub fits: bool,
    /// It is the right one, and its hash is weaker than a new one would be: hash it anew while it is known.
    pub outdated: bool,
}

/// Hashes a new password into a PHC string.
///
/// # Errors
/// [`Error::Busy`] when too many are waiting.
pub async fn hash(password: NewPassword) -> Result<String, Error> {
    GATE.run(move || hashed(password.0.expose_secret())).await
}

/// Hashes a password that has just been found to fit. It may be older than the rule, and is not judged again.
///
/// # Errors
/// [`Error::Busy`] when too many are waiting: the old hash does until the next time.
pub async fn rehash(password: ClaimedPassword) -> Result<String, Error> {
    GATE.run(move || hashed(password.0.expose_secret())).await
}

/// Whether the password is the one behind `stored`. Without one, as much time is spent on a made-up hash, so that an
/// unknown e-mail cannot be told from a wrong password.
///
/// # Errors
/// [`Error::Busy`] when too many are waiting.
pub async fn verify(password: ClaimedPassword, stored: Option<String>) -> Result<Verdict, Error> {
    GATE.run(move || {
        let known = stored.is_some();
        let hash = PasswordHash::new(stored.as_deref().unwrap_or(NOBODYS)).map_err(internal)?;
        let fits = hasher()?.verify_password(password.0.expose_secret().as_bytes(), &hash).is_ok() && known;
        Ok(Verdict { fits, outdated: fits && is_outdated(&hash)? })
    })
    .await
}

fn hashed(password: &str) -> Result<String, Error> {
    Ok(hasher()?.hash_password(password.as_bytes()).map_err(internal)?.to_string())
}

/// OWASP's first choice for argon2id: 19 MiB, two passes.
fn hasher() -> Result<Argon2<'static>, Error> {
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params()?))
}

fn params() -> Result<Params, Error> {
    Params::new(19_456, 2, 1, None).map_err(internal)
}

/// Whether a hash has less memory or fewer passes than a new one, or is of another kind.
fn is_outdated(hash: &PasswordHash) -> Result<bool, Error> {
    let (old, new) = (Params::try_from(hash).map_err(internal)?, params()?);
    let same_kind = hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into());
    Ok(!same_kind || old.m_cost() < new.m_cost() || old.t_cost() < new.t_cost())
}

fn internal(fault: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Box::new(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO: Verdict = Verdict { fits: false, outdated: false };

    #[tokio::test]
    async fn only_the_right_password_of_a_known_account_fits() {
        let stored = hash("correct horse battery".parse().unwrap()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let right = verify("correct horse battery".parse().unwrap(), Some(stored.clone())).await.unwrap();
        assert_eq!(right, Verdict { fits: true, outdated: false });
        assert_eq!(verify("correct horse batterz".parse().unwrap(), Some(stored)).await.unwrap(), NO);
        assert_eq!(verify("nobody has this password".parse().unwrap(), None).await.unwrap(), NO);
    }

    #[tokio::test]
    async fn a_hash_of_weaker_parameters_still_fits_and_is_named_outdated() {
        let weak = [
            (Algorithm::Argon2id, Version::V0x13, 8192, 2),
            (Algorithm::Argon2id, Version::V0x13, 19_456, 1),
            (Algorithm::Argon2i, Version::V0x13, 19_456, 2),
            (Algorithm::Argon2id, Version::V0x10, 19_456, 2),
        ];
        for (algorithm, version, memory, passes) in weak {
            let hasher = Argon2::new(algorithm, version, Params::new(memory, passes, 1, None).unwrap());
            let stored = hasher.hash_password(b"too short").unwrap().to_string();
            let right = verify("too short".parse().unwrap(), Some(stored.clone())).await.unwrap();
            assert_eq!(right, Verdict { fits: true, outdated: true }, "{stored}");
            assert_eq!(verify("wrong".parse().unwrap(), Some(stored)).await.unwrap(), NO);
        }
        assert!(!is_outdated(&PasswordHash::new(NOBODYS).unwrap()).unwrap(), "nobody's takes as long as a new one");
        let anew = rehash("too short".parse().unwrap()).await.unwrap();
        let right = verify("too short".parse().unwrap(), Some(anew)).await.unwrap();
        assert_eq!(right, Verdict { fits: true, outdated: false });
    }
}
