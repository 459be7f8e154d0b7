use common::{
    access::{Member, ReadTasks},
    deliveries::{self, Delivery, DeliveryFilter, DeliveryLog, Snooze},
    ids::DeliveryId,
    page::Page,
    reminders::ReminderPlan,
};
use rocket::{get, post};

use crate::{
    answer::{Answer, Created, Found},
    guards::{Id, In, Org, Query},
};

#[get("/<_>/deliveries")]
pub(crate) async fn list(mut org: Org<Member>, filter: Query<DeliveryFilter>) -> Answer<Found<Page<Delivery>>> {
    Ok(Found(deliveries::list(&mut org, filter.0).await?))
}

#[get("/<_>/deliveries/<id>")]
pub(crate) async fn show(mut org: Org<Member>, id: Id<DeliveryId>) -> Answer<Found<DeliveryLog>> {
    Ok(Found(deliveries::show(&mut org, id.found()?).await?))
}

#[post("/<_>/deliveries/<id>/snooze", data = "<input>")]
pub(crate) async fn snooze(id: Id<DeliveryId>, input: In<ReadTasks, Snooze>) -> Answer<Created<ReminderPlan>> {
    let In { mut scope, body } = input;
    let reminder = deliveries::snooze(&mut scope, id.found()?, &body).await?;
    Created::commit(scope, reminder).await
}
