//! Requests with an `Idempotency-Key`: done once, however often they are sent. Handlers see nothing of it.

use common::idempotency::{Begun, IdempotencyKey, RequestKey};
use rocket::{
    Data, Request,
    data::{FromData, Outcome},
    http::{Method, Status},
};

use super::{db, deny};
use crate::problem::Problem;

const HEADER: &str = "Idempotency-Key";

/// A body that must come with a key: what it does is seen by others, and twice would be too often.
pub(crate) struct Once<G>(pub(crate) G);

#[rocket::async_trait]
impl<'r, G: FromData<'r, Error = ()>> FromData<'r> for Once<G> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let input = G::from_data(request, data).await;
        if request.headers().contains(HEADER) {
            return input.map(Self);
        }
        // Said last: to whoever might have done it.
        match input {
            Outcome::Success(_) => {
                let detail = "This needs an Idempotency-Key, so that it is done once however often it is sent.";
                deny(request, Problem::new(Status::BadRequest, "idempotency_key_required", detail))
            }
            refused => refused.map(Self),
        }
    }
}

/// The key of a POST, with what it was sent with. Other methods may be repeated as they are, and need none.
pub(super) fn key(request: &Request<'_>, path: &str, body: &[u8]) -> Result<Option<RequestKey>, Problem> {
    if request.method() != Method::Post {
        return Ok(None);
    }
    let mut given = request.headers().get(HEADER);
    let (first, second) = (given.next(), given.next());
    let Some(text) = first else { return Ok(None) };
    match text.parse::<IdempotencyKey>() {
        Ok(key) if second.is_none() => {
            Ok(Some(RequestKey::new(db(request)?.key(), &key, request.method().as_str(), path, body)))
        }
        _ => {
            let detail = "The Idempotency-Key must be one, of 1 to 255 visible characters of ASCII.";
            Err(Problem::new(Status::BadRequest, "malformed_idempotency_key", detail))
        }
    }
}

/// The scope in which it is done; or the answer that there is already.
pub(super) fn now<S>(begun: Begun<S>) -> Result<S, Problem> {
    match begun {
        Begun::Now(scope) => Ok(scope),
        Begun::Before(kept) => Err(Problem::answered(kept)),
    }
}
