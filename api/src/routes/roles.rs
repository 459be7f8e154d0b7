use common::{
    access::{ListMembers, ManageRoles},
    roles::{self, NewRole, Replacement, RoleChanges, RoleView},
    text::RoleKey,
};
use rocket::{delete, get, patch, post};

use crate::{
    answer::{All, Answer, Changed, Created, Done, Found},
    guards::{Id, In, Org, Query},
};

#[get("/<_>/roles")]
pub(crate) async fn list(mut org: Org<ListMembers>) -> Answer<Found<All<RoleView>>> {
    Ok(Found(All { data: roles::list(&mut org).await? }))
}

#[post("/<_>/roles", data = "<input>")]
pub(crate) async fn create(input: In<ManageRoles, NewRole>) -> Answer<Created<RoleView>> {
    let In { mut scope, body } = input;
    let role = roles::create(&mut scope, body).await?;
    Ok(Created(scope.commit(role).await?))
}

#[get("/<_>/roles/<key>")]
pub(crate) async fn show(mut org: Org<ListMembers>, key: Id<RoleKey>) -> Answer<Found<RoleView>> {
    Ok(Found(roles::show(&mut org, &key.found()?).await?))
}

#[patch("/<_>/roles/<key>", data = "<input>")]
pub(crate) async fn update(key: Id<RoleKey>, input: In<ManageRoles, RoleChanges>) -> Answer<Changed<RoleView>> {
    let In { mut scope, body } = input;
    let role = roles::update(&mut scope, &key.found()?, body).await?;
    Ok(Changed(scope.commit(role).await?))
}

#[delete("/<_>/roles/<key>")]
pub(crate) async fn destroy(mut org: Org<ManageRoles>, key: Id<RoleKey>, to: Query<Replacement>) -> Answer<Done> {
    let deleted = roles::delete(&mut org, &key.found()?, &to.0).await?;
    Ok(Done(org.0.commit(deleted).await?))
}
