use askama::Template;
use common::{
    access::Committed,
    accounts::email::{self, EmailChange, EmailConfirmed},
    db::Db,
    secrets::Token,
};
use rocket::{State, get, post};

use super::page::{Page, Shown};
use crate::guards::{Asked, Id};

/// From which address to which, and a button.
#[derive(Template)]
#[template(path = "email/show.html")]
struct Wanted {
    change: EmailChange,
}

/// It is done, or half of it.
#[derive(Template)]
#[template(path = "email/confirmed.html")]
struct Confirmed {
    change: EmailChange,
    confirmation: Committed<EmailConfirmed>,
}

#[get("/email/<token>")]
pub(super) async fn show(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let change = email::change_of(db, &token.found()?, &asked.0).await?;
    Page::of(&Wanted { change })
}

#[post("/email/<token>")]
pub(super) async fn confirm(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let token = token.found()?;
    let change = email::change_of(db, &token, &asked.0).await?;
    let confirmation = email::confirm(db, &token, &asked.0).await?;
    Page::of(&Confirmed { change, confirmation })
}
