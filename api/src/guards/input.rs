//! A valid body, and the scope it is for. Rocket runs request guards before the body has arrived; a transaction opened there
//! would be held by whoever sends slowly, so here the bytes come first.

use std::time::Duration;

use common::{
    access::{Me, Permission, Scope},
    input::{Input, read},
    json,
};
use rocket::{
    Data, Request,
    data::{ByteUnit, FromData, Outcome},
    http::Status,
};
use tokio::time::timeout;

use super::{Caller, Org, bearer, deny, media};
use crate::problem::Problem;

/// A body for an organization, from somebody who holds `P` in it.
pub(crate) struct In<P, T> {
    pub(crate) scope: Scope<P>,
    pub(crate) body: T,
}

/// A body for the caller's own account.
pub(crate) struct Mine<T> {
    pub(crate) scope: Scope<Me>,
    pub(crate) body: T,
}

/// A body from anybody.
pub(crate) struct Body<T>(pub(crate) T);

#[rocket::async_trait]
impl<'r, P: Permission, T: Input> FromData<'r> for In<P, T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let result = async {
            bearer(request)?;
            let bytes = bytes(data).await?;
            let Org(scope) = Org::enter_once(request, &bytes).await?;
            Ok(Self { scope, body: parse(request, &bytes)? })
        };
        answer(request, result.await)
    }
}

#[rocket::async_trait]
impl<'r, T: Input> FromData<'r> for Mine<T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let result = async {
            bearer(request)?;
            let bytes = bytes(data).await?;
            let Caller(scope) = Caller::identify_once(request, &bytes).await?;
            Ok(Self { scope, body: parse(request, &bytes)? })
        };
        answer(request, result.await)
    }
}

#[rocket::async_trait]
impl<'r, T: Input> FromData<'r> for Body<T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let result = async { parse(request, &bytes(data).await?).map(Self) };
        answer(request, result.await)
    }
}

pub(super) fn answer<'r, S>(request: &Request<'_>, result: Result<S, Problem>) -> Outcome<'r, S, ()> {
    match result {
        Ok(input) => Outcome::Success(input),
        Err(problem) => deny(request, problem),
    }
}

/// How long a body may be: a description of 20,000 characters fits, each of them escaped as two halves of a surrogate pair.
const LIMIT: ByteUnit = ByteUnit::Kibibyte(256);

/// The whole body, within the limit and ten seconds.
pub(super) async fn bytes(data: Data<'_>) -> Result<Vec<u8>, Problem> {
    let late = |_| Problem::new(Status::RequestTimeout, "too_slow", "The body did not arrive within ten seconds.");
    let broken = |_| Problem::new(Status::BadRequest, "broken_body", "The body ended before its time.");
    let body = data.open(LIMIT).into_bytes();
    let body = timeout(Duration::from_secs(10), body).await.map_err(late)?.map_err(broken)?;
    if body.is_complete() {
        Ok(body.into_inner())
    } else {
        Err(Problem::new(Status::PayloadTooLarge, "too_large", "The body has more than 256 KiB."))
    }
}

pub(super) fn parse<T: Input>(request: &Request<'_>, bytes: &[u8]) -> Result<T, Problem> {
    media::json(request)?;
    let value = json::read(bytes).map_err(|fault| {
        Problem::new(Status::BadRequest, "malformed_json", format!("The body is not JSON: {fault}."))
    })?;
    read(value).map_err(|faults| common::Error::Invalid(faults).into())
}
