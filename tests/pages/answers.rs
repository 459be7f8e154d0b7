//! The answers behind the pages: headers, refusals, and what the log learns of them.

use harness::{Browser, Log, Reply, TestApp};
use reqwest::Method;

use crate::{people::sign_up, standards};

const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[track_caller]
fn is_page(reply: &Reply) {
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{}", reply.text());
    assert_eq!(reply.header("content-security-policy"), Some(POLICY));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "the token is in the address");
    assert_eq!(reply.header("server"), None);
    assert_eq!(reply.header("set-cookie"), None);
    assert!(
        !reply.text().contains("style=") && !reply.text().contains("http"),
        "nothing inline, nothing from elsewhere"
    );
}

#[tokio::test]
async fn pages_may_load_their_own_style_and_nothing_else() {
    let app = TestApp::start().await;
    let token = sign_up(&app, "ada@example.org", "Ada").await;
    let stranger = app.stranger();
    is_page(&stranger.get(&format!("/links/verify/{token}")).await.is(200));
    let style = stranger.get("/links/style.css").await.is(200);
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(style.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
    assert!(!style.text().contains("url(") && !style.text().contains("@import"));
}

#[tokio::test]
async fn a_refusal_where_people_read_is_a_page_and_elsewhere_a_problem() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    let ask = async |method: Method, path: &str| {
        stranger.send(stranger.request(method.clone(), path), format!("{method} {path}")).await
    };
    for path in ["/links", "/links/nowhere", "/links/verify", "/links/verify/a/b", "/links/%ff", "/links/verify/%ff"] {
        is_page(&ask(Method::GET, path).await.is(404));
    }
    let wrong = ask(Method::DELETE, "/links/verify/x").await.is(405);
    is_page(&wrong);
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
    ask(Method::GET, "/linksx").await.is_problem(404, "not_found");
    ask(Method::GET, "/v1/links/verify/x").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn without_the_database_a_page_says_to_come_back() {
    let app = TestApp::start().await;
    let token = sign_up(&app, "ada@example.org", "Ada").await;
    app.lose_the_database().await;
    let reply = app.stranger().get(&format!("/links/verify/{token}")).await.is(503);
    is_page(&reply);
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert!(reply.text().contains(reply.header("x-request-id").unwrap()), "what to name when asking for help");
    let mut browser = Browser::start().await;
    assert_eq!(browser.open(&app.url(&format!("/links/verify/{token}"))).await, 503);
    standards::hold(&mut browser, "refused-unavailable").await;
}

#[tokio::test]
async fn no_log_line_at_any_level_has_a_token_of_a_path() {
    let log = Log::listen();
    let app = TestApp::start().await;
    let token = sign_up(&app, "ada@example.org", "Ada").await;
    let stranger = app.stranger();
    let path = format!("/links/verify/{token}");
    let _ = stranger.get(&path).await.is(200);
    let _ = stranger.send(stranger.request(Method::POST, &path), path.clone()).await.is(200);
    let _ = stranger.get(&path).await.is(404);
    let _ = stranger.get(&format!("/links/nowhere/{token}")).await.is(404);
    let lines = log.text();
    assert!(lines.contains("/links/verify/<token>"), "the route is logged: {lines}");
    assert!(!lines.contains(&token));
}
