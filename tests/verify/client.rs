//! A client that does not give up: whatever it was not told the outcome of, it asks again, a POST under the same key.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use url::Url;
use uuid::Uuid;

use super::{Person, World, now};

/// How long it goes on. Longer than anything is away.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(150);
/// What takes longer has no answer.
const DEADLINE: Duration = Duration::from_secs(20);

/// Somebody who asks.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    api: Url,
    token: String,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// When it was asked for the first time.
    pub asked_at: Timestamp,
    /// When it was answered; none: the outcome is unknown to this day.
    pub answered_at: Option<Timestamp>,
    /// The status of the answer.
    pub status: u16,
    /// Its body.
    pub body: Value,
    /// How often it was asked.
    pub tries: u32,
}

impl Answer {
    /// The body of a 201.
    ///
    /// # Panics
    /// When it is something else.
    #[must_use]
    pub fn created(self) -> Value {
        assert_eq!(self.status, 201, "{}", self.body);
        self.body
    }

    /// Whether it was done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.answered_at.is_some() && (200..300).contains(&self.status)
    }
}

impl Client {
    /// Of this person.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn of(world: &World, person: &Person) -> Self {
        let http = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        Self { http, api: world.api.clone(), token: person.token.clone() }
    }

    /// The same connections for another person.
    #[must_use]
    pub fn with(&self, person: &Person) -> Self {
        Self { token: person.token.clone(), ..self.clone() }
    }

    /// Once, however often it has to be asked.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let key = Uuid::now_v7().to_string();
        self.insist(Method::POST, path, Some(body), &[("Idempotency-Key", &key)]).await
    }

    /// Whatever version there is.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.insist(Method::PATCH, path, Some(body), &[("If-Match", "*")]).await
    }

    /// Asked twice it is the same.
    pub async fn put(&self, path: &str) -> Answer {
        self.insist(Method::PUT, path, None, &[]).await
    }

    /// Whatever version there is.
    pub async fn delete(&self, path: &str) -> Answer {
        self.insist(Method::DELETE, path, None, &[("If-Match", "*")]).await
    }

    /// Looks.
    pub async fn get(&self, path: &str) -> Answer {
        self.insist(Method::GET, path, None, &[]).await
    }

    async fn insist(&self, method: Method, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Answer {
        let (asked_at, deadline) = (now(), Instant::now() + PATIENCE);
        let mut answer = Answer { asked_at, answered_at: None, status: 0, body: Value::Null, tries: 0 };
        while Instant::now() < deadline {
            answer.tries += 1;
            if let Some((status, body)) = self.ask(&method, path, body, headers).await {
                (answer.status, answer.body) = (status, body);
                let again = status >= 500 || status == 429 || answer.body["code"] == "still_running";
                if !again {
                    answer.answered_at = Some(now());
                    break;
                }
            }
            sleep(PAUSE).await;
        }
        answer
    }

    /// One try; none when nobody can tell what came of it.
    async fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Option<(u16, Value)> {
        let request = self.http.request(method.clone(), self.api.join(path).ok()?).bearer_auth(&self.token);
        let request = body.into_iter().fold(request, reqwest::RequestBuilder::json);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        // An answer that was cut off is none.
        let text = response.text().await.ok()?;
        if text.is_empty() {
            return Some((status, Value::Null));
        }
        serde_json::from_str(&text).ok().map(|body| (status, body))
    }
}
