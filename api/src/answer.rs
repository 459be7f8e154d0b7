//! What a handler answers with. A write can only be answered once it is committed.

use std::{io::Cursor, marker::PhantomData};

use common::{
    access::{Committed, Scope, Written},
    shown::{Rendered, Shown},
};
use rocket::{
    Request, Response,
    http::{ContentType, Status},
    response::{self, Responder},
};
use serde::Serialize;

use crate::{problem::Problem, tags::Tags};

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
    async fn commit<P>(scope: Scope<P>, written: Written<T>) -> Answer<Self> {
        Ok(Self { rendered: scope.answer(written).await?.into_inner(), of: PhantomData })
    }

    fn of(committed: &Committed<T>) -> Answer<Self> {
        Ok(Self { rendered: Rendered::of(committed.get())?, of: PhantomData })
    }
}

impl<T: Shown> Changed<T> {
    /// Commits a change.
    pub(crate) async fn commit<P>(scope: Scope<P>, written: Written<T>) -> Answer<Self> {
        Sent::commit(scope, written).await.map(Self)
    }

    /// A change that is committed.
    pub(crate) fn of(committed: &Committed<T>) -> Answer<Self> {
        Sent::of(committed).map(Self)
    }
}

impl<T: Shown> Created<T> {
    /// Commits something new.
    pub(crate) async fn commit<P>(scope: Scope<P>, written: Written<T>) -> Answer<Self> {
        Sent::commit(scope, written).await.map(Self)
    }

    /// Something new that is committed.
    pub(crate) fn of(committed: &Committed<T>) -> Answer<Self> {
        Sent::of(committed).map(Self)
    }
}

impl Done {
    /// Commits what there is nothing to say about.
    pub(crate) async fn commit<P>(scope: Scope<P>, written: Written<()>) -> Answer<Self> {
        Ok(Self(scope.commit(written).await?))
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
    let kept = query.iter().flat_map(|query| query.raw_segments());
    let kept = kept.filter(|segment| segment.as_str().split('=').next() != Some(name));
    let query: String = kept.map(|segment| format!("{segment}&")).collect();
    format!("{path}?{query}{name}={cursor}")
}

impl<'r, T> Responder<'r, 'static> for Changed<T> {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(json(Status::Ok, self.0.rendered))
    }
}

impl<'r, T> Responder<'r, 'static> for Created<T> {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(json(Status::Created, self.0.rendered))
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
