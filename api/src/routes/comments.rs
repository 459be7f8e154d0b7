use common::{
    access::{ReadTasks, WriteComments},
    comments::{self, Comment, CommentChanges, CommentFilter, NewComment},
    ids::CommentId,
    page::Page,
    tasks::{self, TaskRef},
};
use rocket::{delete, get, patch, post};

use crate::{
    answer::{Answer, Changed, Created, Done, Found},
    guards::{Id, IfMatch, In, Org, Query},
};

#[get("/<_>/tasks/<task>/comments")]
pub(crate) async fn list(
    mut org: Org<ReadTasks>,
    task: Id<TaskRef>,
    filter: Query<CommentFilter>,
) -> Answer<Found<Page<Comment>>> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &task.found()?).await?;
    Ok(Found(comments::list(&mut project, &task, filter.0).await?))
}

#[post("/<_>/tasks/<task>/comments", data = "<input>")]
pub(crate) async fn create(task: Id<TaskRef>, input: In<WriteComments, NewComment>) -> Answer<Created<Comment>> {
    let In { mut scope, body } = input;
    let (mut project, task) = tasks::find::<WriteComments>(&mut scope, &task.found()?).await?;
    let comment = comments::create(&mut project, &task, body).await?;
    Created::commit(scope, comment).await
}

#[get("/<_>/tasks/<task>/comments/<id>")]
pub(crate) async fn show(mut org: Org<ReadTasks>, task: Id<TaskRef>, id: Id<CommentId>) -> Answer<Found<Comment>> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &task.found()?).await?;
    Ok(Found(comments::show(&mut project, &task, id.found()?).await?))
}

#[patch("/<_>/tasks/<task>/comments/<id>", data = "<input>")]
pub(crate) async fn update(
    task: Id<TaskRef>,
    id: Id<CommentId>,
    if_match: IfMatch,
    input: In<WriteComments, CommentChanges>,
) -> Answer<Changed<Comment>> {
    let In { mut scope, body } = input;
    let (mut project, task) = tasks::find::<WriteComments>(&mut scope, &task.found()?).await?;
    let comment = comments::update(&mut project, &task, id.found()?, &if_match.0, body).await?;
    Changed::commit(scope, comment).await
}

#[delete("/<_>/tasks/<task>/comments/<id>")]
pub(crate) async fn destroy(
    mut org: Org<WriteComments>,
    task: Id<TaskRef>,
    id: Id<CommentId>,
    if_match: IfMatch,
) -> Answer<Done> {
    let (mut project, task) = tasks::find::<WriteComments>(&mut org, &task.found()?).await?;
    let gone = comments::destroy(&mut project, &task, id.found()?, &if_match.0).await?;
    Done::commit(org.0, gone).await
}
