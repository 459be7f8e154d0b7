use std::convert::Infallible;

use common::precondition::Precondition;
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use crate::tags::{Tag, Tags};

/// Which version of a thing is to be changed. Refuses nothing by itself: the credential, the permission and the body are
/// looked at first, and the version under the lock that the change takes.
pub(crate) struct IfMatch(pub(crate) Precondition);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IfMatch {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self(match Tags::of(request, "If-Match") {
            Ok(None) => Precondition::Missing,
            Ok(Some(Tags::Any)) => Precondition::Any,
            Ok(Some(Tags::These(tags))) => Precondition::OneOf(tags.iter().filter_map(Tag::version).collect()),
            Err(_) => Precondition::Unreadable,
        }))
    }
}
