//! A second factor at sign-in: the six digits of an app, or one of ten recovery codes.
//!
//! Both are derived from the server key and the row that switches the factor on, so that a copy of the database holds neither.

mod code;
mod recovery;
mod totp;

pub use code::{CodeFault, SecondFactorCode};
pub use recovery::{RecoveryCode, RecoveryCodes};
pub use totp::{TotpCode, TotpSecret};
