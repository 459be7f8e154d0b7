//! The API's description of itself, and a page to read and try it. They are no operations of the API, and not in the table of
//! contents.

use std::sync::{Arc, OnceLock};

use rocket::{Request, Response, State, get, http::ContentType, response::Responder};
use url::Url;
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::{answer::Answer, problem::Problem};

/// What the page may do: run and load what comes from here, and ask nobody else. Swagger UI sets styles of its own, and draws
/// with images that are part of them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The document, written once, when somebody asks for it.
pub(crate) struct Description {
    home: Url,
    text: OnceLock<String>,
}

impl Description {
    pub(crate) fn new(home: Url) -> Self {
        Self { home, text: OnceLock::new() }
    }
}

#[get("/openapi.json")]
pub(crate) fn show(description: &State<Description>) -> (ContentType, &str) {
    let text = description.text.get_or_init(|| crate::description(Some(&description.home)).to_string());
    (ContentType::JSON, text)
}

/// The page.
pub(crate) struct Page;

impl<'r> Responder<'r, 'static> for Page {
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        let html = (ContentType::HTML, include_str!("../templates/docs/page.html"));
        let policy = |mut response: Response<'static>| {
            response.set_raw_header("Content-Security-Policy", POLICY);
            response
        };
        html.respond_to(request).map(policy)
    }
}

#[get("/docs")]
pub(crate) fn page() -> Page {
    Page
}

#[get("/docs/start.js")]
pub(crate) fn start() -> (ContentType, &'static str) {
    (ContentType::JavaScript, include_str!("../templates/docs/start.js"))
}

/// A file of Swagger UI, out of the binary.
pub(crate) struct File(SwaggerFile<'static>);

#[get("/docs/swagger-ui.css")]
pub(crate) fn style() -> Answer<File> {
    File::named("swagger-ui.css")
}

#[get("/docs/swagger-ui-bundle.js")]
pub(crate) fn script() -> Answer<File> {
    File::named("swagger-ui-bundle.js")
}

#[get("/docs/favicon-32x32.png")]
pub(crate) fn icon() -> Answer<File> {
    File::named("favicon-32x32.png")
}

impl File {
    fn named(name: &str) -> Answer<Self> {
        let file = utoipa_swagger_ui::serve(name, Arc::new(Config::from("/openapi.json"))).ok().flatten();
        file.map(Self).ok_or_else(|| Problem::from(common::Error::NotFound))
    }
}

impl<'r> Responder<'r, 'static> for File {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let mut response = Response::build();
        response.raw_header("Content-Type", self.0.content_type);
        if self.0.gzpipped {
            response.raw_header("Content-Encoding", "gzip");
        }
        let bytes = self.0.bytes.into_owned();
        response.max_chunk_size(64 * 1024).sized_body(bytes.len(), std::io::Cursor::new(bytes)).ok()
    }
}
