use common::{
    access::ReadTasks,
    ids::ReminderId,
    reminders::{self, NewReminder, Outlook, Reminder, ReminderPlan},
    tasks::{self, TaskRef},
};
use rocket::{delete, get, post};

use crate::{
    answer::{All, Answer, Created, Done, Found},
    guards::{Id, In, Org},
};

#[get("/<_>/tasks/<id>/reminders")]
pub(crate) async fn list(mut org: Org<ReadTasks>, id: Id<TaskRef>) -> Answer<Found<All<Reminder>>> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &id.found()?).await?;
    Ok(Found(All { data: reminders::list(&mut project, &task).await? }))
}

#[post("/<_>/tasks/<id>/reminders", data = "<input>")]
pub(crate) async fn create(id: Id<TaskRef>, input: In<ReadTasks, NewReminder>) -> Answer<Created<ReminderPlan>> {
    let In { mut scope, body } = input;
    let (mut project, task) = tasks::find::<ReadTasks>(&mut scope, &id.found()?).await?;
    let reminder = reminders::add(&mut project, &task, body).await?;
    Created::commit(scope, reminder).await
}

#[delete("/<_>/tasks/<id>/reminders/<reminder>")]
pub(crate) async fn destroy(mut org: Org<ReadTasks>, id: Id<TaskRef>, reminder: Id<ReminderId>) -> Answer<Done> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &id.found()?).await?;
    let removed = reminders::remove(&mut project, &task, reminder.found()?).await?;
    Done::commit(org.0, removed).await
}

#[get("/<_>/tasks/<id>/reminder-plan")]
pub(crate) async fn outlook(mut org: Org<ReadTasks>, id: Id<TaskRef>) -> Answer<Found<All<Outlook>>> {
    let (mut project, task) = tasks::find::<ReadTasks>(&mut org, &id.found()?).await?;
    Ok(Found(All { data: reminders::outlook(&mut project, &task).await? }))
}
