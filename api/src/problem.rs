//! The only error body: RFC 9457, for what the domain refuses, for what guards refuse, and for what Rocket itself refuses.

use std::borrow::Cow;

use common::{
    error::Error,
    input::{Faults, FieldFault},
};
use rocket::{
    Request, Response, catch,
    http::{ContentType, Header, Status},
    response::Responder,
};
use serde::Serialize;

use crate::{fairings::request_id, guards::denied, routes};

/// A refusal, or a failure.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: Status,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldFault>,
    headers: Vec<(&'static str, String)>,
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

impl Problem {
    pub(crate) fn new(status: Status, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }

    fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// Faults of a query string are a malformed request; those of a body an unprocessable one.
    pub(crate) fn of_query(faults: Faults) -> Self {
        let mut problem = Self::new(Status::BadRequest, "invalid_query", "The query string is not valid.");
        problem.errors = faults.0;
        problem
    }

    /// What Rocket refuses by itself: no route, a path that cannot be read, a panic in a handler.
    fn of_status(status: Status, request: &Request<'_>) -> Self {
        match status.code {
            // A path segment that is no id names nothing: Rocket says 422, but to a client it is a missing thing.
            404 | 422 => match routes::other_methods(request) {
                methods if methods.is_empty() || status.code == 422 => Error::NotFound.into(),
                methods => Self::new(Status::MethodNotAllowed, "method_not_allowed", "The resource has other methods.")
                    .with("Allow", methods.join(", ")),
            },
            413 => Self::new(status, "too_large", "The body has more than 64 KiB."),
            400..500 => Self::new(status, "bad_request", "The request cannot be understood."),
            503 => Error::Busy.into(),
            _ => Self::new(Status::InternalServerError, "internal", "Something went wrong here; it has been logged."),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = format!("{}.", capitalized(&error.to_string()));
        match error {
            Error::Unauthenticated => {
                Self::new(Status::Unauthorized, "unauthenticated", detail).with("WWW-Authenticate", "Bearer")
            }
            Error::WrongPassword => {
                Self::new(Status::Unauthorized, "wrong_password", detail).with("WWW-Authenticate", "Bearer")
            }
            Error::Forbidden(_) => Self::new(Status::Forbidden, "permission_missing", detail),
            Error::Refused(refusal) => Self::new(Status::Forbidden, refusal.code(), detail),
            Error::NotFound => Self::new(Status::NotFound, "not_found", detail),
            Error::Invalid(faults) => {
                let mut problem = Self::new(Status::UnprocessableEntity, "invalid", detail);
                problem.errors = faults.0;
                problem
            }
            Error::BadCursor(faults) => Self::of_query(faults),
            Error::Conflict { code, .. } => Self::new(Status::Conflict, code, detail),
            Error::Busy => Self::new(Status::ServiceUnavailable, "busy", detail).with("Retry-After", "2"),
            Error::Unavailable(cause) => {
                tracing::error!(%cause, "the database is not available");
                Self::new(Status::ServiceUnavailable, "unavailable", detail).with("Retry-After", "5")
            }
            Error::Internal(cause) => {
                tracing::error!(%cause, "internal error");
                Self::new(Status::InternalServerError, "internal", "Something went wrong here; it has been logged.")
            }
        }
    }
}

fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl<'r> Responder<'r, 'static> for Problem {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
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

/// Catches everything that is not answered by a handler. A guard that refused has left its reason with the request.
#[catch(default)]
pub(crate) fn any(status: Status, request: &Request<'_>) -> Problem {
    denied(request).unwrap_or_else(|| Problem::of_status(status, request))
}
