use common::{
    access::Member,
    deliveries::{self, Delivery, DeliveryFilter, DeliveryLog},
    ids::DeliveryId,
    page::Page,
};
use rocket::get;

use crate::{
    answer::{Answer, Found},
    guards::{Id, Org, Query},
};

#[get("/<_>/deliveries")]
pub(crate) async fn list(mut org: Org<Member>, filter: Query<DeliveryFilter>) -> Answer<Found<Page<Delivery>>> {
    Ok(Found(deliveries::list(&mut org, filter.0).await?))
}

#[get("/<_>/deliveries/<id>")]
pub(crate) async fn show(mut org: Org<Member>, id: Id<DeliveryId>) -> Answer<Found<DeliveryLog>> {
    Ok(Found(deliveries::show(&mut org, id.found()?).await?))
}
