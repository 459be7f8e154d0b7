use common::access::{Me, Personal, Scope};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{bearer, db, deny, origin};
use crate::problem::Problem;

/// Who calls, for routes of the account itself: by a session, or where it says `ReadMe` by a personal token too.
pub(crate) struct Caller<P = Me>(pub(crate) Scope<P>);

impl<P: Personal> Caller<P> {
    pub(super) async fn identify(request: &Request<'_>) -> Result<Self, Problem> {
        let credential = bearer(request)?;
        Ok(Self(db(request)?.begin_account(&credential, &origin(request)).await?))
    }
}

#[rocket::async_trait]
impl<'r, P: Personal> FromRequest<'r> for Caller<P> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match Self::identify(request).await {
            Ok(caller) => Outcome::Success(caller),
            Err(problem) => deny(request, problem),
        }
    }
}
