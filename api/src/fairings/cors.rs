//! Who may call from a browser: the scripts of the origins that the operator has named, to the letter. No cookies are involved, so
//! none are allowed; scripts bring the bearer's header themselves. Our own, since `rocket_cors` (0.6.0, of 2023, the last) would answer
//! preflights by routes of its own for every path there is or is not, and knows nothing of answers that pass fairings by.

use common::origins::AllowedOrigins;
use rocket::{Request, Response};

use super::place::{Place, place};

/// What scripts may send.
const SENT: &str = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-Id, traceparent";
/// What scripts may read, beside what they always may.
const READ: &str = "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, Idempotent-Replayed, \
                    Deprecation, Sunset, Allow, Content-Disposition, traceparent, WWW-Authenticate";
/// For how many seconds browsers need not ask again; none remembers it for longer.
const REMEMBERED: &str = "7200";

/// Lets the scripts of an allowed origin read the answer, a refusal too; and answers the question that browsers ask before.
pub(super) fn tell(request: &Request<'_>, response: &mut Response<'_>) {
    let allowed = request.rocket().state::<AllowedOrigins>().filter(|allowed| !allowed.is_empty());
    let Some(allowed) = allowed.filter(|_| place(request) != Place::Page) else { return };
    // Even without an origin: what is kept for one must not be given to another.
    response.adjoin_raw_header("Vary", "Origin");
    let mut given = request.headers().get("Origin");
    let (Some(origin), None) = (given.next(), given.next()) else { return };
    if !allowed.include(origin) {
        return;
    }
    response.set_raw_header("Access-Control-Allow-Origin", origin.to_owned());
    response.set_raw_header("Access-Control-Expose-Headers", READ);
    let asks_before = request.headers().contains("Access-Control-Request-Method");
    // Only OPTIONS is answered with both.
    let methods = response.headers().get_one("Allow").map(str::to_owned).filter(|_| response.status().code == 204);
    if let (true, Some(methods)) = (asks_before, methods) {
        response.set_raw_header("Access-Control-Allow-Methods", methods);
        response.set_raw_header("Access-Control-Allow-Headers", SENT);
        response.set_raw_header("Access-Control-Max-Age", REMEMBERED);
    }
}
