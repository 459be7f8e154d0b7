use std::{convert::Infallible, str::FromStr};

use common::error::Error;
use rocket::request::FromParam;

use crate::problem::Problem;

/// An id in a path. What has not the form of one names nothing; but that is said only after the credential has been looked at,
/// and Rocket reads paths before bodies: so it is kept here until the handler asks.
pub(crate) struct Id<T>(Option<T>);

impl<T> Id<T> {
    /// The id, or 404.
    pub(crate) fn found(self) -> Result<T, Problem> {
        self.named().map_err(Problem::from)
    }

    /// The same for who has words of their own for it.
    pub(crate) fn named(self) -> Result<T, Error> {
        self.0.ok_or(Error::NotFound)
    }
}

impl<'r, T: FromStr> FromParam<'r> for Id<T> {
    type Error = Infallible;

    fn from_param(segment: &'r str) -> Result<Self, Infallible> {
        Ok(Self(segment.parse().ok()))
    }
}
