//! The API's description of itself. It is no operation of the API, and not in the table of contents.

use std::sync::OnceLock;

use rocket::{State, get, http::ContentType};
use url::Url;

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
