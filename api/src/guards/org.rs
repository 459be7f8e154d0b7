use std::ops::{Deref, DerefMut};

use common::{
    access::{OrgRef, Permission, ReadMe, Scope},
    error::Error,
};
use rocket::{
    Request,
    http::Status,
    request::{FromRequest, Outcome},
};

use super::{Caller, bearer, db, deny, origin};
use crate::problem::Problem;

/// Where, and with which permission, for routes without a body. The organization is the first segment after the mount.
pub(crate) struct Org<P>(pub(crate) Scope<P>);

impl<P: Permission> Org<P> {
    pub(super) async fn enter(request: &Request<'_>) -> Result<Self, Problem> {
        Self::open(request, false).await
    }

    /// The same, and all that is read is of one moment.
    pub(super) async fn enter_still(request: &Request<'_>) -> Result<Self, Problem> {
        Self::open(request, true).await
    }

    async fn open(request: &Request<'_>, still: bool) -> Result<Self, Problem> {
        let credential = bearer(request)?;
        let Some(org) = named(request) else {
            // What cannot be an organization's name is no organization; but the credential is looked at first, as always.
            return match Caller::<ReadMe>::identify(request).await {
                Err(problem) if problem.status() == Status::Unauthorized => Err(problem),
                _ => Err(Error::NotFound.into()),
            };
        };
        let (db, origin) = (db(request)?, origin(request));
        let opened = if still {
            db.begin_still(&credential, org, &origin).await
        } else {
            db.begin_request(&credential, org, &origin).await
        };
        match opened {
            Err(Error::Moved(slug)) => Err(moved(request, &slug)),
            scope => Ok(Self(scope?)),
        }
    }
}

/// The organization as the path names it.
pub(crate) fn named(request: &Request<'_>) -> Option<OrgRef> {
    request.param::<&str>(0).and_then(Result::ok).and_then(|org| org.parse().ok())
}

/// The same place under the slug of today; the client asks there again, with method and body as they are.
fn moved(request: &Request<'_>, slug: &str) -> Problem {
    let path = request.uri().path().as_str();
    // `/v1/orgs/{org}` and the rest.
    let rest = path.splitn(5, '/').nth(4).map_or_else(String::new, |rest| format!("/{rest}"));
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    let detail = "The organization has another slug now.";
    Problem::new(Status::PermanentRedirect, "moved", detail).with("Location", format!("/v1/orgs/{slug}{rest}{query}"))
}

#[rocket::async_trait]
impl<'r, P: Permission> FromRequest<'r> for Org<P> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match Self::enter(request).await {
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
