//! Where a request comes from, and what a deployment behind TLS tells browsers.

use harness::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

/// From where the audit log says that a request came, which claims to come from two places.
async fn seen(app: &TestApp) -> Value {
    let team = app.team().await;
    let role = format!("/members/{}/role", team.member.id);
    let request = team.owner.request(Method::PUT, &role).json(&json!({ "role": "admin" }));
    let request = request.header("X-Forwarded-For", "203.0.113.9").header("X-Forwarded-For", "192.0.2.7");
    let _ = team.owner.send(request, role).await.is(200);
    let events = team.owner.get("/audit?action=member.role_changed").await.is(200).json();
    events["data"][0]["address"].clone()
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_about_whom_it_has_seen() {
    let app = TestApp::with_settings(&[("TASKBELL_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    assert_eq!(seen(&app).await, "192.0.2.7", "the last one is the proxy's word, the first the client's");
}

#[tokio::test]
async fn whoever_is_no_proxy_is_where_they_are() {
    let app = TestApp::start().await;
    assert_eq!(seen(&app).await, "127.0.0.1");
}

#[tokio::test]
async fn behind_tls_browsers_are_told_never_to_do_without() {
    let app = TestApp::with_settings(&[("TASKBELL_BASE_URL", "https://tasks.example.org")]).await;
    let header = |reply: harness::Reply| reply.header("strict-transport-security").map(str::to_owned);
    let told = header(app.stranger().get("/livez").await.is(200));
    assert_eq!(told.as_deref(), Some("max-age=31536000; includeSubDomains"));
    let plain = TestApp::start().await;
    assert_eq!(header(plain.stranger().get("/livez").await.is(200)), None);
}
