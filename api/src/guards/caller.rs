use common::access::{Me, Personal, Scope};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{
    bearer, db, deny,
    once::{key, now},
    origin,
};
use crate::problem::Problem;

/// Who calls, for routes of the account itself: by a session, or where it says `ReadMe` by a personal token too.
pub(crate) struct Caller<P = Me>(pub(crate) Scope<P>);

impl<P: Personal> Caller<P> {
    pub(super) async fn identify(request: &Request<'_>) -> Result<Self, Problem> {
        let credential = bearer(request)?;
        Ok(Self(db(request)?.begin_account(&credential, &origin(request)).await?))
    }

    /// The same for a POST with this body, which may have been done before.
    pub(super) async fn identify_once(request: &Request<'_>, body: &[u8]) -> Result<Self, Problem> {
        let key = match key(request, request.uri().path().as_str(), body) {
            Ok(key) => key,
            // Said to whoever might have done it.
            Err(malformed) => return Err(Self::identify(request).await.err().unwrap_or(malformed)),
        };
        let credential = bearer(request)?;
        now(db(request)?.begin_account_once(&credential, &origin(request), key.as_ref()).await?).map(Self)
    }
}

#[rocket::async_trait]
impl<'r, P: Personal> FromRequest<'r> for Caller<P> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match Self::identify_once(request, &[]).await {
            Ok(caller) => Outcome::Success(caller),
            Err(problem) => deny(request, problem),
        }
    }
}
