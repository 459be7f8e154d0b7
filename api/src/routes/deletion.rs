use common::accounts::deletion::{self, DeletionPlan};
use rocket::{delete, get, put};

use crate::{
    answer::{Answer, Changed, Done, Found},
    guards::{Caller, SureMine},
};

#[get("/deletion")]
pub(crate) async fn plan(mut caller: Caller) -> Answer<Found<DeletionPlan>> {
    Ok(Found(deletion::plan(&mut caller.0).await?))
}

#[put("/deletion", data = "<input>")]
pub(crate) async fn request(input: SureMine) -> Answer<Changed<DeletionPlan>> {
    let SureMine { mut scope, confirmed } = input;
    let plan = deletion::request(&mut scope, &confirmed).await?;
    Changed::commit(scope, plan).await
}

#[delete("/deletion")]
pub(crate) async fn cancel(mut caller: Caller) -> Answer<Done> {
    let cancelled = deletion::cancel(&mut caller.0).await?;
    Done::commit(caller.0, cancelled).await
}
