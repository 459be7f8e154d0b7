use common::{
    access::ReadMe,
    accounts::{self, Account, NewAccount, NewVerification},
    config::Registration,
    db::Db,
    secrets::Purpose,
};
use rocket::{State, get, post};

use crate::{
    answer::{Accepted, Answer, Changed, Found},
    guards::{Asked, Body, Caller},
};

#[post("/", data = "<body>")]
pub(crate) async fn create(
    db: &State<Db>,
    registration: &State<Registration>,
    asked: Asked,
    body: Body<NewAccount>,
) -> Answer<Accepted> {
    accounts::sign_up(db, body.0, **registration, &asked.0).await?;
    Ok(Accepted)
}

#[post("/", data = "<body>")]
pub(crate) async fn verify(db: &State<Db>, asked: Asked, body: Body<NewVerification>) -> Answer<Changed<Account>> {
    let token = body.0.token;
    let mut scope = db.begin_link(&token, Purpose::Verification, &asked.0).await?;
    let account = accounts::verify(&mut scope, &token).await?;
    Ok(Changed(scope.commit(account).await?))
}

#[get("/")]
pub(crate) async fn me(mut caller: Caller<ReadMe>) -> Answer<Found<Account>> {
    Ok(Found(accounts::me(&mut caller.0).await?))
}
