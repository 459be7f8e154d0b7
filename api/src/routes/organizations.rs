use common::{
    access::Member,
    organizations::{self, NewOrganization, Organization},
};
use rocket::{get, post};

use crate::{
    answer::{All, Answer, Created, Found},
    guards::{Caller, Mine, Org},
};

#[post("/", data = "<input>")]
pub(crate) async fn create(input: Mine<NewOrganization>) -> Answer<Created<Organization>> {
    let Mine { mut scope, body } = input;
    let organization = organizations::create(&mut scope, body).await?;
    Ok(Created(scope.commit(organization).await?))
}

#[get("/")]
pub(crate) async fn list(mut caller: Caller) -> Answer<Found<All<Organization>>> {
    Ok(Found(All { data: organizations::mine(&mut caller.0).await? }))
}

#[get("/<_>")]
pub(crate) async fn show(mut org: Org<Member>) -> Answer<Found<Organization>> {
    Ok(Found(organizations::show(&mut org).await?))
}
