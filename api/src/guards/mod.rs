//! Guards: who calls, where and with which permission, and a valid body. They alone read the credential and the
//! organization's segment; a handler only ever sees what they have proved.

mod caller;
mod confirmed;
mod form;
mod id;
mod if_match;
mod input;
mod media;
mod once;
mod org;
mod origin;
mod query;
mod still;
mod upload;

use std::sync::Mutex;

use common::{db::Db, error::Error, exchange::Desk, secrets::Credential};
use rocket::{Request, http::Status, outcome::Outcome};

pub(crate) use caller::Caller;
pub(crate) use confirmed::{Proved, Sure, SureMine};
pub(crate) use form::{Form, Typed};
pub(crate) use id::Id;
pub(crate) use if_match::IfMatch;
pub(crate) use input::{Body, In, Mine};
pub(crate) use once::Once;
pub(crate) use org::{Org, named};
pub(crate) use origin::{Asked, address, origin};
pub(crate) use query::Query;
pub(crate) use still::Still;
pub(crate) use upload::Upload;

use crate::problem::Problem;

/// Where a guard leaves its reason: Rocket drops the error value of one that fails.
struct Denied(Mutex<Option<Problem>>);

/// Takes the reason that a guard left with the request.
pub(crate) fn denied(request: &Request<'_>) -> Option<Problem> {
    let Denied(problem) = request.local_cache(|| Denied(Mutex::new(None)));
    problem.lock().ok().and_then(|mut problem| problem.take())
}

/// Leaves a reason with the request.
pub(crate) fn leave(request: &Request<'_>, problem: Problem) {
    let Denied(place) = request.local_cache(|| Denied(Mutex::new(None)));
    if let Ok(mut place) = place.lock() {
        *place = Some(problem);
    }
}

/// Refuses a request; the catcher answers with the problem.
fn deny<S, F>(request: &Request<'_>, problem: Problem) -> Outcome<S, (Status, ()), F> {
    let status = problem.status();
    leave(request, problem);
    Outcome::Error((status, ()))
}

/// The domain's database.
pub(crate) fn db<'r>(request: &'r Request<'_>) -> Result<&'r Db, Problem> {
    let missing = || Problem::new(Status::InternalServerError, "internal", "There is no database.");
    request.rocket().state::<Db>().ok_or_else(missing)
}

/// Where exports and imports wait for their turn.
fn desk<'r>(request: &'r Request<'_>) -> Result<&'r Desk, Problem> {
    request.rocket().state::<Desk>().ok_or_else(Problem::internal)
}

/// The bearer's credential. What does not even have the form of one is refused without a query.
pub(crate) fn bearer(request: &Request<'_>) -> Result<Credential, Problem> {
    let header = request.headers().get_one("Authorization").unwrap_or_default();
    Credential::from_header(header).map_err(|_| Error::Unauthenticated.into())
}
