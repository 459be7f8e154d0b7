//! The pages that links in mails open. They show on GET and act on POST alone, since mail programs, scanners and browsers
//! open links by themselves; they need no script, and the token in the path is the only credential.

mod attempt;
mod email;
mod field;
mod invitation;
mod mail;
mod page;
mod reset;
mod verify;

use rocket::{Build, Request, Rocket, catch, catchers, get, http::ContentType, http::Status, routes};

use crate::{
    catchers::{self, Options},
    fairings::Caught,
};
use page::Refused;

/// Every page, and what is shown when there is none.
pub(crate) fn mount(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket
        .mount("/links", routes![style])
        .mount("/links", routes![verify::show, verify::confirm])
        .mount("/links", routes![invitation::show, invitation::answer])
        .mount("/links", routes![mail::show, mail::complete, mail::snooze, mail::mute, mail::ask, mail::unsubscribe])
        .mount("/links", routes![reset::show, reset::complete, email::show, email::confirm])
        .register("/links", catchers![any])
}

/// The one style sheet.
#[get("/style.css")]
fn style() -> (ContentType, &'static str) {
    (ContentType::CSS, include_str!("../../templates/style.css"))
}

/// Where people read, a refusal is a page.
#[catch(default)]
fn any(status: Status, request: &Request<'_>) -> Caught<Result<Options, Refused>> {
    Caught(catchers::answer(status, request).map_err(Refused::from))
}
