//! A client of the API, as somebody's script would have one.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::time::sleep;
use url::Url;

use crate::Failure;

/// Speaks to one deployment, as nobody or as somebody.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    api: Url,
    token: Option<String>,
}

impl Client {
    pub(super) fn new(api: &Url) -> Result<Self, Failure> {
        // No idle connections: one that is kept alive makes the API's stop take its whole grace.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build()?;
        Ok(Self { http, api: api.clone(), token: None })
    }

    pub(super) fn signed_in(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::GET, path, None, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some(body), None).await
    }

    /// What is done once for this key, however often it is sent.
    pub(super) async fn post_once(&self, key: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some(body), Some(key)).await
    }

    pub(super) async fn put(&self, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.send(Method::PUT, path, body, None).await
    }

    /// The answer; anything but a 2xx is a failure that says what was asked and what was answered.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Value, Failure> {
        let mut request = self.http.request(method.clone(), self.api.join(path)?);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = patiently(&request).await.map_err(|fault| format!("{method} {path}: {fault}"))?;
        let status = answer.status();
        let text = answer.text().await?;
        if status.is_success() {
            Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
        } else {
            Err(format!("{method} {path} was answered with {status}: {text}").into())
        }
    }
}

/// Sends it; an API that is being started again is waited for. Only a refused connection is tried again: nothing was asked yet.
async fn patiently(request: &RequestBuilder) -> Result<Response, Failure> {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let request = request.try_clone().ok_or("the body cannot be sent twice")?;
        match request.send().await {
            Err(fault) if fault.is_connect() && Instant::now() < deadline => sleep(Duration::from_millis(100)).await,
            answer => return Ok(answer?),
        }
    }
}

/// A string of an answer that must be there.
pub(super) fn text<'a>(answer: &'a Value, pointer: &str) -> Result<&'a str, Failure> {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("the answer has no {pointer}: {answer}").into())
}
