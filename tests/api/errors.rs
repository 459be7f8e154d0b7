use harness::TestApp;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn every_refusal_is_a_problem_document_rockets_own_included() {
    let app = TestApp::start().await;
    let (stranger, ada) = (app.stranger(), app.person("ada").await);
    stranger.get("/nowhere").await.is_problem(404, "not_found");
    stranger.get("/v1/me").await.is_problem(401, "unauthenticated");
    ada.get("/v1/accounts").await.is_problem(405, "method_not_allowed");
    ada.get("/v1/orgs/acme/tasks/not-an-id").await.is_problem(404, "not_found");
    ada.get("/v1/orgs/NOT%20A%20SLUG/tasks").await.is_problem(404, "not_found");
    ada.get("/v1/orgs/%ff/tasks").await.is_problem(404, "not_found");

    let send = async |body: Vec<u8>, media: &str| {
        let request = ada.request(Method::POST, "/v1/orgs").header("Content-Type", media).body(body);
        ada.send(request, "POST /v1/orgs".to_owned()).await
    };
    send(b"{\"slug\":".to_vec(), "application/json").await.is_problem(400, "malformed_json");
    send(b"\xff\xfe".to_vec(), "application/json").await.is_problem(400, "malformed_json");
    send(b"{} {}".to_vec(), "application/json").await.is_problem(400, "malformed_json");
    send(b"{\"slug\":\"a\",\"slug\":\"b\"}".to_vec(), "application/json").await.is_problem(400, "malformed_json");
    send(b"slug=acme".to_vec(), "application/x-www-form-urlencoded").await.is_problem(415, "not_json");
    send(vec![b' '; 257 * 1024], "application/json").await.is_problem(413, "too_large");
    send("[".repeat(60_000).into_bytes(), "application/json").await.is_problem(400, "malformed_json");
}

#[tokio::test]
async fn the_longest_description_fits_however_it_is_written() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    // As a client writes it that keeps to ASCII.
    let bells = "\\ud83d\\udd14".repeat(20_000);
    let body = format!("{{\"project\":\"{project}\",\"title\":\"Ring\",\"description\":\"{bells}\"}}");
    let request = team.owner.request(Method::POST, "/tasks").header("Content-Type", "application/json").body(body);
    let task = team.owner.send(request, "POST /tasks".to_owned()).await.is(201);
    assert_eq!(task.text_at("/description").chars().count(), 20_000);
}

#[tokio::test]
async fn all_faults_of_a_body_are_listed_at_once() {
    let app = TestApp::start().await;
    let problem = app
        .stranger()
        .post("/v1/accounts", json!({ "email": "nonsense", "password": "short", "admin": true }))
        .await
        .is_problem(422, "invalid");
    let mut faults: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [("/admin", "unknown"), ("/email", "not_an_email"), ("/name", "missing"), ("/password", "password_length")]
    );
    assert!(!problem.to_string().contains("short"), "a problem never repeats a value: {problem}");
}

#[tokio::test]
async fn thousands_of_faults_make_no_megabytes() {
    let app = TestApp::start().await;
    let body: String = format!("{{{}}}", (0..4_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(","));
    let ada = app.stranger();
    let request = ada.request(Method::POST, "/v1/accounts").header("Content-Type", "application/json").body(body);
    let reply = ada.send(request, "POST /v1/accounts".to_owned()).await.is(422);
    assert!(reply.text().len() < 64 * 1024, "{}", reply.text().len());
}

#[tokio::test]
async fn the_credential_is_looked_at_before_the_path() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let stranger = app.stranger().within(&team.slug);
    stranger.put("/members/not-an-id/role", json!({ "role": "guest" })).await.is_problem(401, "unauthenticated");
    stranger.get("/tasks/not-an-id").await.is_problem(401, "unauthenticated");
    team.owner.put("/members/not-an-id/role", json!({ "role": "guest" })).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_405_names_the_methods_there_are() {
    let app = TestApp::start().await;
    let reply = app.stranger().put("/v1/orgs", json!({})).await.is(405);
    assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
}

#[tokio::test]
async fn the_query_string_is_read_strictly() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for query in ["colour=red", "limit=0", "limit=201", "limit=ten", "status=maybe", "project=1", "limit=5&limit=6"] {
        team.owner.get(&format!("/tasks?{query}")).await.is_problem(400, "invalid_query");
    }
    let _ = team.owner.get("/tasks?limit=200&status=open").await.is(200);
}

#[tokio::test]
async fn a_decent_request_id_is_kept_and_another_is_replaced() {
    let app = TestApp::start().await;
    let ask = async |id: &str| {
        let ada = app.stranger();
        let request = ada.request(Method::GET, "/v1/me").header("X-Request-Id", id);
        ada.send(request, "GET /v1/me".to_owned()).await.is_problem(401, "unauthenticated")["request_id"].clone()
    };
    assert_eq!(ask("trace-42").await, "trace-42");
    assert_ne!(ask("a b; c").await, "a b; c");
    assert_ne!(ask(&"x".repeat(65)).await, "x".repeat(65));
}

#[tokio::test]
async fn a_credential_that_cannot_be_one_is_a_401() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    for header in ["", "Bearer", "Bearer ", "Basic YWRhOng=", "Bearer tbs_", "Bearer tbs_'; select 1; --", "Bearer xyz"]
    {
        let request = app.stranger().request(Method::GET, "/v1/me").header("Authorization", header);
        let reply = ada.send(request, format!("Authorization: {header}")).await;
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        reply.is_problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_keep_their_hands_off() {
    let app = TestApp::start().await;
    for path in ["/livez", "/nowhere"] {
        let reply = app.stranger().get(path).await;
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
        assert_eq!(reply.header("server"), None);
    }
}

#[tokio::test]
async fn the_api_is_alive_and_ready() {
    let app = TestApp::start().await;
    let _ = app.stranger().get("/livez").await.is(200);
    let _ = app.stranger().get("/readyz").await.is(200);
}
