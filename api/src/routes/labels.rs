use common::{
    access::{InProject, ReadTasks, WriteTasks},
    ids::{LabelId, ProjectId},
    labels::{self, Label, LabelChanges, NewLabel},
};
use rocket::{delete, get, patch, post};

use crate::{
    answer::{All, Answer, Changed, Created, Done, Found},
    guards::{Id, IfMatch, In, Org},
};

#[get("/<_>/projects/<project>/labels")]
pub(crate) async fn list(mut org: Org<ReadTasks>, project: Id<ProjectId>) -> Answer<Found<All<Label>>> {
    let mut project = InProject::<ReadTasks>::enter(&mut org, project.found()?).await?;
    Ok(Found(All { data: labels::list(&mut project).await? }))
}

#[post("/<_>/projects/<project>/labels", data = "<input>")]
pub(crate) async fn create(project: Id<ProjectId>, input: In<WriteTasks, NewLabel>) -> Answer<Created<Label>> {
    let In { mut scope, body } = input;
    let mut project = InProject::<WriteTasks>::enter(&mut scope, project.found()?).await?;
    let label = labels::create(&mut project, body).await?;
    Created::commit(scope, label).await
}

#[get("/<_>/projects/<project>/labels/<id>")]
pub(crate) async fn show(mut org: Org<ReadTasks>, project: Id<ProjectId>, id: Id<LabelId>) -> Answer<Found<Label>> {
    let mut project = InProject::<ReadTasks>::enter(&mut org, project.found()?).await?;
    Ok(Found(labels::show(&mut project, id.found()?).await?))
}

#[patch("/<_>/projects/<project>/labels/<id>", data = "<input>")]
pub(crate) async fn update(
    project: Id<ProjectId>,
    id: Id<LabelId>,
    if_match: IfMatch,
    input: In<WriteTasks, LabelChanges>,
) -> Answer<Changed<Label>> {
    let In { mut scope, body } = input;
    let mut project = InProject::<WriteTasks>::enter(&mut scope, project.found()?).await?;
    let label = labels::update(&mut project, id.found()?, &if_match.0, body).await?;
    Changed::commit(scope, label).await
}

#[delete("/<_>/projects/<project>/labels/<id>")]
pub(crate) async fn destroy(
    mut org: Org<WriteTasks>,
    project: Id<ProjectId>,
    id: Id<LabelId>,
    if_match: IfMatch,
) -> Answer<Done> {
    let mut project = InProject::<WriteTasks>::enter(&mut org, project.found()?).await?;
    let gone = labels::destroy(&mut project, id.found()?, &if_match.0).await?;
    Done::commit(org.0, gone).await
}
