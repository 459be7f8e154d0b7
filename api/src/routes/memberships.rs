use common::{
    access::{ListMembers, ManageMembers},
    ids::AccountId,
    memberships::{self, Acceptance, Joined, Membership, RoleChoice},
};
use rocket::{get, post, put};

use crate::{
    answer::{All, Answer, Changed, Created, Found},
    guards::{Id, In, Mine, Org},
};

#[get("/<_>/members")]
pub(crate) async fn list(mut org: Org<ListMembers>) -> Answer<Found<All<Membership>>> {
    Ok(Found(All { data: memberships::list(&mut org).await? }))
}

#[put("/<_>/members/<account>/role", data = "<input>")]
pub(crate) async fn change_role(
    account: Id<AccountId>,
    input: In<ManageMembers, RoleChoice>,
) -> Answer<Changed<Membership>> {
    let In { mut scope, body } = input;
    let membership = memberships::change_role(&mut scope, account.found()?, body).await?;
    Ok(Changed(scope.commit(membership).await?))
}

#[post("/memberships", data = "<input>")]
pub(crate) async fn accept(input: Mine<Acceptance>) -> Answer<Created<Joined>> {
    let Mine { mut scope, body } = input;
    let joined = memberships::accept(&mut scope, &body).await?;
    Ok(Created(scope.commit(joined).await?))
}
