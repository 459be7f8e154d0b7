use askama::Template;
use common::{
    access::Committed,
    db::Db,
    memberships::Joined,
    offers::{self, Answer, Offer},
    secrets::Token,
};
use rocket::{State, get, post};

use super::{
    attempt::Attempt,
    field::{Field, Fields, Kind},
    page::{Page, Shown},
};
use crate::guards::{Form, Id};

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
pub(super) async fn show(db: &State<Db>, token: Id<Token>) -> Shown {
    let offer = offers::show(db, token.found()?).await?;
    form(&offer, &Attempt::default())
}

#[post("/invitation/<token>", data = "<form>")]
pub(super) async fn answer(db: &State<Db>, token: Id<Token>, form: Form<Answer>) -> Shown {
    let offer = offers::show(db, token.found()?).await?;
    let joined = match form.input {
        Ok(Answer::Decline {}) => return decline(db, &offer).await,
        Ok(Answer::Accept { password }) => offers::accept(db, &offer, password).await,
        Ok(Answer::Join { name, password }) => offers::join(db, &offer, name, password).await,
        Err(faults) => Err(faults.into()),
    };
    match joined {
        Ok(joined) => Page::of(&Welcome { offer: &offer, joined }),
        Err(error) => self::form(&offer, &Attempt::failed(error, form.typed)?),
    }
}

async fn decline(db: &Db, offer: &Offer) -> Shown {
    let _: Committed<()> = offers::decline(db, offer).await?;
    Page::of(&Declined { offer })
}

fn form(offer: &Offer, attempt: &Attempt) -> Shown {
    let account = Field::account(&offer.email);
    let fields = if offer.has_account {
        Fields::after([account, Field::new(Kind::Password, "password", "Password", "")], attempt)
    } else {
        let name = Field::new(Kind::Name, "name", "Name", "What the others will call you.");
        let password =
            Field::new(Kind::NewPassword, "password", "Password", "At least 12 characters. A few words will do.");
        Fields::after([account, name, password], attempt)
    };
    Page::with(attempt.status, &Invitation { offer, fields })
}
