use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer of the API, to be asserted on.
#[derive(Clone, Debug)]
pub struct Reply {
    request: String,
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    pub(crate) async fn of(request: String, response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { request, status, headers, body: response.text().await.unwrap() }
    }

    /// Asserts the status.
    #[must_use]
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.request, self.body);
        self
    }

    /// Asserts a refusal: its status, its code, and that it is a whole problem document.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "the assertion is the point")]
    pub fn is_problem(self, status: u16, code: &str) -> Value {
        let reply = self.is(status);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", reply.request);
        let problem = reply.json();
        assert_eq!(problem["code"], code, "{}: {problem}", reply.request);
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["request_id"].as_str(), reply.header("x-request-id"), "{problem}");
        assert!(["type", "title", "detail"].iter().all(|field| problem[field].is_string()), "{problem}");
        problem
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All by which a client could tell this answer from another: status, headers but for those of the request, and body.
    #[must_use]
    pub fn appearance(&self) -> String {
        let own = ["date", "x-request-id"];
        let mut headers: Vec<String> = self.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.retain(|header| !own.iter().any(|name| header.starts_with(name)));
        headers.sort_unstable();
        let id = self.header("x-request-id").unwrap_or_default();
        format!("{}\n{}\n\n{}", self.status, headers.join("\n"), self.body.replace(id, "…"))
    }

    /// What was asked.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The body as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.body
    }

    /// The body as JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("{}: {fault}: {}", self.request, self.body))
    }

    /// A string of the body.
    #[must_use]
    #[track_caller]
    pub fn text_at(&self, pointer: &str) -> String {
        let json = self.json();
        json.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {json}")).to_owned()
    }
}
