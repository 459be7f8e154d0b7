//! From which other sites' pages the API may be called.

use harness::{Reply, TestApp};
use reqwest::Method;

const OURS: &str = "https://app.example.org";
const SETTINGS: &[(&str, &str)] = &[("TASKBELL_CORS_ORIGINS", "http://localhost:5173, https://app.example.org")];

async fn ask(app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = app.stranger().request(method.clone(), path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    app.stranger().send(request, format!("{method} {path} {headers:?}")).await
}

fn allowed(reply: &Reply) -> Vec<(&'static str, &str)> {
    let names = [
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-allow-credentials",
        "access-control-expose-headers",
        "access-control-max-age",
    ];
    names.into_iter().filter_map(|name| Some((name, reply.header(name)?))).collect()
}

#[tokio::test]
async fn nobody_is_let_in_unless_the_operator_says_so() {
    let app = TestApp::start().await;
    let preflight = [("Origin", OURS), ("Access-Control-Request-Method", "PATCH")];
    for (method, status) in [(Method::OPTIONS, 204), (Method::GET, 401)] {
        let reply = ask(&app, method, "/v1/me", &preflight).await.is(status);
        assert_eq!((allowed(&reply), reply.header("vary")), (vec![], None));
    }
}

#[tokio::test]
async fn browsers_are_told_before_what_scripts_of_an_allowed_origin_may_send() {
    let app = TestApp::with_settings(SETTINGS).await;
    let asked = [
        ("Origin", OURS),
        ("Access-Control-Request-Method", "PATCH"),
        ("Access-Control-Request-Headers", "authorization,content-type,if-match"),
    ];
    let reply = ask(&app, Method::OPTIONS, "/v1/me", &asked).await.is(204);
    let told = |name: &str| reply.header(name).unwrap_or_default().to_lowercase();
    assert_eq!(told("access-control-allow-origin"), OURS);
    assert_eq!(told("access-control-allow-methods"), "get, head, options, patch");
    for header in
        ["authorization", "content-type", "if-match", "if-none-match", "idempotency-key", "x-request-id", "traceparent"]
    {
        assert!(told("access-control-allow-headers").split(", ").any(|known| known == header), "{header}");
    }
    assert_eq!(reply.header("vary"), Some("Origin"));
    assert_eq!(reply.header("access-control-allow-credentials"), None, "there are no cookies");
    assert_eq!(reply.header("access-control-max-age"), Some("7200"));
    let _ = ask(&app, Method::OPTIONS, "/v1/nowhere", &asked).await.is(404);
}

#[tokio::test]
async fn scripts_of_an_allowed_origin_read_answers_and_refusals_of_every_kind() {
    let app = TestApp::with_settings(&[SETTINGS[0], ("TASKBELL_RATE_ADDRESS", "6/60000")]).await;
    let long = format!("/v1/{}", "a".repeat(9_000));
    let refusals = [("/v1/me", 401), ("/v1/nowhere", 404), (&long, 414), ("/livez", 200), ("/v1/accounts", 405)];
    for (path, status) in refusals {
        let reply = ask(&app, Method::GET, path, &[("Origin", "http://localhost:5173")]).await.is(status);
        assert_eq!(reply.header("access-control-allow-origin"), Some("http://localhost:5173"), "{path}");
        let read = reply.header("access-control-expose-headers").unwrap();
        for header in ["ETag", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"] {
            assert!(read.split(", ").any(|known| known == header), "{header}");
        }
        assert_eq!(reply.header("access-control-allow-methods"), None, "{path}");
    }
    let _ = ask(&app, Method::GET, "/v1/me", &[("Origin", OURS), ("Accept", "text/html")]).await.is(406);
    let reply = ask(&app, Method::GET, "/v1/me", &[("Origin", OURS)]).await.is(401);
    assert_eq!(reply.header("access-control-allow-origin"), Some(OURS));
    let reply = ask(&app, Method::GET, "/v1/me", &[("Origin", OURS)]).await.is(429);
    assert_eq!(reply.header("access-control-allow-origin"), Some(OURS), "or the script could not see why");
    let unknown = format!("BREW /v1/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: {OURS}\r\n\r\n");
    let reply = app.raw(unknown).await;
    assert_eq!(reply.header("access-control-allow-origin"), Some(OURS), "{}", reply.text);
}

#[tokio::test]
async fn everybody_else_and_every_page_are_as_closed_as_without() {
    let app = TestApp::with_settings(SETTINGS).await;
    let others = [
        "https://app.example.org.evil.net",
        "https://evil.net",
        "http://app.example.org",
        "https://APP.example.org",
        "null",
        "*",
    ];
    for origin in others {
        for (method, status) in [(Method::OPTIONS, 204), (Method::GET, 401)] {
            let asked = [("Origin", origin), ("Access-Control-Request-Method", "GET")];
            let reply = ask(&app, method, "/v1/me", &asked).await.is(status);
            assert_eq!((allowed(&reply), reply.header("vary")), (vec![], Some("Origin")), "{origin}");
        }
    }
    let two = [("Origin", OURS), ("Origin", "https://evil.net")];
    assert_eq!(allowed(&ask(&app, Method::GET, "/v1/me", &two).await.is(401)), vec![]);
    // Without an origin, too: a cache must not keep this answer for the one with it.
    assert_eq!(ask(&app, Method::GET, "/v1/me", &[]).await.is(401).header("vary"), Some("Origin"));
    for path in ["/links/style.css", "/links/verify/x"] {
        assert_eq!(allowed(&ask(&app, Method::GET, path, &[("Origin", OURS)]).await), vec![], "{path}");
    }
}
