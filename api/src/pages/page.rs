use std::io::Cursor;

use askama::Template;
use common::{error::Error, input::Faults};
use rocket::{
    Request, Response,
    http::{ContentType, Header, Status},
    response::Responder,
};

use crate::{fairings::request_id, problem::Problem};

/// What a page may load and where its forms may go: our style sheet, ourselves, nothing else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page, or why there is none.
pub(super) type Shown = Result<Page, Refused>;

/// A page, ready to be sent.
pub(super) struct Page {
    status: Status,
    html: String,
}

/// A refusal for people: the problem's status and headers, and a page for its body.
pub(super) struct Refused(Problem);

/// The page of a refusal.
#[derive(Template)]
#[template(path = "refused.html")]
struct Sorry<'a> {
    title: &'a str,
    words: &'a str,
    /// What to name when asking somebody for help.
    reference: Option<&'a str>,
}

impl Page {
    /// 200 with a page.
    pub(super) fn of(template: &impl Template) -> Shown {
        Self::with(Status::Ok, template)
    }

    /// A page with another status.
    pub(super) fn with(status: Status, template: &impl Template) -> Shown {
        match template.render() {
            Ok(html) => Ok(Self { status, html }),
            Err(fault) => Err(Error::Internal(Box::new(fault)).into()),
        }
    }
}

impl<'r> Responder<'r, 'static> for Page {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        Response::build()
            .status(self.status)
            .header(ContentType::HTML)
            .raw_header("Content-Security-Policy", POLICY)
            .max_chunk_size(self.html.len().max(1))
            .sized_body(self.html.len(), Cursor::new(self.html))
            .ok()
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Faults> for Refused {
    fn from(faults: Faults) -> Self {
        Error::from(faults).into()
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

impl<'r> Responder<'r, 'static> for Refused {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        let Self(problem) = self;
        problem.log(request);
        let status = problem.status();
        let (title, words) = in_words(&problem);
        let reference = Some(request_id(request)).filter(|_| status.code >= 500);
        let sorry = Sorry { title, words, reference };
        let page = Page::with(status, &sorry).map_err(|_| Status::InternalServerError)?;
        let mut response = page.respond_to(request)?;
        for (name, value) in problem.into_headers() {
            response.set_header(Header::new(name, value));
        }
        Ok(response)
    }
}

fn in_words(problem: &Problem) -> (&'static str, &str) {
    match problem.status().code {
        404 => (
            "This link does not work",
            "Maybe it has been used already, and all is done. Maybe its time is over, or a part of it was lost on the way. \
             Try to copy the whole link from the mail, or ask for a new one.",
        ),
        405 | 415 => ("This page works otherwise", "Please open the link from your mail once more."),
        503 => ("One moment, please", "There is too much to do right now. Try again in a few seconds."),
        429 => ("Please wait", problem.detail()),
        500.. => ("Something went wrong here", "It is our fault, and it has been logged. Please try again later."),
        _ => ("That did not work", problem.detail()),
    }
}
