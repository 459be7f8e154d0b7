use common::{
    access::{CreateProjects, InProject, ManageProject, Member},
    ids::{AccountId, ProjectId},
    projects::{self, Grant, GrantChoice, NewProject, Project},
};
use rocket::{get, post, put};

use crate::{
    answer::{All, Answer, Changed, Created, Found},
    guards::{Id, In, Org},
};

#[post("/<_>/projects", data = "<input>")]
pub(crate) async fn create(input: In<CreateProjects, NewProject>) -> Answer<Created<Project>> {
    let In { mut scope, body } = input;
    let project = projects::create(&mut scope, body).await?;
    Ok(Created(scope.commit(project).await?))
}

#[get("/<_>/projects")]
pub(crate) async fn list(mut org: Org<Member>) -> Answer<Found<All<Project>>> {
    Ok(Found(All { data: projects::list(&mut org).await? }))
}

#[get("/<_>/projects/<id>")]
pub(crate) async fn show(mut org: Org<Member>, id: Id<ProjectId>) -> Answer<Found<Project>> {
    Ok(Found(projects::show(&mut org, id.found()?).await?))
}

#[put("/<_>/projects/<id>/grants/<account>", data = "<input>")]
pub(crate) async fn grant(
    id: Id<ProjectId>,
    account: Id<AccountId>,
    input: In<ManageProject, GrantChoice>,
) -> Answer<Changed<Grant>> {
    let In { mut scope, body } = input;
    let mut project = InProject::<ManageProject>::enter(&mut scope, id.found()?).await?;
    let grant = projects::grant(&mut project, account.found()?, body).await?;
    Ok(Changed(scope.commit(grant).await?))
}
