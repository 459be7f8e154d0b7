//! What a person gives to a program: a token that says what it is and whether it was copied whole.

use std::fmt;

use crc::{CRC_32_ISO_HDLC, Crc};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};

use super::{NotAToken, TokenHash};
use crate::error::Error;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The largest multiple of 62 in a byte: what is above would make the first characters likelier than the last.
const FAIR: u8 = 248;
const RANDOM: usize = 43;
const CHECKSUM: usize = 6;

/// A personal token: `tbl_`, 43 random characters of `[0-9A-Za-z]` (256 bits), and their checksum in six.
///
/// Nothing in it ends a word, so that a double click takes it whole. The checksum is CRC-32 over the 43 characters in base
/// 62, first digit first, filled with zeros: it is no secret, but it refuses a misspelt or made-up token without a query, and
/// saves a secret scanner from false alarms. [`PersonalToken::PATTERN`] is for such scanners.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalToken([u8; RANDOM]);

impl PersonalToken {
    /// The regular expression by which a secret scanner finds personal tokens; docs/security.md repeats it.
    ///
    /// What it finds is a token if the checksum holds as well.
    pub const PATTERN: &str = r"\btbl_[0-9A-Za-z]{49}\b";
    pub(super) const PREFIX: &str = "tbl_";

    /// A new one from the system's generator.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, Error> {
        let mut characters = [0; RANDOM];
        let mut filled = 0;
        while filled < RANDOM {
            let mut bytes = [0; 64];
            SysRng.try_fill_bytes(&mut bytes).map_err(|fault| Error::Internal(Box::new(fault)))?;
            for character in bytes.into_iter().filter_map(character).take(RANDOM - filled) {
                characters[filled] = character;
                filled += 1;
            }
        }
        Ok(Self(characters))
    }

    /// The text for its owner; this is the only way to see it.
    #[must_use]
    pub fn reveal(&self) -> String {
        let characters = self.0.iter().chain(&checksum(&self.0)).map(|byte| char::from(*byte)).collect::<String>();
        format!("{}{characters}", Self::PREFIX)
    }

    /// What the database keeps: of the random characters, since prefix and checksum add nothing.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }
}

/// A character for a random byte, each as likely as the others.
fn character(byte: u8) -> Option<u8> {
    (byte < FAIR).then(|| ALPHABET[usize::from(byte) % ALPHABET.len()])
}

fn checksum(characters: &[u8; RANDOM]) -> [u8; CHECKSUM] {
    let mut rest = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(characters) as usize;
    let mut digits = [0; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[rest % ALPHABET.len()];
        rest /= ALPHABET.len();
    }
    digits
}

impl fmt::Debug for PersonalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalToken(…)")
    }
}

impl std::str::FromStr for PersonalToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let rest = text.strip_prefix(Self::PREFIX).ok_or(NotAToken)?.as_bytes();
        let (characters, claimed) = rest.split_first_chunk::<RANDOM>().ok_or(NotAToken)?;
        let fits = characters.iter().all(u8::is_ascii_alphanumeric) && claimed == checksum(characters);
        if fits { Ok(Self(*characters)) } else { Err(NotAToken) }
    }
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::*;

    #[test]
    fn a_personal_token_is_written_as_documented() {
        // The checksums come from Python's zlib.
        let text = PersonalToken(*b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg").reveal();
        assert_eq!(text, "tbl_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg37cCQ0");
        let small = PersonalToken(*b"86aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").reveal();
        assert!(small.ends_with("a001Vuz"), "{small}");
        let token = PersonalToken::random().unwrap();
        assert_eq!(token.reveal().parse(), Ok(token));
    }

    #[test]
    fn every_character_of_a_personal_token_is_equally_likely() {
        let mut counts = [0; 256];
        for byte in (0..=u8::MAX).filter_map(character) {
            counts[usize::from(byte)] += 1;
        }
        assert!(ALPHABET.iter().all(|character| counts[usize::from(*character)] == 4), "{counts:?}");
        assert_eq!(counts.iter().sum::<i32>(), i32::from(FAIR));
        assert_ne!(PersonalToken::random().unwrap(), PersonalToken::random().unwrap());
    }

    #[test]
    fn a_personal_token_with_one_wrong_character_is_refused_without_a_query() {
        let text = PersonalToken::random().unwrap().reveal();
        for place in 0..text.len() {
            let wrong = if text.as_bytes()[place] == b'x' { "y" } else { "x" };
            let mut bad = text.clone();
            bad.replace_range(place..=place, wrong);
            assert!(bad.parse::<PersonalToken>().is_err(), "{bad}");
        }
        let (short, long, spaced) = (&text[..text.len() - 1], format!("{text}0"), format!(" {text}"));
        for bad in ["", "tbl_", short, &long, &spaced, &text[4..], &text.to_uppercase()] {
            assert!(bad.parse::<PersonalToken>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn secret_scanners_find_personal_tokens_by_the_documented_pattern() {
        assert!(include_str!("../../../docs/security.md").contains(PersonalToken::PATTERN));
        let pattern = Regex::new(PersonalToken::PATTERN).unwrap();
        for _ in 0..1000 {
            let token = PersonalToken::random().unwrap().reveal();
            let line = format!("curl -H 'Authorization: Bearer {token}' https://tasks.example.org");
            assert_eq!(pattern.find(&line).map(|found| found.as_str()), Some(token.as_str()));
        }
        assert!(!pattern.is_match(&super::super::SessionToken::random().unwrap().reveal()));
    }
}
