//! What a handler answers with. A write can only be answered once it is committed.

use std::{io::Cursor, marker::PhantomData};

use common::{
    access::{Committed, Scope, Written},
    exchange::Spool,
    idempotency::{Kept, Outcome},
    shown::{Rendered, Shown},
};
use rocket::{
    Request, Response,
    http::{ContentType, Status},
    response::{self, Responder},
};
use serde::{Deserialize, Serialize};

use crate::{problem::Problem, table, tags::Tags};

/// The answer of a handler, or why there is none.
pub(crate) type Answer<T> = Result<T, Problem>;

/// 200 with what was read; or 304, when the client has these very bytes.
pub(crate) struct Found<T>(pub(crate) T);

/// 200 with what was changed.
pub(crate) struct Changed<T>(Sent<T>);

/// 201 with what was created.
pub(crate) struct Created<T>(Sent<T>);

/// 204: it is done, and there is nothing to say about it.
pub(crate) struct Done(Committed<()>);

/// 200 with a document of JSON to be kept: browsers save it.
pub(crate) struct Download {
    pub(crate) name: &'static str,
    pub(crate) json: Committed<String>,
}

/// 200 with a calendar, or 304 to a program that has it already.
pub(crate) struct Feed(pub(crate) String);

/// 200 with a long document to be kept, from a file: no connection waits for the client.
pub(crate) struct Attachment<M> {
    spool: Spool,
    of: PhantomData<fn() -> M>,
}

/// What such a document is, and how it is called.
pub(crate) trait Media {
    const NAME: &'static str;

    fn media() -> ContentType;
}

/// An organization.
pub(crate) enum Lines {}

/// Tasks.
pub(crate) enum Table {}

impl Media for Lines {
    const NAME: &'static str = "taskbell.jsonl";

    fn media() -> ContentType {
        ContentType::new("application", "x-ndjson")
    }
}

impl Media for Table {
    const NAME: &'static str = "tasks.csv";

    fn media() -> ContentType {
        ContentType::CSV
    }
}

impl<M> Attachment<M> {
    /// Of what is written into the log before it is sent.
    pub(crate) fn of(spool: Committed<Spool>) -> Self {
        Self { spool: spool.into_inner(), of: PhantomData }
    }
}

/// 202: it will be done, and the answer tells nothing about what.
pub(crate) struct Accepted;

/// A list that is not paged, in the shape of those that are.
#[derive(Serialize)]
pub(crate) struct All<T> {
    /// All of them.
    pub(crate) data: Vec<T>,
}

common::list_schema!(All, "List", "A list that is not paged, in the shape of those that are.");

impl<T: Serialize> Shown for All<T> {}

/// What was committed, as it is sent.
struct Sent<T> {
    rendered: Rendered,
    of: PhantomData<fn() -> T>,
}

impl<T: Shown> Sent<T> {
    async fn commit<P>(scope: Scope<P>, written: Written<T>, outcome: Outcome) -> Answer<Self> {
        Ok(Self { rendered: scope.answer(written, outcome).await?.into_inner(), of: PhantomData })
    }

    fn of(committed: &Committed<T>) -> Answer<Self> {
        Ok(Self { rendered: Rendered::of(committed.get())?, of: PhantomData })
    }
}

impl<T: Shown> Changed<T> {
    /// Commits a change.
    pub(crate) async fn commit<P>(scope: Scope<P>, written: Written<T>) -> Answer<Self> {
        Sent::commit(scope, written, Outcome::Changed).await.map(Self)
    }

    /// A change that is committed.
    pub(crate) fn of(committed: &Committed<T>) -> Answer<Self> {
        Sent::of(committed).map(Self)
    }

    /// Commits a change, unless it was `only` tried: then it is told and taken back.
    pub(crate) async fn tried<P>(scope: Scope<P>, written: Written<T>, only: bool) -> Answer<Self> {
        if only { Self::of(&scope.take_back(written)) } else { Self::commit(scope, written).await }
    }
}

impl<T: Shown> Created<T> {
    /// Commits something new.
    pub(crate) async fn commit<P>(scope: Scope<P>, written: Written<T>) -> Answer<Self> {
        Sent::commit(scope, written, Outcome::Created).await.map(Self)
    }

    /// Something new that is committed.
    pub(crate) fn of(committed: &Committed<T>) -> Answer<Self> {
        Sent::of(committed).map(Self)
    }
}

impl Done {
    /// Commits what there is nothing to say about.
    pub(crate) async fn commit<P>(scope: Scope<P>, written: Written<()>) -> Answer<Self> {
        Ok(Self(scope.done(written, Outcome::Done).await?))
    }

    /// It is committed.
    pub(crate) fn of(committed: Committed<()>) -> Self {
        Self(committed)
    }
}

fn json(status: Status, rendered: Rendered) -> Response<'static> {
    let Rendered { json, tag } = rendered;
    let length = json.len();
    // One write to the socket: Rocket would cut the body into pieces of 4 KiB.
    Response::build()
        .status(status)
        .header(ContentType::JSON)
        .raw_header("ETag", format!("\"{tag}\""))
        .max_chunk_size(length.max(1))
        .sized_body(length, Cursor::new(json))
        .finalize()
}

