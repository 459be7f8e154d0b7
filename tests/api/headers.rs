//! What every answer says to browsers and caches, whatever was asked.

use harness::{Raw, Reply, TestApp, mounted_routes};
use reqwest::Method;
use rocket::{get, routes};
use uuid::Uuid;

const API: &str = "default-src 'none'; frame-ancestors 'none'";

/// Asserts the headers of every answer.
fn closed<'a>(what: &str, header: impl Fn(&str) -> Option<&'a str>) {
    assert_eq!(header("cache-control"), Some("no-store"), "{what}");
    assert_eq!(header("x-content-type-options"), Some("nosniff"), "{what}");
    assert_eq!(header("referrer-policy"), Some("no-referrer"), "{what}");
    let policy = header("content-security-policy").unwrap_or_else(|| panic!("{what}"));
    assert!(
        policy == API
            || (["/links", "/docs"].iter().any(|pages| what.contains(pages))
                && policy.contains("frame-ancestors 'none'")),
        "{what}: {policy}"
    );
    assert!(header("x-request-id").is_some_and(|id| !id.is_empty()), "{what}");
    for never in ["server", "x-powered-by", "set-cookie", "access-control-allow-origin"] {
        assert_eq!(header(never), None, "{what}");
    }
}

fn reply(reply: &Reply, what: &str) {
    closed(what, |name| reply.header(name));
}

fn raw(reply: &Raw, what: &str) {
    closed(what, |name| reply.header(name));
}

#[get("/panic")]
fn panic() -> &'static str {
    panic!("on purpose");
}

#[tokio::test]
async fn every_answer_of_every_route_is_closed() {
    let app = TestApp::with_routes(routes![panic]).await;
    let ada = app.person("ada").await;
    let mut asked = 0;
    for (method, pattern) in mounted_routes() {
        let segments = pattern.split('?').next().unwrap().split('/');
        let path = segments
            .map(|segment| if segment.starts_with('<') { Uuid::now_v7().to_string() } else { segment.to_owned() });
        let path = path.collect::<Vec<_>>().join("/");
        for method in [method.as_str(), "HEAD", "OPTIONS", "TRACE"] {
            for person in [&ada, &app.stranger()] {
                let request = person.request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
                let what = format!("{method} {path}");
                reply(&person.send(request, what.clone()).await, &what);
                asked += 1;
            }
        }
    }
    assert!(asked > 400, "{asked}");
    // The loop has ended ada's session.
    let ada = app.person("another").await;
    let etag = ada.get("/v1/me").await.is(200).header("etag").unwrap().to_owned();
    let again = ada.request(Method::GET, "/v1/me").header("If-None-Match", etag);
    reply(&ada.send(again, "GET again".to_owned()).await.is(304), "a 304");
    let long = format!("/v1/{}", "a".repeat(9_000));
    for (path, status) in [("/", 404), ("/v1/me/", 404), (&long, 414), ("/v1/test/panic", 500), ("/links/nowhere", 404)]
    {
        reply(&ada.get(path).await.is(status), path);
    }
    for line in ["BREW /v1/me", "OPTIONS *", "CONNECT a:443"] {
        raw(&app.raw(format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await, line);
    }
}
