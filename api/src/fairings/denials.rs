use std::sync::OnceLock;

use common::{audit, db::Db};
use rocket::{
    Request, Response,
    fairing::{Fairing, Info, Kind},
};

use crate::guards::{bearer, named, origin};

/// Writes what a member was denied into the organization's audit log. After the answer is known: then no scope is open any
/// more, and the log's own short transaction takes no second connection.
pub(super) struct Denials;

#[derive(Default)]
struct Denied(OnceLock<&'static str>);

/// Leaves with the request what its answer denies.
pub(crate) fn leave_denied(request: &Request<'_>, what: &'static str) {
    let _ = request.local_cache(Denied::default).0.set(what);
}

#[rocket::async_trait]
impl Fairing for Denials {
    fn info(&self) -> Info {
        Info { name: "denials", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, _: &mut Response<'r>) {
        let Some(what) = request.local_cache(Denied::default).0.get() else { return };
        let in_organization = request.route().is_some_and(|route| route.uri.base() == "/v1/orgs");
        let (Some(org), Ok(credential), true) = (named(request), bearer(request), in_organization) else { return };
        let Some(db) = request.rocket().state::<Db>() else { return };
        if let Err(fault) = audit::denied(db, &credential, org, &origin(request), what).await {
            tracing::warn!(fault = fault.story(), "a denial could not be written into the audit log");
        }
    }
}
