use common::{
    access::{Permission, Scope},
    exchange::Seat,
};
use rocket::{
    Request,
    request::{FromRequest, Outcome},
};

use super::{Org, deny, desk};
use crate::problem::Problem;

/// Where, and with which permission, for what reads much and must see one moment. A seat first: while somebody waits for one they
/// hold no connection.
pub(crate) struct Still<P> {
    pub(crate) scope: Scope<P>,
    pub(crate) seat: Seat,
}

#[rocket::async_trait]
impl<'r, P: Permission> FromRequest<'r> for Still<P> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match Self::enter(request).await {
            Ok(still) => Outcome::Success(still),
            Err(problem) => deny(request, problem),
        }
    }
}

impl<P: Permission> Still<P> {
    async fn enter(request: &Request<'_>) -> Result<Self, Problem> {
        drop(Org::<P>::enter(request).await?);
        let seat = desk(request)?.seat().await?;
        Ok(Self { scope: Org::enter_still(request).await?.0, seat })
    }
}
