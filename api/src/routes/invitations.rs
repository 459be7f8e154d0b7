use common::{
    access::ManageMembers,
    db::Db,
    ids::InvitationId,
    invitations::{self, Invitation, NewInvitation},
    memberships::Acceptance,
    offers,
};
use rocket::{State, delete, get, post};

use crate::{
    answer::{All, Answer, Changed, Created, Done, Found},
    guards::{Asked, Body, Id, In, Once, Org},
};

#[post("/<_>/invitations", data = "<input>")]
pub(crate) async fn create(input: Once<In<ManageMembers, NewInvitation>>) -> Answer<Created<Invitation>> {
    let Once(In { mut scope, body }) = input;
    let invitation = invitations::create(&mut scope, body).await?;
    Created::commit(scope, invitation).await
}

#[get("/<_>/invitations")]
pub(crate) async fn list(mut org: Org<ManageMembers>) -> Answer<Found<All<Invitation>>> {
    Ok(Found(All { data: invitations::pending(&mut org).await? }))
}

#[post("/<_>/invitations/<id>/resend")]
pub(crate) async fn resend(mut org: Org<ManageMembers>, id: Id<InvitationId>) -> Answer<Changed<Invitation>> {
    let invitation = invitations::resend(&mut org, id.found()?).await?;
    Changed::commit(org.0, invitation).await
}

#[delete("/<_>/invitations/<id>")]
pub(crate) async fn destroy(mut org: Org<ManageMembers>, id: Id<InvitationId>) -> Answer<Done> {
    let revoked = invitations::revoke(&mut org, id.found()?).await?;
    Done::commit(org.0, revoked).await
}

/// By the token alone: to say no, nobody needs an account.
#[post("/declines", data = "<body>")]
pub(crate) async fn decline(db: &State<Db>, asked: Asked, body: Body<Acceptance>) -> Answer<Done> {
    let offer = offers::show(db, body.0.invitation, &asked.0).await?;
    Ok(Done::of(offers::decline(db, &offer, &asked.0).await?))
}
