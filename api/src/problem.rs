//! The only error body: RFC 9457, for what the domain refuses, for what guards refuse, and for what Rocket itself refuses.

use std::borrow::Cow;

use common::{
    error::{Error, Repetition},
    idempotency::Kept,
    input::{Faults, FieldFault},
};
use rocket::{
    Request, Response,
    http::{ContentType, Header, Status},
    response::Responder,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    answer::again,
    fairings::{leave_denied, request_id, trace_id},
};

/// What a PATCH takes.
pub(crate) const PATCHES: &str = "application/merge-patch+json, application/json";

/// A refusal, or a failure.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: Status,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldFault>,
    headers: Vec<(&'static str, String)>,
    /// What the answer does not say.
    aside: Aside,
}

/// What only a log learns.
#[derive(Clone, Debug)]
enum Aside {
    Nothing,
    /// What went wrong, for the operator's log.
    Cause(String),
    /// What a member was denied, for the organization's audit log.
    Denied(&'static str),
    /// It is no problem at all: this was answered when the same was asked before.
    Answered(Box<Kept>),
}

/// Its JSON.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldFault],
}

/// A problem of one part of an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = PartProblem)]
pub(crate) struct Told {
    /// `urn:taskbell:problem:` and the code.
    r#type: String,
    /// What the status is called.
    title: String,
    /// The status.
    status: u16,
    /// A sentence for people.
    detail: String,
    /// What is the matter.
    code: &'static str,
    /// What is wrong with fields.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: Vec<FieldFault>,
}

