//! A body with the caller's password in it, for what cannot be taken back. The password is hashed while no scope is open: one
//! connection a request, and none while a core is busy.

use common::{
    access::{Me, Permission, Scope},
    audit::Origin,
    idempotency::RequestKey,
    input::Input,
    secrets::Credential,
    sessions::{Confirmed, StepUp, WithPassword, confirm},
};
use rocket::{
    Data, Request,
    data::{FromData, Outcome},
};

use super::{
    Caller, Org, bearer, db,
    input::{answer, bytes, parse},
    once::key,
    origin,
};
use crate::problem::Problem;

/// A body for an organization, from somebody who holds `P` in it and has just proved to be themselves.
pub(crate) struct Sure<P, T> {
    pub(crate) scope: Scope<P>,
    pub(crate) body: T,
    pub(crate) confirmed: Confirmed,
}

/// The caller's own account, and a body that holds nothing but their password: they have just proved to be themselves.
pub(crate) struct SureMine {
    pub(crate) scope: Scope<Me>,
    pub(crate) confirmed: Confirmed,
}

/// A body from somebody who has just proved to be themselves. No scope is open yet: for what hashes again, or asks a throttle.
pub(crate) struct Proved<T> {
    pub(crate) credential: Credential,
    pub(crate) origin: Origin,
    pub(crate) body: T,
    pub(crate) confirmed: Confirmed,
    /// Of a POST that may be sent again.
    pub(crate) key: Option<RequestKey>,
}

#[rocket::async_trait]
impl<'r, P: Permission, T: Input + StepUp + Sync> FromData<'r> for Sure<P, T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let result = async {
            bearer(request)?;
            let bytes = bytes(data).await?;
            drop(Org::<P>::enter(request).await?);
            let (body, confirmed) = prove(request, &bytes).await?;
            let Org(scope) = Org::enter_once(request, &bytes).await?;
            Ok(Self { scope, body, confirmed })
        };
        answer(request, result.await)
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for SureMine {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let result = async {
            let (bytes, _, confirmed) = proved::<WithPassword>(request, data).await?;
            let Caller(scope) = Caller::identify_once(request, &bytes).await?;
            Ok(Self { scope, confirmed })
        };
        answer(request, result.await)
    }
}

#[rocket::async_trait]
impl<'r, T: Input + StepUp + Sync> FromData<'r> for Proved<T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let result = async {
            let (bytes, body, confirmed) = proved(request, data).await?;
            let key = key(request, request.uri().path().as_str(), &bytes)?;
            if key.is_some() {
                // A look before anything is counted or hashed; the scope of the deed claims the key for good.
                drop(Caller::<Me>::identify_once(request, &bytes).await?);
            }
            Ok(Self { credential: bearer(request)?, origin: origin(request), body, confirmed, key })
        };
        answer(request, result.await)
    }
}

/// A body for the account, from somebody who has just proved to be themselves.
async fn proved<T: Input + StepUp>(request: &Request<'_>, data: Data<'_>) -> Result<(Vec<u8>, T, Confirmed), Problem> {
    bearer(request)?;
    let bytes = bytes(data).await?;
    drop(Caller::<Me>::identify(request).await?);
    let (body, confirmed) = prove(request, &bytes).await?;
    Ok((bytes, body, confirmed))
}

async fn prove<T: Input + StepUp>(request: &Request<'_>, bytes: &[u8]) -> Result<(T, Confirmed), Problem> {
    let body: T = parse(request, bytes)?;
    let confirmed = confirm(db(request)?, &bearer(request)?, body.password(), &origin(request)).await?;
    Ok((body, confirmed))
}
