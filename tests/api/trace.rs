//! A request is found again: in the client's trace, in our log, and when a handler panics.

use harness::{Log, Reply, TestApp};
use reqwest::Method;
use rocket::{get, routes};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn ask(app: &TestApp, path: &str, traceparent: &str, id: &str) -> Reply {
    let request = app.stranger().request(Method::GET, path).header("traceparent", traceparent);
    app.stranger().send(request.header("X-Request-Id", id), format!("{path} {traceparent}")).await
}

/// The line of the log that has all of `words`.
fn line(log: &Log, words: &[&str]) -> String {
    let text = log.text();
    let found = text.lines().find(|line| words.iter().all(|word| line.contains(word)));
    found.unwrap_or_else(|| panic!("no line has {words:?}")).to_owned()
}

#[tokio::test]
async fn a_trace_goes_on_in_the_answer_and_in_the_log() {
    let log = Log::listen();
    let app = TestApp::start().await;
    let reply = ask(&app, "/v1/me", &format!("00-{TRACE}-00f067aa0ba902b7-01"), "in-a-trace").await.is(401);
    let told = reply.header("traceparent").unwrap().to_owned();
    let parts: Vec<&str> = told.split('-').collect();
    assert!(matches!(parts[..], ["00", TRACE, span, "01"] if span.len() == 16 && span != "00f067aa0ba902b7"), "{told}");
    line(&log, &["in-a-trace", "request", &format!("trace_id=\"{TRACE}\""), "status=401"]);
    let again = ask(&app, "/v1/me", &format!("00-{TRACE}-00f067aa0ba902b7-00"), "another").await;
    assert_ne!(again.header("traceparent").unwrap()[36..52], told[36..52], "each request is a span of its own");

    for (malformed, id) in [("", "t1"), ("nonsense", "t2"), (&format!("00-{TRACE}-00f067aa0ba902b7"), "t3")] {
        let reply = ask(&app, "/v1/me", malformed, id).await.is(401);
        assert_eq!(reply.header("traceparent"), None);
        assert!(!line(&log, &[&format!("request_id=\"{id}\""), "status=401"]).contains("trace_id"));
    }
    let two = app.stranger().request(Method::GET, "/v1/me");
    let two = two.header("traceparent", told.clone()).header("traceparent", told);
    assert_eq!(app.stranger().send(two, "two".to_owned()).await.is(401).header("traceparent"), None);

    let ada = app.person("ada").await;
    app.lose_the_database().await;
    let request = ada.request(Method::GET, "/v1/me");
    let request =
        request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01")).header("X-Request-Id", "lost");
    app.stranger().send(request, "lost".to_owned()).await.is_problem(503, "unavailable");
    line(&log, &["a request failed", "lost", TRACE]);
}

#[get("/panic")]
fn panic() -> &'static str {
    panic!("the secret of the handler");
}

#[tokio::test]
async fn a_panic_is_a_500_without_detail_and_the_process_lives_on() {
    let log = Log::listen();
    let app = TestApp::with_routes(routes![panic]).await;
    for turn in 0..20 {
        let id = format!("panic-{turn}");
        let reply = ask(&app, "/v1/test/panic", &format!("00-{TRACE}-00f067aa0ba902b7-01"), &id).await;
        assert!(!reply.text().contains("secret"), "{}", reply.text());
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.is_problem(500, "internal")["request_id"], id);
        line(&log, &["ERROR", "a handler panicked", &id, TRACE]);
    }
    let _ = app.stranger().get("/readyz").await.is(200);
}
