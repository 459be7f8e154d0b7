//! Secrets: what proves a caller, and what only its hash is stored of.

use std::fmt;

mod mailed;
mod personal;
mod server_key;
mod session;

pub use mailed::{Purpose, Token};
pub use personal::PersonalToken;
pub use server_key::ServerKey;
pub use session::SessionToken;

/// The text is no token: refused before any query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the 43 characters of a token")]
pub struct NotAToken;

impl crate::input::Fault for NotAToken {
    fn code(&self) -> &'static str {
        "not_a_token"
    }
}

/// SHA-256 of a token. Enough for 256 random bits: there is nothing to guess, so nothing to slow down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// For a `bytea` parameter.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Lower-case hexadecimal, the form the openers take.
impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a request brings to prove who sends it; the prefix tells which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Of somebody who signed in.
    Session(SessionToken),
    /// Of somebody's program.
    Personal(PersonalToken),
}

impl Credential {
    /// Of a header `Authorization: Bearer …`.
    ///
    /// # Errors
    /// What does not even have the form of a credential is refused without a query.
    pub fn from_header(header: &str) -> Result<Self, NotAToken> {
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        if scheme.eq_ignore_ascii_case("bearer") { token.trim().parse() } else { Err(NotAToken) }
    }

    /// What the database keeps.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        match self {
            Self::Session(token) => token.hash(),
            Self::Personal(token) => token.hash(),
        }
    }
}

impl std::str::FromStr for Credential {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        if text.starts_with(PersonalToken::PREFIX) {
            text.parse().map(Self::Personal)
        } else {
            text.parse().map(Self::Session)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn key(text: &str) -> ServerKey {
        ServerKey::new(text.repeat(32).into()).unwrap()
    }

    #[test]
    fn the_prefix_of_a_credential_tells_its_kind() {
        let (session, personal) = (SessionToken::random().unwrap(), PersonalToken::random().unwrap());
        assert_eq!(session.reveal().parse::<Credential>(), Ok(Credential::Session(session.clone())));
        assert_eq!(personal.reveal().parse::<Credential>(), Ok(Credential::Personal(personal.clone())));
        assert!(Credential::Session(session.clone()).hash() == session.hash());
        assert!(Credential::Personal(personal.clone()).hash() == personal.hash());
        let (session, personal) = (&session.reveal()[4..], &personal.reveal()[4..]);
        for bad in [format!("tbl_{session}"), format!("tbs_{personal}"), format!("tbx_{session}"), session.to_owned()] {
            assert_eq!(bad.parse::<Credential>(), Err(NotAToken), "{bad}");
        }
    }

    #[test]
    fn nothing_secret_is_shown_by_debug() {
        let credentials = [
            Credential::Session(SessionToken::random().unwrap()),
            Credential::Personal(PersonalToken::random().unwrap()),
        ];
        assert_eq!(
            format!("{:?} {credentials:?}", key("s")),
            "ServerKey(…) [Session(SessionToken(Token(…))), Personal(PersonalToken(…))]"
        );
    }

    #[test]
    fn a_credential_has_one_spelling_and_noise_is_none() {
        let samples = [SessionToken::random().unwrap().reveal(), PersonalToken::random().unwrap().reveal()];
        let mut read = 0;
        for text in crate::noise::texts(&samples) {
            let Ok(credential) = text.parse::<Credential>() else { continue };
            let reveals = match &credential {
                Credential::Session(token) => token.reveal(),
                Credential::Personal(token) => token.reveal(),
            };
            assert_eq!(reveals, text);
            read += 1;
        }
        assert!((1000..10_000).contains(&read), "{read}");
    }
}
