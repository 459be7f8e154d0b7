//! Sessions: what a sign-in gives, and what ends it.

mod confirm;
mod list;
mod sign_in;
mod uses;

pub use confirm::{Confirmed, StepUp, WithPassword, confirm};
pub(crate) use list::end_all_but_own;
pub use list::{Session, end, end_current, end_others, list};
pub use sign_in::{NewSession, SignIn, sign_in};
pub use uses::{Uses, keep_writing, write_down};
