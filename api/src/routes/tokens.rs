use common::{
    ids::TokenId,
    tokens::{self, CreatedToken, NewToken, TokenView},
};
use rocket::{delete, get, post};

use crate::{
    answer::{All, Answer, Created, Done, Found},
    guards::{Caller, Id, Mine},
};

#[post("/tokens", data = "<input>")]
pub(crate) async fn create(input: Mine<NewToken>) -> Answer<Created<CreatedToken>> {
    let Mine { mut scope, body } = input;
    let token = tokens::create(&mut scope, body).await?;
    Created::commit(scope, token).await
}

#[get("/tokens")]
pub(crate) async fn list(mut caller: Caller) -> Answer<Found<All<TokenView>>> {
    Ok(Found(All { data: tokens::list(&mut caller.0).await? }))
}

#[delete("/tokens/<id>")]
pub(crate) async fn destroy(mut caller: Caller, id: Id<TokenId>) -> Answer<Done> {
    let revoked = tokens::revoke(&mut caller.0, id.found()?).await?;
    Done::commit(caller.0, revoked).await
}
