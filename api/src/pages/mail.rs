use askama::Template;
use common::{
    db::Db,
    error::Error,
    links::{self, Deed, Did, Linked, Mute, Postponement, Standing},
    mails::MailKind,
    secrets::Token,
};
use rocket::{State, get, http::Status, post};

use super::page::{Page, Shown};
use crate::guards::{Asked, Form, Id};

/// What the mail was about, and what its reader can do.
#[derive(Template)]
#[template(path = "mail/show.html")]
struct Look {
    about: Linked,
    token: String,
}

/// The question whether there shall be no more of such mails.
#[derive(Template)]
#[template(path = "mail/unsubscribe.html")]
struct Enough {
    about: Linked,
    token: String,
}

/// What has come of a deed.
#[derive(Template)]
#[template(path = "mail/after.html")]
struct After {
    did: Did,
    token: String,
}

/// The link leads nowhere, or not any more.
#[derive(Template)]
#[template(path = "mail/gone.html")]
struct Gone;

/// Gives what there is, or leaves with a page: what a link names is not found for reasons of its own.
macro_rules! reach {
    ($found:expr) => {
        match $found {
            Ok(found) => found,
            Err(Error::NotFound) => return Page::with(Status::NotFound, &Gone),
            Err(fault) => return Err(fault.into()),
        }
    };
}
#[get("/mail/<token>")]
pub(super) async fn show(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let token = reach!(token.named());
    let about = reach!(links::look(db, &token, &asked.0).await);
    Page::of(&Look { about, token: token.reveal() })
}

#[get("/mail/<token>/unsubscribe")]
pub(super) async fn ask(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let token = reach!(token.named());
    let about = reach!(links::look(db, &token, &asked.0).await);
    Page::of(&Enough { about, token: token.reveal() })
}

#[post("/mail/<token>/done")]
pub(super) async fn complete(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let token = reach!(token.named());
    let did = reach!(links::complete(db, &token, &asked.0).await);
    after(did, &token)
}

#[post("/mail/<token>/snooze", data = "<form>")]
pub(super) async fn snooze(db: &State<Db>, asked: Asked, token: Id<Token>, form: Form<Postponement>) -> Shown {
    let token = reach!(token.named());
    let did = reach!(links::snooze(db, &token, &form.input?, &asked.0).await);
    after(did, &token)
}

#[post("/mail/<token>/mute", data = "<form>")]
pub(super) async fn mute(db: &State<Db>, asked: Asked, token: Id<Token>, form: Form<Mute>) -> Shown {
    let token = reach!(token.named());
    let did = reach!(links::mute(db, &token, &form.input?, &asked.0).await);
    after(did, &token)
}

/// Also asked for by mail programs, with one click and no page (RFC 8058): whatever the body says, the token says it all.
#[post("/mail/<token>/unsubscribe")]
pub(super) async fn unsubscribe(db: &State<Db>, asked: Asked, token: Id<Token>) -> Shown {
    let token = reach!(token.named());
    let did = reach!(links::unsubscribe(db, &token, &asked.0).await);
    after(did, &token)
}

fn after(did: Did, token: &Token) -> Shown {
    let status = match did.deed {
        Deed::NotTheirs => Status::Forbidden,
        Deed::Unseen => Status::NotFound,
        Deed::Archived | Deed::NotWanted => Status::Conflict,
        Deed::NoSuchMoment => Status::UnprocessableEntity,
        _ => Status::Ok,
    };
    Page::with(status, &After { did, token: token.reveal() })
}

impl After {
    /// Whether it is as its reader wanted it.
    fn well(&self) -> bool {
        !matches!(self.did.deed, Deed::NotTheirs | Deed::Unseen | Deed::Archived | Deed::NotWanted | Deed::NoSuchMoment)
    }

    fn title(&self) -> &'static str {
        match self.did.deed {
            Deed::Completed { next: Some(_) } => "Done, until the next time",
            Deed::Completed { next: None } => "Done",
            Deed::CompletedBefore | Deed::Over => "It is done already",
            Deed::NotTheirs => "This is not yours to complete",
            Deed::Snoozed { .. } => "You will be reminded again",
            Deed::NoSuchMoment => "That moment is over",
            Deed::NotWanted => "You wanted no mail about it",
            Deed::Muted | Deed::ProjectMuted => "It is quiet now",
            Deed::RemindersOff => "No more reminders",
            Deed::DigestOff => "No more digests",
            Deed::Unseen => "You cannot see this task any more",
            Deed::Archived => "This project is archived",
        }
    }

    fn words(&self) -> String {
        let organization = &self.did.about.organization;
        let task = self.did.about.task.as_ref();
        let key = task.map_or("the task", |task| task.key.as_str());
        match &self.did.deed {
            Deed::Completed { next: Some(next) } => {
                format!("{key} is completed for this time. It is due again {next}.")
            }
            Deed::Completed { next: None } => format!("{key} is completed. Nobody is reminded of it any more."),
            Deed::CompletedBefore => format!("{key} was completed before; nothing has changed."),
            Deed::Over => format!(
                "The mail was about a time of {key} that is over: it was completed, and the task has come round since. Nothing has changed."
            ),
            Deed::NotTheirs => format!(
                "{key} can be completed by those it is assigned to, and by those who work in its project. Nothing has changed."
            ),
            Deed::Snoozed { until } => format!("Another mail about {key} comes {until}."),
            Deed::NoSuchMoment => "Go back and choose another one.".to_owned(),
            Deed::NotWanted => format!("You have muted {key}, its project, or all reminders of {organization}."),
            Deed::Muted => format!("No more mail about {key}."),
            Deed::ProjectMuted => {
                let project = task.map_or("the project", |task| task.project.as_str());
                format!("No more mail about the tasks of {project}.")
            }
            Deed::RemindersOff => format!("{organization} sends you no reminders any more."),
            Deed::DigestOff => format!("{organization} sends you no digest any more."),
            Deed::Unseen => {
                "It was deleted, or you have no access to its project. No more mail comes from it.".to_owned()
            }
            Deed::Archived => "Nothing in it changes any more, and no more mail comes from it.".to_owned(),
        }
    }

    /// How the quiet ends again.
    fn way_back(&self) -> Option<&'static str> {
        match self.did.deed {
            Deed::Muted => Some("In the API it is unmuted again."),
            Deed::ProjectMuted => Some("In the API the project is unmuted again."),
            Deed::RemindersOff | Deed::DigestOff => Some("Your notification settings in the API turn them on again."),
            _ => None,
        }
    }
}
