//! Ten codes to write down, for the day the app is lost.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use uuid::Uuid;

use super::CodeFault;
use crate::secrets::ServerKey;

/// 80 bits: more than anybody guesses at a sign-in, and still typed from paper.
const BYTES: usize = 10;

/// One code: 80 bits, written `xxxx-xxxx-xxxx-xxxx`.
// No `==` but in tests: codes are compared in constant time.
#[derive(Clone)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub struct RecoveryCode([u8; BYTES]);

impl RecoveryCode {
    /// The text for its owner; this is the only way to see it.
    #[must_use]
    pub fn reveal(&self) -> String {
        let text = BASE32_NOPAD.encode(&self.0).to_ascii_lowercase();
        format!("{}-{}-{}-{}", &text[..4], &text[4..8], &text[8..12], &text[12..])
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// Upper or lower case, with any spaces and hyphens.
impl FromStr for RecoveryCode {
    type Err = CodeFault;

    fn from_str(text: &str) -> Result<Self, CodeFault> {
        let text: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            // Longer than any code, and not worth reading on.
            .take(BYTES * 2)
            .collect();
        let bytes = BASE32_NOPAD.decode(text.as_bytes()).map_err(|_| CodeFault::NotARecoveryCode)?;
        bytes.try_into().map(Self).map_err(|_| CodeFault::NotARecoveryCode)
    }
}

/// The codes of one list. Each counts once: the caller keeps which indices are used. Another generation is another list.
pub struct RecoveryCodes([RecoveryCode; 10]);

impl RecoveryCodes {
    /// The list of a row and a generation.
    #[must_use]
    pub fn derive(key: &ServerKey, row: Uuid, generation: i32) -> Self {
        Self([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|index| {
            let mac = key.mac(&[b"recovery", row.as_bytes(), &generation.to_be_bytes(), &[index]]);
            let mut bytes = [0; BYTES];
            bytes.copy_from_slice(&mac[..BYTES]);
            RecoveryCode(bytes)
        }))
    }

    /// [`RecoveryCodes::matching`] for the list of a row and a generation, whichever server key it was derived with. Only one of the
    /// two was ever shown.
    #[must_use]
    pub(crate) fn matching_by(key: &ServerKey, row: Uuid, generation: i32, code: &RecoveryCode) -> Option<u8> {
        key.each().find_map(|key| Self::derive(&key, row, generation).matching(code))
    }

    /// The texts for their owner.
    #[must_use]
    pub fn reveal(&self) -> Vec<String> {
        self.0.iter().map(RecoveryCode::reveal).collect()
    }

    /// Which of the codes it is, if any; takes the same time whether and where it fits.
    #[must_use]
    pub fn matching(&self, code: &RecoveryCode) -> Option<u8> {
        let (mut fits, mut found) = (subtle::Choice::from(0), 0);
        for (index, candidate) in (0..).zip(&self.0) {
            let equal = candidate.0.ct_eq(&code.0);
            found.conditional_assign(&index, equal);
            fits |= equal;
        }
        bool::from(fits).then_some(found)
    }
}

impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCodes(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(row: Uuid, generation: i32) -> RecoveryCodes {
        RecoveryCodes::derive(&ServerKey::new("k".repeat(32).into()).unwrap(), row, generation)
    }

    #[test]
    fn each_of_ten_recovery_codes_is_found_by_its_text() {
        let codes = codes(Uuid::now_v7(), 1);
        let texts = codes.reveal();
        assert_eq!(texts.len(), 10);
        for (index, text) in (0..).zip(&texts) {
            assert_eq!(text.len(), 19, "{text}");
            assert_eq!(codes.matching(&text.parse().unwrap()), Some(index));
            let spoken = format!(" {} ", text.to_uppercase().replace('-', " "));
            assert_eq!(codes.matching(&spoken.parse().unwrap()), Some(index));
        }
    }

    #[test]
    fn another_generation_or_row_has_other_codes() {
        let row = Uuid::now_v7();
        let known = codes(row, 1);
        for others in [codes(row, 2), codes(row, -1), codes(Uuid::now_v7(), 1)] {
            for code in &others.0 {
                assert_eq!(known.matching(code), None);
            }
        }
        assert_eq!(known.reveal(), codes(row, 1).reveal());
    }

    #[test]
    fn what_is_no_recovery_code_is_refused() {
        let long = "a".repeat(64 * 1024);
        for bad in [
            "",
            "abcd-efgh-2345",
            "abcd-efgh-2345-678",
            "abcd-efgh-2345-67777",
            "abcd-efgh-2345-6771",
            "äbcd-efgh-2345-677",
            &long,
        ] {
            assert_eq!(bad.parse::<RecoveryCode>(), Err(CodeFault::NotARecoveryCode), "{}", bad.len());
        }
    }

    #[test]
    fn a_recovery_code_that_is_read_is_the_one_that_was_written() {
        let mut read = 0;
        for text in crate::noise::texts(&codes(Uuid::now_v7(), 1).reveal()) {
            let Ok(code) = text.parse::<RecoveryCode>() else { continue };
            let bare = |text: &str| text.to_lowercase().replace(|c: char| c == '-' || c.is_whitespace(), "");
            assert_eq!(bare(&text), bare(&code.reveal()), "{text:?}");
            assert_eq!(code.reveal().parse(), Ok(code));
            read += 1;
        }
        assert!((1000..10_000).contains(&read), "{read}");
    }
}
