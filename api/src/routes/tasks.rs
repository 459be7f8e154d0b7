use common::{
    access::{CompleteTasks, InProject, MyTasks, ReadTasks, WriteTasks},
    page::Page,
    tasks::{self, ChangesSince, CreatedTask, MyTaskList, NewTask, Task, TaskChange, TaskList, TaskRef, TaskShape, TaskView},
};
use rocket::{get, post, put};

use crate::{
    answer::{Answer, Changed, Created, Found},
    guards::{Caller, Id, In, Org, Query},
};

#[post("/<_>/tasks", data = "<input>")]
pub(crate) async fn create(input: In<WriteTasks, NewTask>) -> Answer<Created<CreatedTask>> {
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

#[put("/<_>/tasks/<id>/completion")]
pub(crate) async fn complete(mut org: Org<ReadTasks>, id: Id<TaskRef>) -> Answer<Changed<Task>> {
    let (mut project, task) = tasks::find::<CompleteTasks>(&mut org, &id.found()?).await?;
    let task = tasks::complete(&mut project, &task).await?;
    Changed::commit(org.0, task).await
}
