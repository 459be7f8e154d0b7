use askama::Template;
use common::{
    access::Committed,
    accounts::{self, Account, SignedUp},
    db::Db,
    secrets::{Purpose, Token},
};
use rocket::{State, get, post};

use super::page::{Page, Shown};
use crate::guards::{Asked, Id};

/// Who signed up, and a button.
#[derive(Template)]
#[template(path = "verify/show.html")]
struct Waiting {
    sign_up: SignedUp,
}

/// It is done.
#[derive(Template)]
#[template(path = "verify/confirmed.html")]
struct Confirmed {
    account: Committed<Account>,
}

#[get("/verify/<token>")]
pub(super) async fn show(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let token = token.found()?;
    let mut scope = db.begin_link(&token, Purpose::Verification, &asked.0).await?;
    let sign_up = accounts::sign_up_of(&mut scope, &token).await?;
    Page::of(&Waiting { sign_up })
}

#[post("/verify/<token>")]
pub(super) async fn confirm(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let token = token.found()?;
    let mut scope = db.begin_link(&token, Purpose::Verification, &asked.0).await?;
    let account = accounts::verify(&mut scope, &token).await?;
    Page::of(&Confirmed { account: scope.commit(account).await? })
}
