use std::str::FromStr;

use rocket::request::FromParam;

/// An id in a path. What has not the form of one names nothing: 404 (problem.rs), not Rocket's 422.
pub(crate) struct Id<T>(pub(crate) T);

impl<'r, T: FromStr<Err: std::fmt::Debug>> FromParam<'r> for Id<T> {
    type Error = T::Err;

    fn from_param(segment: &'r str) -> Result<Self, T::Err> {
        segment.parse().map(Self)
    }
}