impl Problem {
    pub(crate) fn new(status: Status, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), headers: Vec::new(), aside: Aside::Nothing }
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }

    /// A sentence for people.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// What the answer carries beside its body.
    pub(crate) fn into_headers(self) -> Vec<(&'static str, String)> {
        self.headers
    }

    /// Tells the logs what the answer does not say.
    pub(crate) fn log(&self, request: &Request<'_>) {
        match &self.aside {
            Aside::Nothing | Aside::Answered(_) => {}
            Aside::Cause(cause) => {
                let (request_id, trace_id) = (request_id(request), trace_id(request));
                tracing::error!(cause, request_id, trace_id, code = self.code, "a request failed");
            }
            Aside::Denied(what) => leave_denied(request, what),
        }
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// The way round a handler, for what it has answered before: a guard can do no more than refuse.
    pub(crate) fn answered(kept: Kept) -> Self {
        let aside = Aside::Answered(Box::new(kept));
        Self { aside, ..Self::new(Status::Conflict, "still_running", "This was answered before.") }
    }

    /// A failure of ours: the answer says no more than that.
    pub(crate) fn internal() -> Self {
        Self::new(Status::InternalServerError, "internal", "Something went wrong here; it has been logged.")
    }

    /// The body, or what Content-Type calls it, is not what the route takes.
    pub(crate) fn unsupported() -> Self {
        let detail = "The body must be JSON in UTF-8, and Content-Type must say so: application/json.";
        Self::new(Status::UnsupportedMediaType, "not_json", detail).with("Accept", "application/json")
    }

    /// The same of a PATCH.
    pub(crate) fn unsupported_patch() -> Self {
        let detail = "The body must be JSON in UTF-8, and Content-Type must say so: application/merge-patch+json or application/json.";
        Self::new(Status::UnsupportedMediaType, "not_json", detail).with("Accept-Patch", PATCHES)
    }

    /// The client takes nothing of what the route offers.
    pub(crate) fn not_acceptable(offered: &[String]) -> Self {
        let offered = if offered.is_empty() { "application/json".to_owned() } else { offered.join(", ") };
        let detail = format!("Accept excludes what there is: {offered}.");
        Self::new(Status::NotAcceptable, "not_acceptable", detail)
    }

    /// The same of a part of a body: what is at fault stands there.
    pub(crate) fn at(mut self, place: &str) -> Self {
        self.errors.iter_mut().for_each(|fault| fault.pointer.insert_str(0, place));
        self
    }

    /// What is wrong where; of what is wrong with no field, the code and the sentence of the whole.
    fn faults(self, place: &str) -> Vec<FieldFault> {
        if self.errors.is_empty() {
            vec![FieldFault {
                pointer: place.to_owned(),
                // Those that a deed can be refused with; all are described.
                code: match self.code {
                    "label_gone" => "label_gone",
                    "not_a_member" => "not_a_member",
                    "not_found" => "not_found",
                    "parent_deleted" => "parent_deleted",
                    "permission_missing" => "permission_missing",
                    "precondition_required" => "precondition_required",
                    "project_archived" => "project_archived",
                    "quota_reached" => "quota_reached",
                    "stale" => "stale",
                    "task_completed" => "task_completed",
                    "task_deleted" => "task_deleted",
                    _ => "not_done",
                },
                detail: self.detail.into_owned(),
            }]
        } else {
            self.errors
        }
    }

    /// As it is told within another answer, which has its own request id.
    pub(crate) fn told(self) -> Told {
        Told {
            r#type: format!("urn:taskbell:problem:{}", self.code),
            title: self.status.reason().unwrap_or("Error").to_owned(),
            status: self.status.code,
            detail: self.detail.into_owned(),
            code: self.code,
            errors: self.errors,
        }
    }

    fn because(mut self, story: String) -> Self {
        self.aside = Aside::Cause(story);
        self
    }

    /// Faults of a query string are a malformed request; those of a body an unprocessable one.
    pub(crate) fn of_query(faults: Faults) -> Self {
        let mut problem = Self::new(Status::BadRequest, "invalid_query", "The query string is not valid.");
        problem.errors = faults.0;
        problem
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = format!("{}.", capitalized(&error.to_string()));
        let story = error.story();
        match error {
            Error::Unauthenticated => {
                Self::new(Status::Unauthorized, "unauthenticated", detail).with("WWW-Authenticate", "Bearer")
            }
            Error::WrongPassword => {
                Self::new(Status::Unauthorized, "wrong_password", detail).with("WWW-Authenticate", "Bearer")
            }
            Error::SecondFactor { given } => {
                let code = if given { "wrong_code" } else { "code_needed" };
                Self::new(Status::Unauthorized, code, detail).with("WWW-Authenticate", "Bearer")
            }
            Error::Throttled(wait) => {
                Self::new(Status::TooManyRequests, "too_many_tries", detail).with("Retry-After", wait.to_string())
            }
            Error::Moved(_) => Self::new(Status::PermanentRedirect, "moved", detail),
            Error::Forbidden(permission) => {
                Self { aside: Aside::Denied(permission), ..Self::new(Status::Forbidden, "permission_missing", detail) }
            }
            Error::Refused(refusal) => {
                Self { aside: Aside::Denied(refusal.code()), ..Self::new(Status::Forbidden, refusal.code(), detail) }
            }
            Error::NotFound => Self::new(Status::NotFound, "not_found", detail),
            Error::Invalid(faults) => {
                let mut problem = Self::new(Status::UnprocessableEntity, "invalid", detail);
                problem.errors = faults.0;
                problem
            }
            Error::BadCursor(faults) => Self::of_query(faults),
            Error::Precondition { given: false } => {
                Self::new(Status::PreconditionRequired, "precondition_required", detail)
            }
            Error::Precondition { given: true } => Self::new(Status::BadRequest, "malformed_if_match", detail),
            Error::Stale { current } => {
                Self::new(Status::PreconditionFailed, "stale", detail).with("ETag", format!("\"{current}\""))
            }
            Error::SyncAgain => Self::new(Status::Gone, "sync_again", detail),
            Error::Conflict { code, .. } => Self::new(Status::Conflict, code, detail),
            Error::Batch { place, cause } => {
                let cause = Self::from(*cause).at(&place);
                let mut problem = Self::new(Status::UnprocessableEntity, "batch_failed", detail);
                problem.errors = cause.faults(&place);
                problem
            }
            Error::Quota { .. } => Self::new(Status::Conflict, "quota_reached", detail),
            Error::Repeated(repetition) => match repetition {
                Repetition::OtherRequest => Self::new(Status::UnprocessableEntity, repetition.code(), detail),
                Repetition::ShownOnce => Self::new(Status::Conflict, repetition.code(), detail),
                Repetition::Running | Repetition::Answered => {
                    Self::new(Status::Conflict, repetition.code(), detail).with("Retry-After", "1")
                }
            },
            Error::Busy => Self::new(Status::ServiceUnavailable, "busy", detail).with("Retry-After", "2"),
            Error::Unavailable(_) => {
                Self::new(Status::ServiceUnavailable, "unavailable", detail).with("Retry-After", "5").because(story)
            }
            Error::Internal(_) => Self::internal().because(story),
        }
    }
}

fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl<'r> Responder<'r, 'static> for Problem {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        self.log(request);
        if let Aside::Answered(kept) = self.aside {
            return Ok(again(request, *kept));
        }
        let document = Document {
            r#type: format!("urn:taskbell:problem:{}", self.code),
            title: self.status.reason().unwrap_or("Error"),
            status: self.status.code,
            detail: &self.detail,
            code: self.code,
            request_id: request_id(request),
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&document).map_err(|_| Status::InternalServerError)?;
        let mut response = Response::build();
        response.status(self.status).header(ContentType::new("application", "problem+json"));
        for (name, value) in self.headers {
            response.header(Header::new(name, value));
        }
        response.sized_body(body.len(), std::io::Cursor::new(body)).ok()
    }
}
