//! What Rocket refuses by itself becomes a problem like any other.

use common::error::Error;
use rocket::{
    Catcher, Request, Response, catch, catchers,
    http::{Method, Status},
    response::Responder,
};

use crate::{
    fairings::{Caught, is_readable, request_id, trace_id},
    guards::denied,
    problem::{PATCHES, Problem},
    table,
};

/// One for everything.
pub(crate) fn all() -> Vec<Catcher> {
    catchers![any]
}

/// Catches everything that is not answered by a handler.
#[catch(default)]
fn any(status: Status, request: &Request<'_>) -> Caught<Result<Options, Problem>> {
    Caught(answer(status, request))
}

/// 204 to OPTIONS: the methods of a path. They are the same for everybody, and for every id.
pub(crate) struct Options(String);

impl<'r> Responder<'r, 'static> for Options {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let mut response = Response::build();
        response.status(Status::NoContent);
        if self.0.contains("PATCH") {
            response.raw_header("Accept-Patch", PATCHES);
        }
        response.raw_header("Allow", self.0).ok()
    }
}

/// What there is to say where no handler has answered. A guard that refused has left its reason with the request.
pub(crate) fn answer(status: Status, request: &Request<'_>) -> Result<Options, Problem> {
    if let Some(problem) = denied(request) {
        return Err(problem);
    }
    match status.code {
        404 => where_nothing_answers(request),
        // A method that Rocket does not know; of a target that it cannot read the path is lost.
        400 if !is_readable(request) && request.uri().path() != "/" => where_nothing_answers(request),
        _ => Err(of_status(status, request)),
    }
}

/// No route fits: by the path, the method or the format.
fn where_nothing_answers(request: &Request<'_>) -> Result<Options, Problem> {
    let methods = table::methods(request);
    if methods.is_empty() {
        return Err(Error::NotFound.into());
    }
    let allow = methods.join(", ");
    match request.method() {
        Method::Options => Ok(Options(allow)),
        method if is_readable(request) && methods.contains(&method.as_str()) => {
            let offered = table::formats(request);
            Err(if method.supports_payload() { Problem::unsupported() } else { Problem::not_acceptable(&offered) })
        }
        _ => {
            let detail = "The resource has other methods.";
            Err(Problem::new(Status::MethodNotAllowed, "method_not_allowed", detail).with("Allow", allow))
        }
    }
}

fn of_status(status: Status, request: &Request<'_>) -> Problem {
    match status.code {
        // A path segment that cannot be read names nothing: Rocket says 422, but to a client it is a missing thing.
        422 => Error::NotFound.into(),
        413 => Problem::new(status, "too_large", "The body has more than 256 KiB."),
        400..500 => Problem::new(status, "bad_request", "The request cannot be understood."),
        503 => Error::Busy.into(),
        _ => {
            // What a handler panicked with is on the standard error stream; this is the request that did it.
            tracing::error!(request_id = request_id(request), trace_id = trace_id(request), "a handler panicked");
            Problem::internal()
        }
    }
}
