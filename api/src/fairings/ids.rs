use rocket::{
    Data, Request, Response,
    fairing::{Fairing, Info, Kind},
};
use uuid::Uuid;

/// Gives every request an id, the client's own if it has a decent one, and tells it in the answer.
pub(super) struct RequestIds;

struct RequestId(String);

/// The request's id, for problems and log lines.
pub(crate) fn request_id<'r>(request: &'r Request<'_>) -> &'r str {
    &request.local_cache(|| RequestId(given(request).unwrap_or_else(|| Uuid::now_v7().to_string()))).0
}

/// Only what can go into a log line and a header unchanged.
fn given(request: &Request<'_>) -> Option<String> {
    let id = request.headers().get_one("X-Request-Id")?;
    let decent = (1..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    decent.then(|| id.to_owned())
}

#[rocket::async_trait]
impl Fairing for RequestIds {
    fn info(&self) -> Info {
        Info { name: "request id", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request_id(request);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        response.set_raw_header("X-Request-Id", request_id(request).to_owned());
    }
}
