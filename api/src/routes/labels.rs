use common::{
    access::{InProject, ReadTasks, WriteTasks},
    ids::{LabelId, ProjectId},
    labels::{self, Label, LabelChanges, NewLabel},
    precondition::Precondition,
};
use rocket::{delete, get, patch, post};

use crate::{
    answer::{All, Answer, Changed, Created, Done, Found},
    guards::{Id, In, Org},
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
    Ok(Created(scope.commit(label).await?))
}

#[get("/<_>/projects/<project>/labels/<id>")]
pub(crate) async fn show(
    mut org: Org<ReadTasks>,
    project: Id<ProjectId>,
    id: Id<LabelId>,
) -> Answer<Found<Label>> {
    let mut project = InProject::<ReadTasks>::enter(&mut org, project.found()?).await?;
    Ok(Found(labels::show(&mut project, id.found()?).await?))
}

#[patch("/<_>/projects/<project>/labels/<id>", data = "<input>")]
pub(crate) async fn update(
    project: Id<ProjectId>,
    id: Id<LabelId>,
    input: In<WriteTasks, LabelChanges>,
) -> Answer<Changed<Label>> {
    let In { mut scope, body } = input;
    let mut project = InProject::<WriteTasks>::enter(&mut scope, project.found()?).await?;
    let label = labels::update(&mut project, id.found()?, body, &Precondition::Any).await?;
    Ok(Changed(scope.commit(label).await?))
}

#[delete("/<_>/projects/<project>/labels/<id>")]
pub(crate) async fn destroy(mut org: Org<WriteTasks>, project: Id<ProjectId>, id: Id<LabelId>) -> Answer<Done> {
    let mut project = InProject::<WriteTasks>::enter(&mut org, project.found()?).await?;
    let gone = labels::destroy(&mut project, id.found()?, &Precondition::Any).await?;
    Ok(Done(org.0.commit(gone).await?))
}
