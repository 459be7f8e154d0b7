use common::{
    access::{CreateProjects, InProject, ManageProject, Member, OwnOrganization, ReadTasks},
    ids::{AccountId, ProjectId},
    projects::{
        self, BreakGlass, Grant, GrantChoice, NewProject, Project, ProjectChanges, ProjectFilter, ProjectPlace,
    },
};
use rocket::{delete, get, patch, post, put};

use crate::{
    answer::{All, Answer, Changed, Created, Done, Found},
    guards::{Id, IfMatch, In, Org, Query},
};

#[post("/<_>/projects", data = "<input>")]
pub(crate) async fn create(input: In<CreateProjects, NewProject>) -> Answer<Created<Project>> {
    let In { mut scope, body } = input;
    let project = projects::create(&mut scope, body).await?;
    Created::commit(scope, project).await
}

#[get("/<_>/projects")]
pub(crate) async fn list(mut org: Org<Member>, filter: Query<ProjectFilter>) -> Answer<Found<All<Project>>> {
    Ok(Found(All { data: projects::list(&mut org, filter.0).await? }))
}

#[get("/<_>/projects/<id>")]
pub(crate) async fn show(mut org: Org<Member>, id: Id<ProjectId>) -> Answer<Found<Project>> {
    Ok(Found(projects::show(&mut org, id.found()?).await?))
}

#[patch("/<_>/projects/<id>", data = "<input>")]
pub(crate) async fn update(
    id: Id<ProjectId>,
    if_match: IfMatch,
    input: In<ManageProject, ProjectChanges>,
) -> Answer<Changed<Project>> {
    let In { mut scope, body } = input;
    let mut project = InProject::<ManageProject>::enter(&mut scope, id.found()?).await?;
    let project = projects::update(&mut project, &if_match.0, body).await?;
    Changed::commit(scope, project).await
}

#[put("/<_>/projects/<id>/position", data = "<input>")]
pub(crate) async fn place(id: Id<ProjectId>, input: In<ManageProject, ProjectPlace>) -> Answer<Changed<Project>> {
    let In { mut scope, body } = input;
    let mut project = InProject::<ManageProject>::enter(&mut scope, id.found()?).await?;
    let project = projects::place(&mut project, body).await?;
    Changed::commit(scope, project).await
}

#[put("/<_>/projects/<id>/archive")]
pub(crate) async fn archive(mut org: Org<ManageProject>, id: Id<ProjectId>) -> Answer<Changed<Project>> {
    let mut project = InProject::<ManageProject>::enter(&mut org, id.found()?).await?;
    let project = projects::archive(&mut project).await?;
    Changed::commit(org.0, project).await
}

#[delete("/<_>/projects/<id>/archive")]
pub(crate) async fn unarchive(mut org: Org<ManageProject>, id: Id<ProjectId>) -> Answer<Changed<Project>> {
    let mut project = InProject::<ManageProject>::enter(&mut org, id.found()?).await?;
    let project = projects::unarchive(&mut project).await?;
    Changed::commit(org.0, project).await
}

#[delete("/<_>/projects/<id>")]
pub(crate) async fn destroy(mut org: Org<ManageProject>, id: Id<ProjectId>, if_match: IfMatch) -> Answer<Done> {
    let mut project = InProject::<ManageProject>::enter(&mut org, id.found()?).await?;
    let gone = projects::destroy(&mut project, &if_match.0).await?;
    Done::commit(org.0, gone).await
}

#[get("/<_>/projects/<id>/grants")]
pub(crate) async fn grants(mut org: Org<ReadTasks>, id: Id<ProjectId>) -> Answer<Found<All<Grant>>> {
    let mut project = InProject::<ReadTasks>::enter(&mut org, id.found()?).await?;
    Ok(Found(All { data: projects::grants(&mut project).await? }))
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
    Changed::commit(scope, grant).await
}

#[delete("/<_>/projects/<id>/grants/<account>")]
pub(crate) async fn withdraw(mut org: Org<ManageProject>, id: Id<ProjectId>, account: Id<AccountId>) -> Answer<Done> {
    let mut project = InProject::<ManageProject>::enter(&mut org, id.found()?).await?;
    let withdrawn = projects::withdraw(&mut project, account.found()?).await?;
    Done::commit(org.0, withdrawn).await
}

#[post("/<_>/projects/<id>/access", data = "<input>")]
pub(crate) async fn break_glass(id: Id<ProjectId>, input: In<OwnOrganization, BreakGlass>) -> Answer<Created<Grant>> {
    let In { mut scope, body } = input;
    let grant = projects::break_glass(&mut scope, id.found()?, body).await?;
    Created::commit(scope, grant).await
}
