//! Secrets: what proves a caller, and what only its hash is stored of.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rand::{TryRng, rngs::SysRng};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::Error;

/// What a mailed token is good for; part of its derivation, so that one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Proves the e-mail of a sign-up.
    Verification,
    /// Accepts an invitation.
    Invitation,
}

impl Purpose {
    /// The name under which `begin_link` knows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Invitation => "invitation",
        }
    }
}

/// The deployment's own secret: mailed tokens and cursors are derived from it, so that neither database nor queue holds them.
#[derive(Clone)]
pub struct ServerKey(SecretString);

impl ServerKey {
    /// At least 32 characters, else the key could be guessed.
    ///
    /// # Errors
    /// A sentence that says so.
    pub fn new(key: SecretString) -> Result<Self, &'static str> {
        if key.expose_secret().trim().len() < 32 {
            Err("the server key must have at least 32 characters")
        } else {
            Ok(Self(key))
        }
    }

    /// The token that a mail carries for one row. The worker derives it again when it renders.
    #[must_use]
    pub fn mailed_token(&self, purpose: Purpose, row: Uuid) -> Token {
        Token(self.mac(&[b"mailed", purpose.as_str().as_bytes(), row.as_bytes()]))
    }

    /// Authenticates `message` within `context`; a tag of one context is worthless in another.
    #[must_use]
    pub(crate) fn tag(&self, context: &[u8], message: &[u8]) -> [u8; 32] {
        self.mac(&[b"tag", context, message])
    }

    /// Whether `tag` begins the tag of `message` in `context`; takes the same time wherever they differ.
    #[must_use]
    pub(crate) fn authenticates(&self, context: &[u8], message: &[u8], tag: &[u8]) -> bool {
        self.feed(&[b"tag", context, message]).verify_truncated_left(tag).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.feed(parts).finalize().into_bytes().into()
    }

    fn feed(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // A key as long as a block of SHA-256 cannot be refused.
        let mut key = [0; 64];
        key[..32].copy_from_slice(&Sha256::digest(self.0.expose_secret().trim()));
        let mut mac = Hmac::<Sha256>::new(&key.into());
        for part in parts {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(…)")
    }
}

/// 256 bits that prove something, written as 43 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// A new one from the system's generator.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).map_err(|fault| Error::Internal(Box::new(fault)))?;
        Ok(Self(bytes))
    }

    /// The text for its owner; this is the only way to see it.
    #[must_use]
    pub fn reveal(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What the database keeps.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The text is no token: refused before any query.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be the 43 characters of a token")]
pub struct NotAToken;

impl crate::input::Fault for NotAToken {
    fn code(&self) -> &'static str {
        "not_a_token"
    }
}

impl std::str::FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| NotAToken)?;
        bytes.try_into().map(Self).map_err(|_| NotAToken)
    }
}

crate::input::parsed_field!(Token);

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

/// A session's token as a client holds it: `tbs_` and 43 characters. The prefix tells secret scanners and people what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionToken(Token);

impl SessionToken {
    const PREFIX: &str = "tbs_";

    /// A new one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, Error> {
        Token::random().map(Self)
    }

    /// The text for its owner.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}{}", Self::PREFIX, self.0.reveal())
    }

    /// What the database keeps.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        self.0.hash()
    }
}

impl std::str::FromStr for SessionToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        text.strip_prefix(Self::PREFIX).ok_or(NotAToken)?.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ServerKey {
        ServerKey::new(text.repeat(32).into()).unwrap()
    }

    #[test]
    fn a_mailed_token_depends_on_the_key_the_purpose_and_the_row() {
        let row = Uuid::now_v7();
        let token = key("a").mailed_token(Purpose::Verification, row);
        assert_eq!(token, key("a").mailed_token(Purpose::Verification, row));
        assert_ne!(token, key("b").mailed_token(Purpose::Verification, row));
        assert_ne!(token, key("a").mailed_token(Purpose::Invitation, row));
        assert_ne!(token, key("a").mailed_token(Purpose::Verification, Uuid::now_v7()));
        assert_eq!(token.reveal().parse::<Token>().unwrap(), token);
    }

    #[test]
    fn what_is_no_session_token_is_refused_without_a_query() {
        let token = SessionToken::random().unwrap();
        assert_eq!(token.reveal().parse::<SessionToken>().unwrap(), token);
        for bad in ["", "tbs_", "tbs_short", &token.reveal()[4..], "tbs_'; drop table sessions; --"] {
            assert!(bad.parse::<SessionToken>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nothing_secret_is_shown_by_debug() {
        assert_eq!(
            format!("{:?} {:?}", key("s"), SessionToken::random().unwrap()),
            "ServerKey(…) SessionToken(Token(…))"
        );
    }
}
