use std::time::{Duration, Instant};

use rocket::{
    Data, Request, Response,
    fairing::{Fairing, Info, Kind},
    http::Status,
};

use super::{rates, request_id, trace_id};
use crate::meters::Meters;

/// One canonical line for each request, and its place in the figures. Names the route, not the path: a path holds ids.
pub(super) struct AccessLog;

/// When a request came; never, if Rocket could not even read it.
struct Arrival(Option<Instant>);

/// Whether fairings see this request. Of one whose method is none of Rocket's they see nothing: it goes straight to a catcher.
pub(super) fn has_arrived(request: &Request<'_>) -> bool {
    request.local_cache(|| Arrival(None)).0.is_some()
}

pub(super) fn line(request: &Request<'_>, status: Status) {
    let Arrival(arrival) = request.local_cache(|| Arrival(None));
    // Probes come every few seconds and say nothing as long as all is well.
    let route = request.route().map_or("none", |route| route.uri.as_str());
    let method = if arrival.is_some() { request.method().as_str() } else { "unknown" };
    let took = arrival.map_or(Duration::ZERO, |arrival| arrival.elapsed());
    if let Some(meters) = request.rocket().state::<Meters>() {
        meters.answered(method, route, status, took, rates::refused(request));
    }
    if matches!(route, "/livez" | "/readyz") && status.code == 200 {
        return;
    }
    tracing::info!(
        method,
        route,
        status = status.code,
        ms = took.as_secs_f64() * 1000.0,
        request_id = request_id(request),
        trace_id = trace_id(request),
        "request"
    );
}

#[rocket::async_trait]
impl Fairing for AccessLog {
    fn info(&self) -> Info {
        Info { name: "access log", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request.local_cache(|| Arrival(Some(Instant::now())));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        line(request, response.status());
    }
}
