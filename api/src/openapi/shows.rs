//! What each kind of answer means for a client.

use common::shown::Shown;
use serde_json::json;
use utoipa::ToSchema;

use super::sketch::{Shows, Sketch};
use crate::answer::{Accepted, Answer, Attachment, Changed, Created, Done, Download, Feed, Found, Media};

impl<T: Shows> Shows for Answer<T> {
    fn describe(sketch: &mut Sketch) {
        T::describe(sketch);
        sketch.refuses(&[503]);
    }
}

impl<T: Shown + ToSchema> Shows for Found<T> {
    fn describe(sketch: &mut Sketch) {
        sketch.shows::<T>(200, "What was asked for.");
        sketch.tagged = true;
        sketch.tells.push("ETag");
        if T::name().ends_with("Page") {
            sketch.tells.push("Link");
        }
    }
}

impl<T: Shown + ToSchema> Shows for Changed<T> {
    fn describe(sketch: &mut Sketch) {
        sketch.shows::<T>(200, "As it is now.");
        sketch.tells.push("ETag");
        sketch.refuses(&[409]);
    }
}

impl<T: Shown + ToSchema> Shows for Created<T> {
    fn describe(sketch: &mut Sketch) {
        sketch.shows::<T>(201, "What was created.");
        sketch.tells.push("ETag");
        sketch.refuses(&[409]);
    }
}

impl Shows for Done {
    fn describe(sketch: &mut Sketch) {
        sketch.shows_nothing(204, "It is done.");
        if sketch.query.is_some() {
            // It is well-formed, but what it names is not there to be chosen.
            sketch.refuses(&[422]);
        }
        sketch.refuses(&[409]);
    }
}

impl Shows for Accepted {
    fn describe(sketch: &mut Sketch) {
        sketch.shows_nothing(202, "It will be done; the answer tells nothing about what.");
        sketch.refuses(&[409]);
    }
}

impl<M: Media> Shows for Attachment<M> {
    fn describe(sketch: &mut Sketch) {
        sketch.shows_media(200, &M::media().to_string(), "A document to be kept.");
        sketch.tells.push("Content-Disposition");
    }
}

impl Shows for Feed {
    fn describe(sketch: &mut Sketch) {
        sketch.shows_media(200, &Self::media().to_string(), "A calendar (RFC 5545).");
        sketch.tells.extend(["ETag", "Content-Disposition"]);
        sketch.tagged = true;
    }
}

impl Shows for Download {
    fn describe(sketch: &mut Sketch) {
        let document = json!({ "type": "object", "description": "A document to be kept; fields may be added." });
        sketch.shows_as("Download", &document, 200, "A document to be kept.");
        sketch.tells.extend(["ETag", "Content-Disposition"]);
        sketch.tagged = true;
    }
}
