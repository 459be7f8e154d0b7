use rocket::{
    Request, Response,
    fairing::{Fairing, Info, Kind},
};

/// Answers are for the caller alone: nobody stores, frames or sniffs them.
pub(super) struct Headers {
    /// Clients reach the API over TLS: browsers are told never to do without.
    pub(super) tls: bool,
}

#[rocket::async_trait]
impl Fairing for Headers {
    fn info(&self) -> Info {
        Info { name: "security headers", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        response.set_raw_header("Cache-Control", "no-store");
        response.set_raw_header("X-Content-Type-Options", "nosniff");
        // Pages bring their own.
        if !response.headers().contains("Content-Security-Policy") {
            response.set_raw_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
        }
        response.set_raw_header("Referrer-Policy", "no-referrer");
        if self.tls {
            response.set_raw_header("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
        }
        response.remove_header("X-Frame-Options");
        response.remove_header("Permissions-Policy");
    }
}
