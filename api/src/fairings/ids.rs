use rocket::{Request, Response};
use uuid::Uuid;

/// Every request has an id, the client's own if it has a decent one, and the answer tells it.
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

pub(super) fn tell(request: &Request<'_>, response: &mut Response<'_>) {
    response.set_raw_header("X-Request-Id", request_id(request).to_owned());
}
