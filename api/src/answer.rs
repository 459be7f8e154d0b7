//! What a handler answers with. A write can only be answered once it is committed.

use std::io::Cursor;

use common::{access::Committed, exchange::Spool};
use rocket::{
    Request, Response,
    http::{ContentType, Status},
    response::Responder,
};
use serde::Serialize;

use crate::problem::Problem;

/// The answer of a handler, or why there is none.
pub(crate) type Answer<T> = Result<T, Problem>;

/// 200 with what was read.
pub(crate) struct Found<T>(pub(crate) T);

/// 200 with what was changed.
pub(crate) struct Changed<T>(pub(crate) Committed<T>);

/// 201 with what was created.
pub(crate) struct Created<T>(pub(crate) Committed<T>);

/// 204: it is done, and there is nothing to say about it.
pub(crate) struct Done(pub(crate) Committed<()>);

/// 200 with a document of JSON to be kept: browsers save it.
pub(crate) struct Download {
    pub(crate) name: &'static str,
    pub(crate) json: Committed<String>,
}

/// 200 with a long document to be kept, from a file: no connection waits for the client.
pub(crate) struct Attachment {
    name: &'static str,
    media: ContentType,
    spool: Spool,
}

impl Attachment {
    /// An organization.
    pub(crate) fn lines(spool: Committed<Spool>) -> Self {
        Self { name: "taskbell.jsonl", media: ContentType::new("application", "x-ndjson"), spool: spool.into_inner() }
    }

    /// A table of tasks.
    pub(crate) fn table(spool: Committed<Spool>) -> Self {
        Self { name: "tasks.csv", media: ContentType::CSV, spool: spool.into_inner() }
    }
}

/// 202: it will be done, and the answer tells nothing about what.
pub(crate) struct Accepted;

/// A list that is not paged, in the shape of those that are.
#[derive(Serialize)]
pub(crate) struct All<T> {
    pub(crate) data: Vec<T>,
}

fn json(status: Status, body: &impl Serialize) -> rocket::response::Result<'static> {
    let body = serde_json::to_vec(body).map_err(|_| Status::InternalServerError)?;
    let length = body.len();
    // One write to the socket: Rocket would cut the body into pieces of 4 KiB.
    Response::build()
        .status(status)
        .header(ContentType::JSON)
        .max_chunk_size(length.max(1))
        .sized_body(length, Cursor::new(body))
        .ok()
}

impl<'r, T: Serialize> Responder<'r, 'static> for Found<T> {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        json(Status::Ok, &self.0)
    }
}

impl<'r, T: Serialize> Responder<'r, 'static> for Changed<T> {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        json(Status::Ok, &self.0)
    }
}

impl<'r, T: Serialize> Responder<'r, 'static> for Created<T> {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        json(Status::Created, &self.0)
    }
}

impl<'r> Responder<'r, 'static> for Download {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let json = self.json.into_inner();
        Response::build()
            .header(ContentType::JSON)
            .raw_header("Content-Disposition", format!("attachment; filename=\"{}\"", self.name))
            .max_chunk_size(json.len().max(1))
            .sized_body(json.len(), Cursor::new(json))
            .ok()
    }
}

impl<'r> Responder<'r, 'static> for Attachment {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let length = usize::try_from(self.spool.length()).map_err(|_| Status::InternalServerError)?;
        Response::build()
            .header(self.media)
            .raw_header("Content-Disposition", format!("attachment; filename=\"{}\"", self.name))
            .max_chunk_size(64 * 1024)
            // The length is told: whoever gets less knows it.
            .sized_body(length, self.spool)
            .ok()
    }
}

impl<'r> Responder<'r, 'static> for Accepted {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        Response::build().status(Status::Accepted).ok()
    }
}

impl<'r> Responder<'r, 'static> for Done {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let Committed { .. } = self.0;
        Response::build().status(Status::NoContent).ok()
    }
}
