use std::time::Instant;

use rocket::{
    Data, Request, Response,
    fairing::{Fairing, Info, Kind},
};

use super::request_id;

/// One canonical line for each request. Names the route, not the path: a path holds ids.
pub(super) struct AccessLog;

struct Arrival(Instant);

#[rocket::async_trait]
impl Fairing for AccessLog {
    fn info(&self) -> Info {
        Info { name: "access log", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request.local_cache(|| Arrival(Instant::now()));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Arrival(arrival) = request.local_cache(|| Arrival(Instant::now()));
        // Probes come every few seconds and say nothing as long as all is well.
        let route = request.route().map_or("none", |route| route.uri.as_str());
        if matches!(route, "/livez" | "/readyz") && response.status().code == 200 {
            return;
        }
        tracing::info!(
            method = %request.method(),
            route,
            status = response.status().code,
            ms = arrival.elapsed().as_secs_f64() * 1000.0,
            request_id = request_id(request),
            "request"
        );
    }
}
