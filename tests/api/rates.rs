//! Whoever asks too often is told to wait, and everybody how much is left.

use harness::{Reply, TestApp};
use reqwest::Method;
use serde_json::json;

/// Three requests at once with one credential, eight from one address; then one in a thousand seconds.
const SLOW: &[(&str, &str)] = &[
    ("TASKBELL_RATE_CREDENTIAL", "3/3000"),
    ("TASKBELL_RATE_ADDRESS", "8/8000"),
    ("TASKBELL_TRUSTED_PROXIES", "127.0.0.0/8"),
];

fn told(reply: &Reply) -> (&str, &str) {
    (reply.header("ratelimit").unwrap(), reply.header("ratelimit-policy").unwrap())
}

async fn from(app: &TestApp, address: &str, method: Method, path: &str) -> Reply {
    let request = app.stranger().request(method, path).header("X-Forwarded-For", address);
    app.stranger().send(request, format!("{path} from {address}")).await
}

#[tokio::test]
async fn a_credential_has_its_own_bucket_and_every_answer_tells_what_is_left() {
    let app = TestApp::with_settings(SLOW).await;
    let (ada, eve) = (app.person("ada").await, app.person("eve").await);
    let policy = "\"address\";q=8;w=8000, \"credential\";q=3;w=3000";
    let first = ada.get("/v1/me").await.is(200);
    assert_eq!(told(&first), ("\"address\";r=7;t=1000, \"credential\";r=2;t=1000", policy));
    // A refusal counts, and a path that there is not.
    let second = ada.get("/v1/nowhere").await.is(404);
    assert_eq!(told(&second), ("\"address\";r=6;t=2000, \"credential\";r=1;t=2000", policy));
    let _ = ada.patch("/v1/me", json!({ "name": "" })).await.is(422);
    for method in [Method::GET, Method::POST] {
        let request = ada.request(method, "/v1/me").header("Content-Type", "nonsense").body("{");
        let reply = ada.send(request, "one more".to_owned()).await;
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((900..=1000).contains(&wait), "{wait}");
        assert!(told(&reply).0.ends_with(&format!("\"credential\";r=0;t={wait}")), "{:?}", told(&reply));
        let detail = reply.is_problem(429, "rate_limited")["detail"].as_str().unwrap().to_owned();
        assert_eq!(detail, format!("Too many requests of this credential; wait {wait} s."));
    }
    assert!(told(&eve.get("/v1/me").await.is(200)).0.contains("\"credential\";r=2"));
}

#[tokio::test]
async fn an_address_is_counted_whoever_asks_from_it() {
    let app = TestApp::with_settings(SLOW).await;
    let refused = async |address: &str, path: &str| {
        let reply = from(&app, address, Method::GET, path).await;
        assert!(reply.header("retry-after").unwrap().parse::<u64>().unwrap() > 900);
        reply.is(429)
    };
    for address in ["192.0.2.1", "2001:db8:1:2:3::1"] {
        for _ in 0..8 {
            let reply = from(&app, address, Method::POST, "/v1/sessions").await.is(415);
            assert!(!told(&reply).0.contains("credential"), "{:?}", told(&reply));
        }
        refused(address, "/v1/me").await.is_problem(429, "rate_limited");
    }
    // All of a network of 64 bits, a page for people, a credential that nobody has seen.
    refused("2001:db8:1:2:ffff::9", "/v1/nowhere").await.is_problem(429, "rate_limited");
    let page = refused("192.0.2.1", "/links/verify/x").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("Too many requests of this address"), "{}", page.text());
    let ada = app.person("ada").await;
    let request = ada.request(Method::GET, "/v1/me").header("X-Forwarded-For", "192.0.2.1");
    ada.send(request, "ada".to_owned()).await.is_problem(429, "rate_limited");
    // Others, and probes.
    let _ = from(&app, "192.0.2.2", Method::GET, "/v1/me").await.is(401);
    let _ = from(&app, "2001:db8:1:3::1", Method::GET, "/v1/me").await.is(401);
    for _ in 0..20 {
        let probe = from(&app, "192.0.2.1", Method::GET, "/livez").await.is(200);
        assert_eq!(probe.header("ratelimit"), None);
    }
}

#[tokio::test]
async fn what_is_refused_is_neither_read_nor_done() {
    let app = TestApp::with_settings(SLOW).await;
    let ada = app.person("ada").await;
    for _ in 0..3 {
        let _ = ada.get("/v1/me").await.is(200);
    }
    ada.patch("/v1/me", json!({ "name": "Countess" })).await.is_problem(429, "rate_limited");
    // The whole body need not have come; the first bytes Rocket reads before it asks anybody.
    let reply = app
        .raw(format!(
            "PATCH /v1/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: {}\r\n\
             Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{\"name\": \"Countess of",
            ada.request(Method::GET, "/").build().unwrap().headers()["authorization"].to_str().unwrap()
        ))
        .await;
    assert_eq!(reply.status(), 429, "{}", reply.text);
    let name: String = sqlx::query_scalar("select name from accounts").fetch_one(&app.admin).await.unwrap();
    assert_eq!(name, "ada");
}

#[tokio::test]
async fn rates_that_are_off_are_neither_counted_nor_told() {
    let app = TestApp::with_settings(&[("TASKBELL_RATE_CREDENTIAL", "2/60")]).await;
    let ada = app.person("ada").await;
    assert_eq!(told(&ada.get("/v1/me").await.is(200)), ("\"credential\";r=1;t=30", "\"credential\";q=2;w=60"));
    for _ in 0..20 {
        let reply = app.stranger().get("/v1/me").await.is(401);
        assert_eq!((reply.header("ratelimit"), reply.header("ratelimit-policy")), (None, None));
    }
}
