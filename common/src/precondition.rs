//! Which version somebody means to change: nobody overwrites what they have not seen.

use crate::error::{Error, Result};

/// What a change presupposes of the thing it is about. Compared under the lock that the change takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing was said.
    Missing,
    /// What was said cannot be read.
    Unreadable,
    /// That it is there, in whatever version.
    Any,
    /// That it is in one of these.
    OneOf(Vec<i32>),
}

impl Precondition {
    /// Whether the thing may be changed.
    ///
    /// # Errors
    /// [`Error::Precondition`] when it was not said which version is meant, [`Error::Stale`] when it is another.
    pub fn check(&self, current: i32) -> Result<()> {
        match self.versions()? {
            Some(versions) if !versions.contains(&current) => Err(Error::Stale { current }),
            _ => Ok(()),
        }
    }

    /// The same where nothing need be said.
    ///
    /// # Errors
    /// [`Error::Precondition`] when what was said cannot be read, [`Error::Stale`].
    pub fn check_if_given(&self, current: i32) -> Result<()> {
        if *self == Self::Missing { Ok(()) } else { self.check(current) }
    }

    /// The versions that are meant, for a statement that compares by itself; none for any.
    ///
    /// # Errors
    /// [`Error::Precondition`] when it was not said.
    pub fn versions(&self) -> Result<Option<&[i32]>> {
        match self {
            Self::Missing => Err(Error::Precondition { given: false }),
            Self::Unreadable => Err(Error::Precondition { given: true }),
            Self::Any => Ok(None),
            Self::OneOf(versions) => Ok(Some(versions)),
        }
    }
}
