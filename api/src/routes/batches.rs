use common::{
    access::WriteTasks,
    tasks::{self, Batch},
};
use rocket::post;

use crate::{
    answer::{Answer, Changed},
    batch::Results,
    guards::{In, Once},
};

#[post("/<_>/tasks/batch", data = "<input>")]
pub(crate) async fn create(input: Once<In<WriteTasks, Batch>>) -> Answer<Changed<Results>> {
    let Once(In { mut scope, body }) = input;
    let done = tasks::batch(&mut scope, body).await?;
    Changed::commit(scope, done.map(Results::of)).await
}
