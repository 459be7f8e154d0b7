//! Time-based one-time passwords (RFC 6238) as every authenticator app knows them: SHA-1, six digits, thirty seconds.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use uuid::Uuid;

use super::CodeFault;
use crate::{secrets::ServerKey, text::EmailAddress};

/// How long a code counts, in seconds.
const STEP: i64 = 30;
/// Steps before and after now that count too: clocks differ, and people type slowly.
const WINDOW: i64 = 1;
/// What stays as it is in the label of a URI; an address looks like itself.
const LABEL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// What an app and we share, from which both make codes.
#[derive(Clone)]
pub struct TotpSecret([u8; 20]);

impl TotpSecret {
    /// The secret of a row. Another row has another one: that is how a secret is changed.
    #[must_use]
    pub fn derive(key: &ServerKey, row: Uuid) -> Self {
        let mut secret = [0; 20];
        secret.copy_from_slice(&key.mac(&[b"totp", row.as_bytes()])[..20]);
        Self(secret)
    }

    /// For those who cannot scan a picture.
    #[must_use]
    pub fn reveal(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// What an app reads from a picture.
    #[must_use]
    pub fn uri(&self, email: &EmailAddress) -> String {
        let email = utf8_percent_encode(email.as_str(), LABEL);
        format!("otpauth://totp/Taskbell:{email}?secret={}&issuer=Taskbell", self.reveal())
    }

    /// The step for which `code` is right, if it is one of now, the one before or the one after. A code counts once: the
    /// caller keeps the step and takes only later ones. Takes the same time whether and where it fits.
    #[must_use]
    pub fn verify(&self, code: &TotpCode, now_unix_seconds: i64) -> Option<i64> {
        let now = now_unix_seconds.div_euclid(STEP);
        // Of two steps that happen to share a code, the later one, so that neither counts again.
        let (mut fits, mut step) = (subtle::Choice::from(0), 0);
        for candidate in now.saturating_sub(WINDOW)..=now.saturating_add(WINDOW) {
            let equal = self.code_at(candidate).ct_eq(&code.0);
            step.conditional_assign(&candidate, equal);
            fits |= equal;
        }
        bool::from(fits).then_some(step)
    }

    /// [`TotpSecret::verify`] for the secret of a row, whichever server key it was derived with.
    #[must_use]
    pub(crate) fn verify_by(key: &ServerKey, row: Uuid, code: &TotpCode, now_unix_seconds: i64) -> Option<i64> {
        key.each().find_map(|key| Self::derive(&key, row).verify(code, now_unix_seconds))
    }

    /// What an app shows at a moment.
    #[must_use]
    pub fn shows(&self, now_unix_seconds: i64) -> String {
        format!("{:06}", self.code_at(now_unix_seconds.div_euclid(STEP)))
    }

    /// RFC 4226, 5.3: four bytes of the HMAC at a place that its last byte names.
    fn code_at(&self, step: i64) -> u32 {
        let mut key = [0; 64];
        key[..20].copy_from_slice(&self.0);
        let mac = Hmac::<Sha1>::new(&key.into()).chain_update(step.to_be_bytes()).finalize().into_bytes();
        let place = usize::from(mac[19] & 0xf);
        let number = u32::from_be_bytes([mac[place], mac[place + 1], mac[place + 2], mac[place + 3]]);
        (number & 0x7fff_ffff) % 1_000_000
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// Six digits; apps show them in groups, so spaces are forgiven.
// No `==` but in tests: codes are compared in constant time.
#[derive(Clone, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^ *[0-9](?: *[0-9]){5} *$", example = "123456")]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub struct TotpCode(u32);

impl FromStr for TotpCode {
    type Err = CodeFault;

    fn from_str(text: &str) -> Result<Self, CodeFault> {
        let mut digits = 0;
        let mut number = 0;
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            number = number * 10 + c.to_digit(10).filter(|_| digits < 6).ok_or(CodeFault::NotSixDigits)?;
            digits += 1;
        }
        if digits == 6 { Ok(Self(number)) } else { Err(CodeFault::NotSixDigits) }
    }
}

impl fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: TotpSecret = TotpSecret(*b"12345678901234567890");

    fn key() -> ServerKey {
        ServerKey::new("k".repeat(32).into()).unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B has eight digits; six are its last.
        let vectors: [(i64, u32); 6] = [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ];
        for (time, code) in vectors {
            let code = TotpCode(code % 1_000_000);
            assert_eq!(RFC.verify(&code, time), Some(time / 30), "{time}");
        }
        assert_eq!(RFC.reveal(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_counts_one_step_early_or_late_and_names_its_step() {
        let code = TotpCode(RFC.code_at(100));
        for (now, step) in [(2969, None), (2970, Some(100)), (3000, Some(100)), (3059, Some(100)), (3060, None)] {
            assert_eq!(RFC.verify(&code, now), step, "{now}");
        }
        for now in [i64::MIN, -1, 0, i64::MAX] {
            let _ = RFC.verify(&code, now);
        }
    }

    #[test]
    fn of_two_steps_with_one_code_the_later_is_named() {
        // The first such pair, found by trying.
        let step = 910_737;
        assert_eq!(RFC.code_at(step), RFC.code_at(step + 1));
        assert_eq!(RFC.verify(&TotpCode(RFC.code_at(step)), step * 30), Some(step + 1));
    }

    #[test]
    fn the_secret_depends_on_the_key_and_the_row() {
        let row = Uuid::now_v7();
        let secret = TotpSecret::derive(&key(), row);
        assert_eq!(secret.0, TotpSecret::derive(&key(), row).0);
        assert_ne!(secret.0, TotpSecret::derive(&key(), Uuid::now_v7()).0);
        assert_ne!(secret.0, TotpSecret::derive(&ServerKey::new("l".repeat(32).into()).unwrap(), row).0);
        assert_eq!(format!("{secret:?}"), "TotpSecret(…)");
    }

    #[test]
    fn the_uri_of_a_secret_cannot_be_broken_out_of_by_an_address() {
        let uri = |email: &str| RFC.uri(&email.parse().unwrap());
        let rest = "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Taskbell";
        assert_eq!(uri("ada@example.org"), format!("otpauth://totp/Taskbell:ada@example.org{rest}"));
        assert_eq!(
            uri("a?b&c=/#%d+@example.org"),
            format!("otpauth://totp/Taskbell:a%3Fb%26c%3D%2F%23%25d%2B@example.org{rest}")
        );
    }

    #[test]
    fn a_code_is_six_digits_and_spaces_do_not_matter() {
        assert_eq!(" 012 345 ".parse(), Ok(TotpCode(12_345)));
        for bad in ["", "12345", "1234567", "12345a", "-12345", "+12345", "١٢٣٤٥٦", "123-456", "99999999999999999999"]
        {
            assert_eq!(bad.parse::<TotpCode>(), Err(CodeFault::NotSixDigits), "{bad:?}");
        }
    }

    #[test]
    fn a_code_that_is_read_is_the_six_digits_that_were_written() {
        let mut read = 0;
        for text in crate::noise::texts(&["012345".to_owned(), "987 654".to_owned()]) {
            let Ok(code) = text.parse::<TotpCode>() else { continue };
            let written: String = text.split_whitespace().collect();
            assert_eq!(written, format!("{:06}", code.0), "{text:?}");
            read += 1;
        }
        assert!((1000..10_000).contains(&read), "{read}");
    }
}
