use common::{
    access::ReadTasks,
    tasks::{self, TaskRef},
    watches::{self, Attention, Watcher},
};
use rocket::{delete, get, put};

use crate::{
    answer::{All, Answer, Changed, Done, Found},
    guards::{Id, Org},
};

#[get("/<_>/tasks/<task>/watchers")]
pub(crate) async fn list(mut org: Org<ReadTasks>, task: Id<TaskRef>) -> Answer<Found<All<Watcher>>> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &task.found()?).await?;
    Ok(Found(All { data: watches::list(&mut project, &task).await? }))
}

#[put("/<_>/tasks/<task>/watch")]
pub(crate) async fn watch(mut org: Org<ReadTasks>, task: Id<TaskRef>) -> Answer<Changed<Attention>> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &task.found()?).await?;
    let attention = watches::watch(&mut project, &task).await?;
    Changed::commit(org.0, attention).await
}

#[delete("/<_>/tasks/<task>/watch")]
pub(crate) async fn unwatch(mut org: Org<ReadTasks>, task: Id<TaskRef>) -> Answer<Done> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &task.found()?).await?;
    let done = watches::unwatch(&mut project, &task).await?;
    Done::commit(org.0, done).await
}

#[put("/<_>/tasks/<task>/mute")]
pub(crate) async fn mute(mut org: Org<ReadTasks>, task: Id<TaskRef>) -> Answer<Changed<Attention>> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &task.found()?).await?;
    let attention = watches::mute(&mut project, &task).await?;
    Changed::commit(org.0, attention).await
}

#[delete("/<_>/tasks/<task>/mute")]
pub(crate) async fn unmute(mut org: Org<ReadTasks>, task: Id<TaskRef>) -> Answer<Done> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &task.found()?).await?;
    let done = watches::unmute(&mut project, &task).await?;
    Done::commit(org.0, done).await
}
