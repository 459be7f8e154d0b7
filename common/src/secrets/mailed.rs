//! 256 random-looking bits, and what a mail says they are good for.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};

use super::{NotAToken, TokenHash};
use crate::error::Error;

/// What a mailed token is good for; part of its derivation, so that one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Proves the e-mail of a sign-up.
    Verification,
    /// Accepts an invitation.
    Invitation,
    /// Sets a new password.
    PasswordReset,
    /// Agrees to a change of e-mail, from the address that is left.
    EmailOld,
    /// Agrees to a change of e-mail, from the address that comes.
    EmailNew,
    /// Acts on what a mail tells: done, later, no more of it.
    Delivery,
}

impl Purpose {
    /// The name under which `begin_link` knows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::EmailOld => "email_old",
            Self::EmailNew => "email_new",
            Self::Delivery => "delivery",
        }
    }
}

/// 256 bits that prove something, written as 43 characters of base64url.
#[derive(Clone, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", example = "6vWbkzjS0m0rJdqZ0pcLZ3dEo4hN1sXyQvTgRkMuBaE")]
pub struct Token(pub(super) [u8; 32]);

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

impl std::str::FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| NotAToken)?;
        bytes.try_into().map(Self).map_err(|_| NotAToken)
    }
}

crate::input::parsed_field!(Token);

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{super::tests::key, *};

    #[test]
    fn a_mailed_token_depends_on_the_key_the_purpose_and_the_row() {
        let row = Uuid::now_v7();
        let token = key("a").mailed_token(Purpose::Verification, row);
        assert_eq!(token, key("a").mailed_token(Purpose::Verification, row));
        assert_ne!(token, key("b").mailed_token(Purpose::Verification, row));
        assert_ne!(token, key("a").mailed_token(Purpose::Verification, Uuid::now_v7()));
        let others =
            [Purpose::Invitation, Purpose::PasswordReset, Purpose::EmailOld, Purpose::EmailNew, Purpose::Delivery];
        for other in others {
            assert_ne!(token, key("a").mailed_token(other, row), "{other:?}");
        }
        assert_eq!(token.reveal().parse::<Token>().unwrap(), token);
    }
}