/// 201, and where it is from now on, if it can be asked for: by its id, or a role by its key, under the path of the request.
fn created(request: &Request<'_>, rendered: Rendered) -> Response<'static> {
    #[derive(Deserialize)]
    struct Named {
        id: Option<String>,
        key: Option<String>,
    }
    let named = serde_json::from_slice(&rendered.json).ok().and_then(|Named { id, key }| id.or(key));
    let place = named.map(|name| format!("{}/{name}", request.uri().path()));
    let mut response = json(Status::Created, rendered);
    if let Some(place) = place.filter(|place| table::has_get(request, place)) {
        response.set_raw_header("Location", place);
    }
    response
}

/// What was answered when the same was asked before.
pub(crate) fn again(request: &Request<'_>, kept: Kept) -> Response<'static> {
    let status = match kept.outcome {
        Outcome::Changed => Status::Ok,
        Outcome::Created => Status::Created,
        Outcome::Accepted => Status::Accepted,
        Outcome::Done => Status::NoContent,
    };
    let mut response = match kept.rendered {
        Some(rendered) if status == Status::Created => created(request, rendered),
        Some(rendered) => json(status, rendered),
        None => Response::build().status(status).finalize(),
    };
    response.set_raw_header("Idempotent-Replayed", "true");
    response
}

/// 200, or 304 to whoever has these very bytes.
fn unless_known(request: &Request<'_>, rendered: Rendered) -> Response<'static> {
    let known = Tags::of(request, "If-None-Match").is_ok_and(|tags| tags.is_some_and(|tags| tags.name(&rendered.tag)));
    if known {
        Response::build().status(Status::NotModified).raw_header("ETag", format!("\"{}\"", rendered.tag)).finalize()
    } else {
        json(Status::Ok, rendered)
    }
}

impl<'r, T: Shown> Responder<'r, 'static> for Found<T> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let rendered = Rendered::of(&self.0).map_err(|_| Status::InternalServerError)?;
        let mut response = unless_known(request, rendered);
        if let Some(cursor) = self.0.next() {
            response.set_raw_header("Link", format!("<{}>; rel=\"next\"", next(request, cursor)));
        }
        Ok(response)
    }
}

/// The same list from `cursor` on. Relative to this host (RFC 8288 allows it): which name clients know it by is their affair.
fn next(request: &Request<'_>, cursor: &str) -> String {
    let (path, query) = (request.uri().path(), request.uri().query());
    // Changes are told since, lists go on from a cursor.
    let name = if path.ends_with("/tasks/changes") { "since" } else { "cursor" };
    let kept = query.iter().flat_map(rocket::http::uri::Query::raw_segments);
    let kept = kept.filter(|segment| segment.as_str().split('=').next() != Some(name));
    let query = kept.fold(String::new(), |query, segment| query + segment.as_str() + "&");
    format!("{path}?{query}{name}={cursor}")
}

impl<'r, T> Responder<'r, 'static> for Changed<T> {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(json(Status::Ok, self.0.rendered))
    }
}

impl<'r, T> Responder<'r, 'static> for Created<T> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        Ok(created(request, self.0.rendered))
    }
}

impl<'r> Responder<'r, 'static> for Download {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let rendered = Rendered::named(self.json.into_inner().into_bytes(), None);
        let mut response = unless_known(request, rendered);
        response.set_raw_header("Content-Disposition", format!("attachment; filename=\"{}\"", self.name));
        Ok(response)
    }
}

impl<'r> Responder<'r, 'static> for Feed {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = unless_known(request, Rendered::named(self.0.into_bytes(), None));
        if response.status() == Status::Ok {
            response.set_header(Self::media());
            // A browser would call the file after its address, which is a secret.
            response.set_raw_header("Content-Disposition", "attachment; filename=\"taskbell.ics\"");
        }
        response.set_raw_header("Cache-Control", "private, max-age=300");
        Ok(response)
    }
}

impl Feed {
    pub(crate) fn media() -> ContentType {
        ContentType::new("text", "calendar").with_params(("charset", "utf-8"))
    }
}

impl<'r, M: Media> Responder<'r, 'static> for Attachment<M> {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let length = usize::try_from(self.spool.length()).map_err(|_| Status::InternalServerError)?;
        Response::build()
            .header(M::media())
            .raw_header("Content-Disposition", format!("attachment; filename=\"{}\"", M::NAME))
            .max_chunk_size(64 * 1024)
            // The length is told: whoever gets less knows it.
            .sized_body(length, self.spool)
            .ok()
    }
}

impl<'r> Responder<'r, 'static> for Accepted {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build().status(Status::Accepted).ok()
    }
}

impl<'r> Responder<'r, 'static> for Done {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let Committed { .. } = self.0;
        Response::build().status(Status::NoContent).ok()
    }
}
