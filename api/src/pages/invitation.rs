use askama::Template;
use common::{
    access::Committed,
    audit::Origin,
    config::Registration,
    db::Db,
    memberships::Joined,
    offers::{self, Answer, Offer},
    secrets::Token,
};
use rocket::{State, get, post};

use super::{
    attempt::Attempt,
    field::{Field, Fields},
    page::{Page, Shown},
};
use crate::guards::{Asked, Form, Id};

/// Who invites to what, and the answers that there are.
#[derive(Template)]
#[template(path = "invitation/show.html")]
struct Invitation<'a> {
    offer: &'a Offer,
    fields: Fields,
}

/// Yes.
#[derive(Template)]
#[template(path = "invitation/joined.html")]
struct Welcome<'a> {
    offer: &'a Offer,
    joined: Committed<Joined>,
}

/// No.
#[derive(Template)]
#[template(path = "invitation/declined.html")]
struct Declined<'a> {
    offer: &'a Offer,
}

#[get("/invitation/<token>")]
pub(super) async fn show(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let offer = offers::show(db, token.found()?, &asked.0).await?;
    form(&offer, &Attempt::default())
}

#[post("/invitation/<token>", data = "<form>")]
pub(super) async fn answer(
    db: &State<Db>,
    registration: &State<Registration>,
    asked: Asked,
    token: Id<Token>,
    form: Form<Answer>,
) -> Shown {
    let Asked(origin) = asked;
    let offer = offers::show(db, token.found()?, &origin).await?;
    let joined = match form.input {
        Ok(Answer::Decline {}) => return decline(db, &offer, &origin).await,
        Ok(Answer::Accept { password, code }) => offers::accept(db, &offer, password, code, &origin).await,
        Ok(Answer::Join { name, password }) => offers::join(db, &offer, name, password, **registration, &origin).await,
        Err(faults) => Err(faults.into()),
    };
    match joined {
        Ok(joined) => Page::of(&Welcome { offer: &offer, joined }),
        Err(error) => self::form(&offer, &Attempt::failed(error, form.typed)?),
    }
}

async fn decline(db: &Db, offer: &Offer, origin: &Origin) -> Shown {
    let _: Committed<()> = offers::decline(db, offer, origin).await?;
    Page::of(&Declined { offer })
}

fn form(offer: &Offer, attempt: &Attempt) -> Shown {
    let account = Field::account(&offer.email);
    let fields = if offer.has_second_factor {
        Fields::after([account, Field::password(), Field::code()], attempt)
    } else if offer.has_account {
        Fields::after([account, Field::password()], attempt)
    } else {
        Fields::after([account, Field::name(), Field::new_password()], attempt)
    };
    Page::with(attempt.status, &Invitation { offer, fields })
}
