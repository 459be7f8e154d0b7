//! What happens to every request, whatever it asks for.

mod accept;
mod access_log;
mod admission;
mod cors;
mod denials;
mod headers;
mod ids;
mod place;
mod rates;
mod trace;

use common::config::Settings;
use rocket::{
    Build, Request, Response, Rocket,
    fairing::{Fairing, Info, Kind},
    response::Responder,
};

pub(crate) use denials::leave_denied;
pub(crate) use ids::request_id;
pub(crate) use trace::{parse as traceparent, trace_id};

/// Attaches them all.
pub(crate) fn attach(rocket: Rocket<Build>, settings: &Settings) -> Rocket<Build> {
    rocket
        .manage(headers::Tls(settings.base_url.scheme() == "https"))
        .manage(settings.cors_origins.clone())
        .manage(rates::Buckets::new(settings.rates()))
        .attach(access_log::AccessLog)
        .attach(admission::Admission)
        .attach(denials::Denials)
        .attach(Dress)
}

/// The headers of every answer.
struct Dress;

#[rocket::async_trait]
impl Fairing for Dress {
    fn info(&self) -> Info {
        Info { name: "headers", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        dress(request, response);
    }
}

fn dress(request: &Request<'_>, response: &mut Response<'_>) {
    ids::tell(request, response);
    trace::tell(request, response);
    headers::tell(request, response);
    rates::tell(request, response);
    cors::tell(request, response);
}

/// Whether Rocket could read the request's first line.
pub(crate) fn is_readable(request: &Request<'_>) -> bool {
    access_log::has_arrived(request)
}

/// What a catcher answers. To what Rocket cannot read it answers without fairings: then their work is done here.
pub(crate) struct Caught<R>(pub(crate) R);

impl<'r, 'o: 'r, R: Responder<'r, 'o>> Responder<'r, 'o> for Caught<R> {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'o> {
        let mut response = self.0.respond_to(request)?;
        if !is_readable(request) {
            dress(request, &mut response);
            access_log::line(request, response.status());
        }
        Ok(response)
    }
}
