use common::ids::AccountId;
use reqwest::Method;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::{Reply, TestApp, contract};

/// Somebody who acts: signed in or not, in an organization or not.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Their account.
    pub id: AccountId,
    /// Their address.
    pub email: String,
    pub(crate) token: Option<String>,
    pub(crate) api: Url,
    pub(crate) org: Option<String>,
    pub(crate) http: reqwest::Client,
}

impl Actor {
    /// The same person in an organization: paths are then relative to it.
    #[must_use]
    pub fn within(&self, org: &str) -> Self {
        Self { org: Some(org.to_owned()), ..self.clone() }
    }

    /// What they prove themselves with.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same client with another token, or none.
    #[must_use]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    /// The same person, asking where the API answers now.
    #[must_use]
    pub fn after_the_restart_of(&self, app: &TestApp) -> Self {
        Self { api: app.api.clone(), ..self.clone() }
    }

    /// Asks.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path), format!("GET {path}")).await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&body), format!("POST {path} {body}")).await
    }

    /// Sends JSON.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(&body), format!("PUT {path} {body}")).await
    }

    /// Sends JSON, whatever version there is.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PATCH, path).json(&body), format!("PATCH {path} {body}")).await
    }

    /// Sends JSON for a version.
    pub async fn patch_if(&self, tag: &str, path: &str, body: Value) -> Reply {
        let request = self.bare(Method::PATCH, path).header("If-Match", tag).json(&body);
        self.send(request, format!("PATCH {path} {body} if {tag}")).await
    }

    /// Takes away, whatever version there is.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path), format!("DELETE {path}")).await
    }

    /// Takes a version away.
    pub async fn delete_if(&self, tag: &str, path: &str) -> Reply {
        let request = self.bare(Method::DELETE, path).header("If-Match", tag);
        self.send(request, format!("DELETE {path} if {tag}")).await
    }

    /// Takes away, whatever version there is, with JSON that says who does it.
    pub async fn delete_with(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::DELETE, path).json(&body), format!("DELETE {path} {body}")).await
    }

    /// Sends whatever the builder says. The answer must be one of those that the description of the API tells of.
    pub async fn send(&self, request: reqwest::RequestBuilder, name: String) -> Reply {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let reply = Reply::of(name, client.execute(request).await.unwrap()).await;
        contract::keeps(&method, &path, &reply);
        reply
    }

    /// A request of this person: `/v1/…` as it is, anything else within the organization. What takes a version takes any; what
    /// needs a key has one that nobody has used.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let header = match method {
            Method::PATCH | Method::DELETE => Some(("If-Match", "*".to_owned())),
            Method::POST if path.ends_with("/invitations") => Some(("Idempotency-Key", Uuid::now_v7().to_string())),
            _ => None,
        };
        let request = self.bare(method, path);
        header.into_iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// Sends JSON under a key.
    pub async fn post_once(&self, key: &str, path: &str, body: Value) -> Reply {
        let request = self.bare(Method::POST, path).header("Idempotency-Key", key).json(&body);
        self.send(request, format!("POST {path} {body} as {key}")).await
    }

    /// The same with nothing said that the API does not ask of everybody.
    pub fn bare(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let path = match &self.org {
            Some(org) if !path.starts_with("/v1/") => format!("/v1/orgs/{org}{path}"),
            _ => path.to_owned(),
        };
        let request = self.http.request(method, self.api.join(&path).unwrap());
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}
