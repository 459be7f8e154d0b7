use rocket::{Request, Response};

/// Clients reach the API over TLS: browsers are told never to do without.
pub(super) struct Tls(pub(super) bool);

/// Answers are for the caller alone: nobody stores, frames or sniffs them.
pub(super) fn tell(request: &Request<'_>, response: &mut Response<'_>) {
    // A calendar is asked for again and again, and says for how long it is good.
    if !response.headers().contains("Cache-Control") {
        response.set_raw_header("Cache-Control", "no-store");
    }
    response.set_raw_header("X-Content-Type-Options", "nosniff");
    // Pages bring their own.
    if !response.headers().contains("Content-Security-Policy") {
        response.set_raw_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    }
    response.set_raw_header("Referrer-Policy", "no-referrer");
    if request.rocket().state::<Tls>().is_some_and(|tls| tls.0) {
        response.set_raw_header("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    }
    response.remove_header("X-Frame-Options");
    response.remove_header("Permissions-Policy");
}
