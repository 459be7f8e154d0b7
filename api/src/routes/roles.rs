use common::{
    access::{ListMembers, ManageRoles},
    roles::{self, NewRole, Replacement, RoleChanges, RoleView},
    text::RoleKey,
};
use rocket::{delete, get, patch, post};

use crate::{
    answer::{All, Answer, Changed, Created, Done, Found},
    guards::{Id, IfMatch, In, Org, Query},
};

#[get("/<_>/roles")]
pub(crate) async fn list(mut org: Org<ListMembers>) -> Answer<Found<All<RoleView>>> {
    Ok(Found(All { data: roles::list(&mut org).await? }))
}

#[post("/<_>/roles", data = "<input>")]
pub(crate) async fn create(input: In<ManageRoles, NewRole>) -> Answer<Created<RoleView>> {
    let In { mut scope, body } = input;
    let role = roles::create(&mut scope, body).await?;
    Created::commit(scope, role).await
}

#[get("/<_>/roles/<key>")]
pub(crate) async fn show(mut org: Org<ListMembers>, key: Id<RoleKey>) -> Answer<Found<RoleView>> {
    Ok(Found(roles::show(&mut org, &key.found()?).await?))
}

#[patch("/<_>/roles/<key>", data = "<input>")]
pub(crate) async fn update(
    key: Id<RoleKey>,
    if_match: IfMatch,
    input: In<ManageRoles, RoleChanges>,
) -> Answer<Changed<RoleView>> {
    let In { mut scope, body } = input;
    let role = roles::update(&mut scope, &key.found()?, &if_match.0, body).await?;
    Changed::commit(scope, role).await
}

#[delete("/<_>/roles/<key>")]
pub(crate) async fn destroy(
    mut org: Org<ManageRoles>,
    key: Id<RoleKey>,
    if_match: IfMatch,
    to: Query<Replacement>,
) -> Answer<Done> {
    let deleted = roles::delete(&mut org, &key.found()?, &if_match.0, &to.0).await?;
    Done::commit(org.0, deleted).await
}
