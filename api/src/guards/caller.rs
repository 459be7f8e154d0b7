use common::access::{Me, Scope};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{bearer, db, deny};
use crate::problem::Problem;

/// Who calls, for routes of the account itself.
pub(crate) struct Caller(pub(crate) Scope<Me>);

impl Caller {
    pub(super) async fn identify(request: &Request<'_>) -> Result<Self, Problem> {
        let token = bearer(request)?;
        Ok(Self(db(request)?.begin_account(&token).await?))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Caller {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match Self::identify(request).await {
            Ok(caller) => Outcome::Success(caller),
            Err(problem) => deny(request, problem),
        }
    }
}
