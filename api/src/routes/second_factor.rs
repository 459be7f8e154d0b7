use common::second_factor::{self, Enrolment, FirstCode, NewRecoveryCodes, SecondFactor};
use rocket::{delete, get, post, put};

use crate::{
    answer::{Answer, Changed, Created, Done, Found},
    guards::{Caller, Mine, SureMine},
};

#[get("/second-factor")]
pub(crate) async fn show(mut caller: Caller) -> Answer<Found<SecondFactor>> {
    Ok(Found(second_factor::show(&mut caller.0).await?))
}

#[post("/second-factor", data = "<input>")]
pub(crate) async fn enrol(input: SureMine) -> Answer<Created<Enrolment>> {
    let SureMine { mut scope, confirmed } = input;
    let enrolment = second_factor::enrol(&mut scope, &confirmed).await?;
    Created::commit(scope, enrolment).await
}

#[put("/second-factor/confirmation", data = "<input>")]
pub(crate) async fn switch_on(input: Mine<FirstCode>) -> Answer<Changed<NewRecoveryCodes>> {
    let Mine { mut scope, body } = input;
    let codes = second_factor::switch_on(&mut scope, &body).await?;
    Changed::commit(scope, codes).await
}

#[post("/second-factor/recovery-codes", data = "<input>")]
pub(crate) async fn renew_codes(input: SureMine) -> Answer<Created<NewRecoveryCodes>> {
    let SureMine { mut scope, confirmed } = input;
    let codes = second_factor::renew_codes(&mut scope, &confirmed).await?;
    Created::commit(scope, codes).await
}

#[delete("/second-factor", data = "<input>")]
pub(crate) async fn switch_off(input: SureMine) -> Answer<Done> {
    let SureMine { mut scope, confirmed } = input;
    let off = second_factor::switch_off(&mut scope, &confirmed).await?;
    Done::commit(scope, off).await
}
