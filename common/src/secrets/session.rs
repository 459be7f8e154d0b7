//! What a signed-in client holds.

use super::{NotAToken, Token, TokenHash};
use crate::error::Error;

/// A session's token as a client holds it: `tbs_` and 43 characters. The prefix tells secret scanners and people what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionToken(Token);

impl SessionToken {
    pub(super) const PREFIX: &str = "tbs_";

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
        let token = text.strip_prefix(Self::PREFIX).ok_or(NotAToken)?;
        // One spelling: what a person pastes may be trimmed, what a program sends need not be.
        if token.trim() == token { token.parse().map(Self) } else { Err(NotAToken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_session_token_is_refused_without_a_query() {
        let token = SessionToken::random().unwrap();
        assert_eq!(token.reveal().parse::<SessionToken>().unwrap(), token);
        let spaced = format!("tbs_ {}", &token.reveal()[4..]);
        for bad in ["", "tbs_", "tbs_short", &token.reveal()[4..], &spaced, "tbs_'; drop table sessions; --"] {
            assert!(bad.parse::<SessionToken>().is_err(), "{bad:?}");
        }
    }
}
