use common::{
    access::ReadMe,
    accounts::{self, Account, AccountChanges, MailRequest, NewAccount, NewVerification},
    config::Registration,
    db::Db,
    secrets::Purpose,
};
use rocket::{State, get, patch, post};

use crate::{
    answer::{Accepted, Answer, Changed, Download, Found},
    guards::{Asked, Body, Caller, IfMatch, Mine},
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
    Changed::commit(scope, account).await
}

#[post("/resends", data = "<body>")]
pub(crate) async fn resend(db: &State<Db>, asked: Asked, body: Body<MailRequest>) -> Answer<Accepted> {
    accounts::resend(db, body.0, &asked.0).await?;
    Ok(Accepted)
}

#[get("/")]
pub(crate) async fn me(mut caller: Caller<ReadMe>) -> Answer<Found<Account>> {
    Ok(Found(accounts::me(&mut caller.0).await?))
}

#[patch("/", data = "<input>")]
pub(crate) async fn update(if_match: IfMatch, input: Mine<AccountChanges>) -> Answer<Changed<Account>> {
    let Mine { mut scope, body } = input;
    let account = accounts::update(&mut scope, &if_match.0, body).await?;
    Changed::commit(scope, account).await
}

#[get("/export")]
pub(crate) async fn export(mut caller: Caller) -> Answer<Download> {
    let export = accounts::export::export(&mut caller.0).await?;
    Ok(Download { name: "taskbell.json", json: caller.0.commit(export).await? })
}
