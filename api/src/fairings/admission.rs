use common::error::Error;
use rocket::{
    Data, Request,
    fairing::{Fairing, Info, Kind},
    http::Status,
    uri,
};

use super::{
    accept,
    place::{Place, place},
    rates,
};
use crate::{guards::leave, problem::Problem, table};

/// The longest path and query.
const LONGEST_URI: usize = 8 * 1024;

/// What is refused by its first line and its headers, before a body is read or anybody is looked for. A fairing cannot
/// refuse: it takes the path away, and the catcher of where nothing is finds the reason.
pub(super) struct Admission;

#[rocket::async_trait]
impl Fairing for Admission {
    fn info(&self) -> Info {
        Info { name: "admission", kind: Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let place = place(request);
        if let Err(problem) = admit(request, place) {
            leave(request, problem);
            // Under neither is there such a route (tests/api/methods.rs).
            request.set_uri(if place == Place::Page { uri!("/links/-") } else { uri!("/-") });
        }
    }
}

fn admit(request: &Request<'_>, place: Place) -> Result<(), Problem> {
    rates::count(request)?;
    let (path, query) = (request.uri().path(), request.uri().query());
    if path.as_str().len() + query.map_or(0, |query| query.as_str().len() + 1) > LONGEST_URI {
        let detail = "Path and query have more than 8 KiB.";
        return Err(Problem::new(Status::UriTooLong, "uri_too_long", detail));
    }
    // Rocket reads `/v1//me/` as `/v1/me`: one place would have many names, and a proxy's rule for one would miss the others.
    if path.as_str().contains("//") || (path != "/" && path.as_str().ends_with('/')) {
        return Err(Error::NotFound.into());
    }
    let encoded =
        request.headers().get("Content-Encoding").any(|coding| !coding.trim().eq_ignore_ascii_case("identity"));
    if encoded {
        let detail = "The body must come as it is: Content-Encoding is not understood.";
        let problem = Problem::new(Status::UnsupportedMediaType, "encoded_body", detail);
        return Err(problem.with("Accept-Encoding", "identity"));
    }
    if place != Place::Api {
        return Ok(());
    }
    // Rocket reads another method from a form's `_method`: on forms there is no relying.
    if request.content_type().is_some_and(|media| media.is_form()) {
        return Err(Problem::unsupported());
    }
    acceptable(request)
}

/// Whether the client takes what is offered: JSON, unless the route says otherwise (`format = …`).
fn acceptable(request: &Request<'_>) -> Result<(), Problem> {
    let accept = request.headers().get("Accept").collect::<Vec<_>>().join(",");
    let takes = |media: &str| accept::takes(&accept, media);
    let json = takes("application/json") || takes("application/problem+json");
    if accept.is_empty() || json {
        return Ok(());
    }
    let offered = table::formats(request);
    if offered.iter().any(|media| takes(media)) { Ok(()) } else { Err(Problem::not_acceptable(&offered)) }
}
