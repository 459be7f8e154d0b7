use common::{
    calendar::{self, CalendarLink, CalendarToken, NewCalendarLink},
    db::Db,
};
use rocket::{State, delete, get, post};
use url::Url;

use crate::{
    answer::{Answer, Created, Done, Feed, Found},
    guards::{Asked, Caller, Id},
};

/// Where the deployment says it lives, among Rocket's state: addresses that others keep begin with it.
pub(crate) struct Home(pub(crate) Url);

#[get("/calendar")]
pub(crate) async fn show(mut caller: Caller) -> Answer<Found<CalendarLink>> {
    Ok(Found(calendar::show(&mut caller.0).await?))
}

#[post("/calendar")]
pub(crate) async fn create(mut caller: Caller, home: &State<Home>) -> Answer<Created<NewCalendarLink>> {
    let link = calendar::make(&mut caller.0, &home.0).await?;
    Created::commit(caller.0, link).await
}

#[delete("/calendar")]
pub(crate) async fn destroy(mut caller: Caller) -> Answer<Done> {
    let revoked = calendar::revoke(&mut caller.0).await?;
    Done::commit(caller.0, revoked).await
}

// No `format`: calendar programs ask for whatever they like, and read what they get.
#[get("/<token>")]
pub(crate) async fn feed(token: Id<CalendarToken>, db: &State<Db>, asked: Asked, home: &State<Home>) -> Answer<Feed> {
    let mut scope = db.begin_calendar(&token.found()?, &asked.0).await?;
    Ok(Feed(calendar::feed(&mut scope, &home.0).await?))
}
