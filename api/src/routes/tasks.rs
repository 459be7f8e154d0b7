use common::{
    access::{InProject, MyTasks, ReadTasks, WriteTasks},
    page::Page,
    tasks::{
        self, ChangesSince, HistoryPage, MyTaskList, NewTask, PlannedTask, Position, Task, TaskChange, TaskChanges,
        TaskEvent, TaskList, TaskRef, TaskShape, TaskView,
    },
};
use rocket::{delete, get, patch, post, put};

use crate::{
    answer::{Answer, Changed, Created, Done, Found},
    guards::{Caller, Id, IfMatch, In, Org, Query},
};

#[post("/<_>/tasks", data = "<input>")]
pub(crate) async fn create(input: In<WriteTasks, NewTask>) -> Answer<Created<PlannedTask>> {
    let In { mut scope, body } = input;
    let mut project = InProject::<WriteTasks>::enter(&mut scope, body.project).await?;
    let task = tasks::create(&mut project, body).await?;
    Created::commit(scope, task).await
}

#[get("/<_>/tasks")]
pub(crate) async fn list(mut org: Org<ReadTasks>, list: Query<TaskList>) -> Answer<Found<Page<TaskView>>> {
    Ok(Found(tasks::list(&mut org, list.0).await?))
}

#[get("/<_>/tasks/changes")]
pub(crate) async fn changes(mut org: Org<ReadTasks>, since: Query<ChangesSince>) -> Answer<Found<Page<TaskChange>>> {
    Ok(Found(tasks::changes(&mut org, since.0).await?))
}

#[get("/tasks")]
pub(crate) async fn mine(mut caller: Caller<MyTasks>, list: Query<MyTaskList>) -> Answer<Found<Page<TaskView>>> {
    Ok(Found(tasks::mine(&mut caller.0, list.0).await?))
}

#[get("/<_>/tasks/<id>", rank = 2)]
pub(crate) async fn show(mut org: Org<ReadTasks>, id: Id<TaskRef>, shape: Query<TaskShape>) -> Answer<Found<TaskView>> {
    Ok(Found(tasks::show(&mut org, &id.found()?, shape.0).await?))
}

#[patch("/<_>/tasks/<id>", data = "<input>")]
pub(crate) async fn update(
    id: Id<TaskRef>,
    if_match: IfMatch,
    input: In<WriteTasks, TaskChanges>,
) -> Answer<Changed<PlannedTask>> {
    let In { mut scope, body } = input;
    let task = tasks::update(&mut scope, &id.found()?, &if_match.0, body).await?;
    Changed::commit(scope, task).await
}

#[delete("/<_>/tasks/<id>")]
pub(crate) async fn destroy(mut org: Org<WriteTasks>, id: Id<TaskRef>, if_match: IfMatch) -> Answer<Done> {
    let deleted = tasks::delete(&mut org, &id.found()?, &if_match.0).await?;
    Done::commit(org.0, deleted).await
}

#[delete("/<_>/tasks/<id>/deletion")]
pub(crate) async fn restore(
    mut org: Org<WriteTasks>,
    id: Id<TaskRef>,
    if_match: IfMatch,
) -> Answer<Changed<PlannedTask>> {
    let task = tasks::restore(&mut org, &id.found()?, &if_match.0).await?;
    Changed::commit(org.0, task).await
}

#[put("/<_>/tasks/<id>/completion")]
pub(crate) async fn complete(
    mut org: Org<ReadTasks>,
    id: Id<TaskRef>,
    if_match: IfMatch,
) -> Answer<Changed<PlannedTask>> {
    let task = tasks::complete(&mut org, &id.found()?, &if_match.0).await?;
    Changed::commit(org.0, task).await
}

#[delete("/<_>/tasks/<id>/completion")]
pub(crate) async fn reopen(
    mut org: Org<ReadTasks>,
    id: Id<TaskRef>,
    if_match: IfMatch,
) -> Answer<Changed<PlannedTask>> {
    let task = tasks::reopen(&mut org, &id.found()?, &if_match.0).await?;
    Changed::commit(org.0, task).await
}

#[put("/<_>/tasks/<id>/position", data = "<input>")]
pub(crate) async fn position(
    id: Id<TaskRef>,
    if_match: IfMatch,
    input: In<WriteTasks, Position>,
) -> Answer<Changed<Task>> {
    let In { mut scope, body } = input;
    let task = tasks::position(&mut scope, &id.found()?, &if_match.0, body).await?;
    Changed::commit(scope, task).await
}

#[get("/<_>/tasks/<id>/history")]
pub(crate) async fn history(
    mut org: Org<ReadTasks>,
    id: Id<TaskRef>,
    page: Query<HistoryPage>,
) -> Answer<Found<Page<TaskEvent>>> {
    let (mut project, task) = tasks::find_deleted::<ReadTasks>(&mut org, &id.found()?).await?;
    Ok(Found(tasks::history(&mut project, &task, page.0).await?))
}
