//! What Rocket refuses by itself becomes a problem like any other.

use common::error::Error;
use rocket::{Catcher, Request, catch, catchers, http::Status};

use crate::{guards::denied, problem::Problem};

/// One for everything.
pub(crate) fn all() -> Vec<Catcher> {
    catchers![any]
}

/// Catches everything that is not answered by a handler.
#[catch(default)]
fn any(status: Status, request: &Request<'_>) -> Problem {
    problem(status, request)
}

/// Why there is no answer. A guard that refused has left its reason with the request.
pub(crate) fn problem(status: Status, request: &Request<'_>) -> Problem {
    denied(request).unwrap_or_else(|| of_status(status, request))
}

/// No route, a path that cannot be read, a panic in a handler.
fn of_status(status: Status, request: &Request<'_>) -> Problem {
    match status.code {
        404 => match other_methods(request) {
            methods if methods.is_empty() => Error::NotFound.into(),
            methods => {
                let detail = "The resource has other methods.";
                Problem::new(Status::MethodNotAllowed, "method_not_allowed", detail).with("Allow", methods.join(", "))
            }
        },
        // A path segment that cannot be read names nothing: Rocket says 422, but to a client it is a missing thing.
        422 => Error::NotFound.into(),
        413 => Problem::new(status, "too_large", "The body has more than 64 KiB."),
        400..500 => Problem::new(status, "bad_request", "The request cannot be understood."),
        503 => Error::Busy.into(),
        _ => Problem::new(Status::InternalServerError, "internal", "Something went wrong here; it has been logged."),
    }
}

/// The methods that the path of a request has on other routes: what tells 405 from 404, which Rocket does not.
fn other_methods(request: &Request<'_>) -> Vec<String> {
    let path: Vec<&str> = request.uri().path().segments().collect();
    let fits = |route: &&rocket::Route| {
        let pattern: Vec<&str> = route.uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
        pattern.len() == path.len()
            && pattern.iter().zip(&path).all(|(known, given)| known.starts_with('<') || known == given)
    };
    let mut methods: Vec<_> = request.rocket().routes().filter(fits).map(|route| route.method.to_string()).collect();
    methods.sort();
    methods.dedup();
    methods
}
