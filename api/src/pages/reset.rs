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
struct Lost<'a> {
    reset: &'a Reset,
    fields: Fields,
}

/// It is set.
#[derive(Template)]
#[template(path = "reset/done.html")]
struct Set<'a> {
    reset: &'a Reset,
}

#[get("/reset/<token>")]
pub(super) async fn show(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let reset = reset::show(db, token.found()?, &asked.0).await?;
    form(&reset, &Attempt::default())
}

#[post("/reset/<token>", data = "<form>")]
pub(super) async fn complete(db: &State<Db>, asked: Asked, token: Id<Token>, form: Form<ChosenPassword>) -> Shown {
    let reset = reset::show(db, token.found()?, &asked.0).await?;
    let set: Result<Committed<()>, _> = match form.input {
        Ok(ChosenPassword { password }) => reset::complete(db, &reset, password, &asked.0).await,
        Err(faults) => Err(faults.into()),
    };
    match set {
        Ok(_) => Page::of(&Set { reset: &reset }),
        Err(error) => self::form(&reset, &Attempt::failed(error, form.typed)?),
    }
}

fn form(reset: &Reset, attempt: &Attempt) -> Shown {
    let fields = Fields::after([Field::account(&reset.email), Field::new_password()], attempt);
    Page::with(attempt.status, &Lost { reset, fields })
}
