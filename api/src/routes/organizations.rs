use common::{
    access::{Member, OwnOrganization, UpdateOrganization},
    organizations::{self, Deletion, NewOrganization, Organization, OrganizationChanges},
};
use rocket::{delete, get, patch, post};

use crate::{
    answer::{All, Answer, Changed, Created, Found},
    guards::{Caller, IfMatch, In, Mine, Org, Sure},
};

#[post("/", data = "<input>")]
pub(crate) async fn create(input: Mine<NewOrganization>) -> Answer<Created<Organization>> {
    let Mine { mut scope, body } = input;
    let organization = organizations::create(&mut scope, body).await?;
    Created::commit(scope, organization).await
}

#[get("/")]
pub(crate) async fn list(mut caller: Caller) -> Answer<Found<All<Organization>>> {
    Ok(Found(All { data: organizations::mine(&mut caller.0).await? }))
}

#[get("/<_>")]
pub(crate) async fn show(mut org: Org<Member>) -> Answer<Found<Organization>> {
    Ok(Found(organizations::show(&mut org).await?))
}

#[patch("/<_>", data = "<input>")]
pub(crate) async fn update(
    if_match: IfMatch,
    input: In<UpdateOrganization, OrganizationChanges>,
) -> Answer<Changed<Organization>> {
    let In { mut scope, body } = input;
    let organization = organizations::update(&mut scope, &if_match.0, body).await?;
    Changed::commit(scope, organization).await
}

#[delete("/<_>", data = "<input>")]
pub(crate) async fn destroy(
    if_match: IfMatch,
    input: Sure<OwnOrganization, Deletion>,
) -> Answer<Changed<Organization>> {
    let Sure { mut scope, confirmed, .. } = input;
    let organization = organizations::delete(&mut scope, &if_match.0, &confirmed).await?;
    Changed::commit(scope, organization).await
}

#[delete("/<_>/deletion")]
pub(crate) async fn restore(mut org: Org<OwnOrganization>) -> Answer<Changed<Organization>> {
    let organization = organizations::restore(&mut org).await?;
    Changed::commit(org.0, organization).await
}
