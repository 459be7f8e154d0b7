use common::{
    db::Db,
    ids::SessionId,
    sessions::{self, NewSession, Session, SignIn},
};
use rocket::{State, delete, get, post};

use crate::{
    answer::{All, Answer, Created, Done, Found},
    guards::{Asked, Body, Caller, Id},
};

#[post("/", data = "<body>")]
pub(crate) async fn create(db: &State<Db>, asked: Asked, body: Body<SignIn>) -> Answer<Created<NewSession>> {
    Created::of(&sessions::sign_in(db, body.0, &asked.0).await?)
}

#[get("/sessions")]
pub(crate) async fn list(mut caller: Caller) -> Answer<Found<All<Session>>> {
    Ok(Found(All { data: sessions::list(&mut caller.0).await? }))
}

#[delete("/sessions/<id>")]
pub(crate) async fn destroy(mut caller: Caller, id: Id<SessionId>) -> Answer<Done> {
    let ended = sessions::end(&mut caller.0, id.found()?).await?;
    Done::commit(caller.0, ended).await
}

#[delete("/sessions/current")]
pub(crate) async fn destroy_current(mut caller: Caller) -> Answer<Done> {
    let ended = sessions::end_current(&mut caller.0).await?;
    Done::commit(caller.0, ended).await
}

#[delete("/sessions")]
pub(crate) async fn destroy_others(mut caller: Caller) -> Answer<Done> {
    let ended = sessions::end_others(&mut caller.0).await?;
    Done::commit(caller.0, ended).await
}
