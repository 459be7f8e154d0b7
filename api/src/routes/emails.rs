use common::{
    accounts::email::{self, EmailConfirmation, EmailConfirmed, NewEmail},
    db::Db,
};
use rocket::{State, post};

use crate::{
    answer::{Accepted, Answer, Changed},
    guards::{Asked, Body, Proved},
};

#[post("/email", data = "<input>")]
pub(crate) async fn ask(db: &State<Db>, input: Proved<NewEmail>) -> Answer<Accepted> {
    let Proved { credential, origin, body, confirmed, key } = input;
    email::ask(db, &credential, &confirmed, &body.email, &origin, key.as_ref()).await?;
    Ok(Accepted)
}

#[post("/confirmations", data = "<body>")]
pub(crate) async fn confirm(
    db: &State<Db>,
    asked: Asked,
    body: Body<EmailConfirmation>,
) -> Answer<Changed<EmailConfirmed>> {
    Changed::of(&email::confirm(db, &body.0.token, &asked.0).await?)
}
