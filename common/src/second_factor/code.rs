//! What somebody types into the one field for a second factor.

use std::str::FromStr;

use super::{RecoveryCode, TotpCode};
use crate::{
    input::{Fault, parsed_field},
    schema::reads_as_text,
};

/// Why a code was refused before it was compared with anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    /// Not what an app shows.
    #[error("must be six digits")]
    NotSixDigits,
    /// Not what was written down.
    #[error("must be a recovery code: four groups of four letters and digits")]
    NotARecoveryCode,
    /// Neither.
    #[error("must be six digits or a recovery code")]
    NotACode,
}

impl Fault for CodeFault {
    fn code(&self) -> &'static str {
        match self {
            Self::NotSixDigits => "not_six_digits",
            Self::NotARecoveryCode => "not_a_recovery_code",
            Self::NotACode => "not_a_code",
        }
    }
}

/// A code of either kind; their lengths tell them apart.
#[derive(Clone, Debug)]
pub enum SecondFactorCode {
    /// From an app.
    Totp(TotpCode),
    /// From the list that was written down.
    Recovery(RecoveryCode),
}

impl FromStr for SecondFactorCode {
    type Err = CodeFault;

    fn from_str(text: &str) -> Result<Self, CodeFault> {
        let totp = text.parse().map(Self::Totp);
        totp.or_else(|_| text.parse().map(Self::Recovery)).map_err(|_: CodeFault| CodeFault::NotACode)
    }
}

reads_as_text!(
    SecondFactorCode,
    "A code of the second factor: six digits of an app, or a recovery code.",
    "123456",
    pattern: "^(?: *[0-9](?: *[0-9]){5} *|[ -]*[A-Za-z2-7](?:[ -]*[A-Za-z2-7]){15}[ -]*)$",
);

parsed_field!(TotpCode);
parsed_field!(RecoveryCode);
parsed_field!(SecondFactorCode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_takes_either_kind_of_code() {
        assert!(matches!("123 456".parse(), Ok(SecondFactorCode::Totp(_))));
        assert!(matches!("abcd-efgh-2345-6777".parse(), Ok(SecondFactorCode::Recovery(_))));
        assert_eq!("12345".parse::<SecondFactorCode>().unwrap_err(), CodeFault::NotACode);
    }

    #[test]
    fn a_code_is_not_shown_by_debug() {
        let shown = |text: &str| format!("{:?}", text.parse::<SecondFactorCode>().unwrap());
        assert_eq!(shown("123456"), "Totp(TotpCode(…))");
        assert_eq!(shown("abcd-efgh-2345-6777"), "Recovery(RecoveryCode(…))");
    }
}
