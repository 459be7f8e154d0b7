use common::{
    accounts::{
        MailRequest,
        password::{self, PasswordChange},
        reset::{self, Reset},
    },
    db::Db,
};
use rocket::{State, post, put};

use crate::{
    answer::{Accepted, Answer, Done},
    guards::{Asked, Body, Proved},
};

#[put("/password", data = "<input>")]
pub(crate) async fn change(db: &State<Db>, input: Proved<PasswordChange>) -> Answer<Done> {
    let Proved { credential, origin, body, confirmed, .. } = input;
    Ok(Done::of(password::change(db, &credential, &confirmed, body.new_password, &origin).await?))
}

#[post("/", data = "<body>")]
pub(crate) async fn ask(db: &State<Db>, asked: Asked, body: Body<MailRequest>) -> Answer<Accepted> {
    reset::ask(db, body.0, &asked.0).await?;
    Ok(Accepted)
}

#[post("/completions", data = "<body>")]
pub(crate) async fn complete(db: &State<Db>, asked: Asked, body: Body<Reset>) -> Answer<Done> {
    Ok(Done::of(reset::complete(db, body.0, &asked.0).await?))
}
