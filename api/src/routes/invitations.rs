use common::{
    access::ManageMembers,
    invitations::{self, Invitation, NewInvitation},
};
use rocket::{get, post};

use crate::{
    answer::{All, Answer, Created, Found},
    guards::{In, Org},
};

#[post("/<_>/invitations", data = "<input>")]
pub(crate) async fn create(input: In<ManageMembers, NewInvitation>) -> Answer<Created<Invitation>> {
    let In { mut scope, body } = input;
    let invitation = invitations::create(&mut scope, body).await?;
    Ok(Created(scope.commit(invitation).await?))
}

#[get("/<_>/invitations")]
pub(crate) async fn list(mut org: Org<ManageMembers>) -> Answer<Found<All<Invitation>>> {
    Ok(Found(All { data: invitations::pending(&mut org).await? }))
}
