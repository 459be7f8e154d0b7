use common::{
    access::{ManageMembers, Member, OwnOrganization},
    ids::AccountId,
    memberships::{self, Acceptance, Joined, Membership, RoleChoice, Transfer},
    permissions::{self, Explained, PermissionsFilter},
};
use rocket::{delete, get, post, put};

use crate::{
    answer::{All, Answer, Changed, Created, Done, Found},
    guards::{Id, In, Mine, Org, Query, Sure},
};

#[get("/<_>/members")]
pub(crate) async fn list(mut org: Org<Member>) -> Answer<Found<All<Membership>>> {
    Ok(Found(All { data: memberships::list(&mut org).await? }))
}

#[put("/<_>/members/<account>/role", data = "<input>")]
pub(crate) async fn change_role(
    account: Id<AccountId>,
    input: In<ManageMembers, RoleChoice>,
) -> Answer<Changed<Membership>> {
    let In { mut scope, body } = input;
    let membership = memberships::change_role(&mut scope, account.found()?, body).await?;
    Changed::commit(scope, membership).await
}

#[put("/<_>/members/<account>/suspension")]
pub(crate) async fn suspend(mut org: Org<ManageMembers>, account: Id<AccountId>) -> Answer<Changed<Membership>> {
    let membership = memberships::suspend(&mut org, account.found()?).await?;
    Changed::commit(org.0, membership).await
}

#[delete("/<_>/members/<account>/suspension")]
pub(crate) async fn reinstate(mut org: Org<ManageMembers>, account: Id<AccountId>) -> Answer<Changed<Membership>> {
    let membership = memberships::reinstate(&mut org, account.found()?).await?;
    Changed::commit(org.0, membership).await
}

#[delete("/<_>/members/<account>", rank = 2)]
pub(crate) async fn destroy(mut org: Org<ManageMembers>, account: Id<AccountId>) -> Answer<Done> {
    let removed = memberships::remove(&mut org, account.found()?).await?;
    Done::commit(org.0, removed).await
}

#[delete("/<_>/members/me", rank = 1)]
pub(crate) async fn leave(mut org: Org<Member>) -> Answer<Done> {
    let left = memberships::leave(&mut org).await?;
    Done::commit(org.0, left).await
}

#[post("/<_>/transfer", data = "<input>")]
pub(crate) async fn transfer(input: Sure<OwnOrganization, Transfer>) -> Answer<Changed<Membership>> {
    let Sure { mut scope, body, confirmed } = input;
    let owner = memberships::transfer(&mut scope, &confirmed, body.account).await?;
    Changed::commit(scope, owner).await
}

#[post("/memberships", data = "<input>")]
pub(crate) async fn accept(input: Mine<Acceptance>) -> Answer<Created<Joined>> {
    let Mine { mut scope, body } = input;
    let joined = memberships::accept(&mut scope, &body).await?;
    Created::commit(scope, joined).await
}

#[get("/<_>/permissions")]
pub(crate) async fn explain(mut org: Org<Member>, filter: Query<PermissionsFilter>) -> Answer<Found<Explained>> {
    Ok(Found(permissions::explain(&mut org, &filter.0).await?))
}
