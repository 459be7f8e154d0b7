use askama::Template;
use common::{
    access::Committed,
    accounts::reset::{self, ChosenPassword, Reset},
    db::Db,
    secrets::Token,
};
use rocket::{State, get, post};

use super::{
    attempt::Attempt,
    field::{Field, Fields},
    page::{Page, Shown},
};
use crate::guards::{Asked, Form, Id};

/// For which account, and a field for the password.
#[derive(Template)]
#[template(path = "reset/show.html")]
struct Lost {
    fields: Fields,
}

/// It is set.
#[derive(Template)]
#[template(path = "reset/done.html")]
struct Set {
    email: String,
}

#[get("/reset/<token>")]
pub(super) async fn show(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let email = reset::address_of(db, &token.found()?, &asked.0).await?;
    form(&email, &Attempt::default())
}

#[post("/reset/<token>", data = "<form>")]
pub(super) async fn complete(db: &State<Db>, asked: Asked, token: Id<Token>, form: Form<ChosenPassword>) -> Shown {
    let token = token.found()?;
    let email = reset::address_of(db, &token, &asked.0).await?;
    let set: Result<Committed<()>, _> = match form.input {
        Ok(ChosenPassword { password }) => reset::complete(db, Reset { token, password }, &asked.0).await,
        Err(faults) => Err(faults.into()),
    };
    match set {
        Ok(_) => Page::of(&Set { email }),
        Err(error) => self::form(&email, &Attempt::failed(error, form.typed)?),
    }
}

fn form(email: &str, attempt: &Attempt) -> Shown {
    let fields = Fields::after([Field::account(email), Field::new_password()], attempt);
    Page::with(attempt.status, &Lost { fields })
}
