//! What a new password must be: long, and not the first thing that comes to mind. No rules of composition.

use std::{convert::Infallible, str::FromStr};

use secrecy::{ExposeSecret, SecretString};
use utoipa::ToSchema;

use super::common::is_common;
use crate::input::{Fault, parsed_field};

/// A password that fits the rule: 12 to 256 characters, and none that everybody tries first.
#[derive(Clone, Debug, ToSchema)]
#[schema(
    value_type = String,
    format = Password,
    min_length = 12,
    max_length = 256,
    pattern = r"^[^\u0000]*$",
    example = "seven lamps in a row"
)]
pub struct NewPassword(pub(super) SecretString);

/// Why a password was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too short to withstand guessing, or too long to be one.
    #[error("must have 12 to 256 characters")]
    Length,
    /// Among the first that are tried.
    #[error("must not be a well-known password, nor one padded or repeated")]
    Common,
    /// Known to everybody who knows the person.
    #[error("must not be made of your e-mail address, your name or your organization's")]
    Guessable,
}

impl Fault for PasswordFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Length => "password_length",
            Self::Common => "password_common",
            Self::Guessable => "password_guessable",
        }
    }
}

impl FromStr for NewPassword {
    type Err = PasswordFault;

    fn from_str(text: &str) -> Result<Self, PasswordFault> {
        if !(12..=256).contains(&text.chars().count()) {
            Err(PasswordFault::Length)
        } else if is_common(text) {
            Err(PasswordFault::Common)
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl NewPassword {
    /// Refuses a password most letters of which come from `words`: an e-mail address, a name, an organization's name. Digits
    /// and signs between them do not help.
    ///
    /// # Errors
    /// [`PasswordFault::Guessable`].
    pub fn refuse_if_made_of(&self, words: &[&str]) -> Result<(), PasswordFault> {
        let password = letters(self.0.expose_secret());
        let all = password.chars().count();
        let mut pieces: Vec<String> = words.iter().flat_map(|word| pieces(word)).collect();
        // The longest first: `ada lovelace` before `ada`, or its rest would stay.
        pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
        let mut rest = password;
        for piece in pieces {
            // Something stays in its place, so that what is left and right of it does not become a word.
            rest = rest.replace(&piece, " ");
        }
        let left = rest.chars().filter(|c| *c != ' ').count();
        if left * 2 < all { Err(PasswordFault::Guessable) } else { Ok(()) }
    }
}

/// The whole, and each word of it that is long enough to mean somebody.
fn pieces(text: &str) -> Vec<String> {
    let halves = text.split('@').filter(|half| !half.is_empty());
    let words = text.split(|c: char| !c.is_alphanumeric());
    let pieces = std::iter::once(text).chain(halves).chain(words).map(letters);
    pieces.filter(|piece| piece.chars().count() >= 3).collect()
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// A password somebody claims to have; any length, so that the rule of today does not lock out the account of yesterday.
#[derive(Clone, Debug, ToSchema)]
#[schema(value_type = String, format = Password, pattern = r"^[^\u0000]*$", example = "correct horse battery")]
pub struct ClaimedPassword(pub(super) SecretString);

impl FromStr for ClaimedPassword {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

parsed_field!(NewPassword);
parsed_field!(ClaimedPassword);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_12_to_256_characters_and_no_rules_of_composition() {
        let fault = |text: &str| text.parse::<NewPassword>().err();
        assert_eq!(fault("kqzvwxrtplm"), Some(PasswordFault::Length));
        assert_eq!(fault("kqzvwxrtplmn"), None);
        assert_eq!(fault("äöüßéàäöüßé"), Some(PasswordFault::Length), "eleven characters, twenty-two bytes");
        assert_eq!(fault("äöüßéàçñøåîû"), None, "twelve characters");
        let long = "kqzvwxrtplmn no rule ".repeat(13);
        assert_eq!(fault(&long[..256]), None);
        assert_eq!(fault(&long[..257]), Some(PasswordFault::Length));
        let wide: String = ('\u{4e00}'..).take(256).collect();
        assert_eq!((fault(&wide), fault(&format!("{wide}!"))), (None, Some(PasswordFault::Length)));
        assert_eq!(fault("password2026"), Some(PasswordFault::Common));
    }

    #[test]
    fn a_password_made_of_ones_own_names_is_refused() {
        let words = ["ada.lovelace@engine-works.example", "Ada Lovelace", "Analytical Engines & Söhne"];
        let refused = |text: &str| text.parse::<NewPassword>().unwrap().refuse_if_made_of(&words).is_err();
        for guessable in [
            "ada.lovelace@engine-works.example",
            "AdaLovelace1815",
            "Lovelace-Ada!!",
            "lovelace18151852",
            "l.o.v.e.l.a.c.e",
            "ada-9-ada-4-ada",
            "my-lovelace-2026",
            "Engine-Works 7",
            "AnalyticalEngines",
            "söhne-4471-SÖHNE",
        ] {
            assert!(refused(guessable), "{guessable}");
        }
        for fine in [
            "correct horse battery",
            "480917265530",
            "lovelace likes long walks",
            "canada dry tastes odd",
            "a-lovelace-da kqzvwxrtp",
        ] {
            assert!(!refused(fine), "{fine}");
        }
        let password: NewPassword = "correct horse battery".parse().unwrap();
        assert_eq!(password.refuse_if_made_of(&["", "@", "c", "co", "@@", "  "]), Ok(()));
    }
}
