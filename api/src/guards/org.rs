use std::ops::{Deref, DerefMut};

use common::{
    access::{OrgRef, Permission, Scope},
    error::Error,
};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{Caller, bearer, db, deny};
use crate::problem::Problem;

/// Where, and with which permission, for routes without a body. The organization is the first segment after the mount.
pub(crate) struct Org<P>(pub(crate) Scope<P>);

impl<P: Permission> Org<P> {
    pub(super) async fn enter(request: &Request<'_>) -> Result<Self, Problem> {
        let token = bearer(request)?;
        let named: Option<OrgRef> = request.param::<&str>(0).and_then(Result::ok).and_then(|org| org.parse().ok());
        let Some(org) = named else {
            // What cannot be an organization's name is no organization; but the credential is looked at first, as always.
            Caller::identify(request).await?;
            return Err(Error::NotFound.into());
        };
        Ok(Self(db(request)?.begin_request(&token, org).await?))
    }
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
