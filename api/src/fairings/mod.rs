//! What happens to every request, whatever it asks for.

mod access_log;
mod denials;
mod headers;
mod ids;

use rocket::{Build, Rocket};

pub(crate) use denials::leave_denied;
pub(crate) use ids::request_id;

/// Attaches them all.
pub(crate) fn attach(rocket: Rocket<Build>, tls: bool) -> Rocket<Build> {
    rocket
        .attach(ids::RequestIds)
        .attach(headers::Headers { tls })
        .attach(denials::Denials)
        .attach(access_log::AccessLog)
}
