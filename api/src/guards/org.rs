use std::ops::{Deref, DerefMut};

use common::{
    access::{OrgRef, Permission, ReadMe, Scope},
    error::Error,
    idempotency::RequestKey,
};
use rocket::{
    Request,
    http::Status,
    request::{FromRequest, Outcome},
};

use super::{
    Caller, bearer, db, deny,
    once::{key, now},
    origin,
};
use crate::problem::Problem;

/// Where, and with which permission, for routes without a body. The organization is the first segment after the mount.
pub(crate) struct Org<P>(pub(crate) Scope<P>);

impl<P: Permission> Org<P> {
    pub(super) async fn enter(request: &Request<'_>) -> Result<Self, Problem> {
        Self::enter_with(request, None).await
    }

    /// Once more for whoever was let in before; and all that is read is of one moment.
    pub(super) async fn enter_still(request: &Request<'_>) -> Result<Self, Problem> {
        let credential = bearer(request)?;
        let org = named(request).ok_or(Error::NotFound)?;
        Ok(Self(db(request)?.begin_still(&credential, org, &origin(request)).await?))
    }

    /// The same for a POST with this body, which may have been done before.
    pub(super) async fn enter_once(request: &Request<'_>, body: &[u8]) -> Result<Self, Problem> {
        match key(request, within(request), body) {
            Ok(key) => Self::enter_with(request, key.as_ref()).await,
            // Said to whoever might have done it.
            Err(malformed) => Err(Self::enter(request).await.err().unwrap_or(malformed)),
        }
    }

    async fn enter_with(request: &Request<'_>, key: Option<&RequestKey>) -> Result<Self, Problem> {
        let credential = bearer(request)?;
        let Some(org) = named(request) else {
            // What cannot be an organization's name is no organization; but the credential is looked at first, as always.
            return match Caller::<ReadMe>::identify(request).await {
                Err(problem) if problem.status() == Status::Unauthorized => Err(problem),
                _ => Err(Error::NotFound.into()),
            };
        };
        match db(request)?.begin_request_once(&credential, org, &origin(request), key).await {
            Err(Error::Moved(slug)) => Err(moved(request, &slug)),
            begun => now(begun?).map(Self),
        }
    }
}

/// The organization as the path names it.
pub(crate) fn named(request: &Request<'_>) -> Option<OrgRef> {
    request.param::<&str>(0).and_then(Result::ok).and_then(|org| org.parse().ok())
}

/// The path within `/v1/orgs/{org}`.
fn within<'r>(request: &'r Request<'_>) -> &'r str {
    request.uri().path().as_str().splitn(5, '/').nth(4).unwrap_or_default()
}

/// The same place under the slug of today; the client asks there again, with method and body as they are.
fn moved(request: &Request<'_>, slug: &str) -> Problem {
    let rest =
        Some(within(request)).filter(|rest| !rest.is_empty()).map_or_else(String::new, |rest| format!("/{rest}"));
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    let detail = "The organization has another slug now.";
    Problem::new(Status::PermanentRedirect, "moved", detail).with("Location", format!("/v1/orgs/{slug}{rest}{query}"))
}

#[rocket::async_trait]
impl<'r, P: Permission> FromRequest<'r> for Org<P> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match Self::enter_once(request, &[]).await {
            Ok(org) => Outcome::Success(org),
            Err(problem) => deny(request, problem),
        }
    }
}

impl<P> Deref for Org<P> {
    type Target = Scope<P>;

    fn deref(&self) -> &Scope<P> {
        &self.0
    }
}

impl<P> DerefMut for Org<P> {
    fn deref_mut(&mut self) -> &mut Scope<P> {
        &mut self.0
    }
}
