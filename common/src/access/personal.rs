//! Who may come in to an account, outside of any organization: sessions, personal tokens that say so, and calendars.

use super::{Permission, ReadTasks, permissions::READ_ME};
use crate::error::{Error, Refusal};

/// The caller, in no organization, by a session: personal tokens manage no account.
#[derive(Debug)]
pub enum Me {}

/// The caller, to be read only: a session, or a personal token with the scope `me:read`.
#[derive(Debug)]
pub enum ReadMe {}

/// Who may come in to an account.
pub trait Personal: Send + Sync + 'static {
    /// The scope that lets a personal token in; zero: none does.
    const SCOPE: i64;
    /// What is said to a token that may not.
    const REFUSAL: fn() -> Error;
}

impl Personal for Me {
    const SCOPE: i64 = 0;
    const REFUSAL: fn() -> Error = || Error::Refused(Refusal::SessionNeeded);
}

impl Personal for ReadMe {
    const SCOPE: i64 = READ_ME.0;
    const REFUSAL: fn() -> Error = || Error::Forbidden(READ_ME.1);
}

/// The caller, to be shown their own tasks in all their organizations: a session, or a personal token with the scopes `me:read`
/// and `tasks:read`, which sees those of its own.
#[derive(Debug)]
pub enum MyTasks {}

impl Personal for MyTasks {
    const SCOPE: i64 = READ_ME.0 | ReadTasks::BITS;
    const REFUSAL: fn() -> Error = || Error::Forbidden("me:read tasks:read");
}

/// A program that holds the address of somebody's calendar: it is shown tasks as its owner may see them, and changes nothing.
#[derive(Debug)]
pub enum CalendarReader {}
