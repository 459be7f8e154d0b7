use common::{
    db::Db,
    sessions::{self, Session, SignIn},
};
use rocket::{State, post};

use crate::{
    answer::{Answer, Created},
    guards::Body,
};

#[post("/", data = "<body>")]
pub(crate) async fn create(db: &State<Db>, body: Body<SignIn>) -> Answer<Created<Session>> {
    Ok(Created(sessions::sign_in(db, body.0).await?))
}
