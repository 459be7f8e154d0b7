use std::{convert::Infallible, net::IpAddr};

use common::{audit::Origin, proxies::TrustedProxies};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use crate::fairings::request_id;

/// Which request this is, and from where.
pub(crate) struct Asked(pub(crate) Origin);

/// The client's address, behind the proxies that are trusted.
pub(crate) fn address(request: &Request<'_>) -> Option<IpAddr> {
    // Several headers are one list.
    let forwarded = request.headers().get("X-Forwarded-For").collect::<Vec<_>>().join(",");
    let forwarded = Some(forwarded.as_str()).filter(|list| !list.is_empty());
    request.remote().map(|peer| {
        let trusted = request.rocket().state::<TrustedProxies>();
        trusted.map_or(peer.ip(), |proxies| proxies.client_address(peer.ip(), forwarded))
    })
}

/// Its id, the client's address, and what the client calls itself.
pub(crate) fn origin(request: &Request<'_>) -> Origin {
    let user_agent = request.headers().get_one("User-Agent").map(printable).filter(|name| !name.is_empty());
    Origin { request_id: request_id(request).to_owned(), address: address(request), user_agent }
}

/// What a stranger calls themselves, on one line that can be shown.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Asked {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self(origin(request)))
    }
}
