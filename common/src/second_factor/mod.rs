//! A second factor at sign-in: the six digits of an app, or one of ten recovery codes.
//!
//! Both are derived from the server key and the row that switches the factor on, so that a copy of the database holds neither.

mod account;
mod code;
mod recovery;
mod totp;

pub use account::{
    Enrolment, FirstCode, NewRecoveryCodes, SecondFactor, enrol, renew_codes, show, switch_off, switch_on,
};
pub use code::{CodeFault, SecondFactorCode};
pub use recovery::{RecoveryCode, RecoveryCodes};
pub use totp::{TotpCode, TotpSecret};
