use harness::{Figures, TestApp};

#[tokio::test]
async fn what_the_api_shows_is_what_was_asked() {
    let address = Figures::address();
    let app =
        TestApp::with_settings(&[("TASKBELL_METRICS_ADDRESS", &address), ("TASKBELL_RATE_CREDENTIAL", "3/600")]).await;
    let ada = app.person("ada").await;
    for status in [200, 200, 200, 429] {
        let _ = ada.get("/v1/me").await.is(status);
    }
    let _ = app.stranger().get("/v1/me").await.is(401);
    let _ = app.stranger().get("/v1/orgs/some-secret-name/tasks/OPS-1").await.is(401);

    let figures = Figures::at(&address).await;
    for (name, value) in [
        ("taskbell_http_requests_total{method=\"GET\",route=\"/v1/me\",status=\"2xx\"}", 3.0),
        ("taskbell_http_requests_total{method=\"GET\",route=\"/v1/me\",status=\"4xx\"}", 1.0),
        ("taskbell_http_requests_total{method=\"GET\",route=\"none\",status=\"4xx\"}", 1.0),
        ("taskbell_http_request_duration_seconds_count{method=\"GET\",route=\"/v1/me\"}", 4.0),
        ("taskbell_http_requests_refused_total{bucket=\"credential\"}", 1.0),
    ] {
        assert!((figures.of(name) - value).abs() < 0.5, "{name}: {}", figures.page);
    }
    let connections =
        ["used", "idle"].map(|state| figures.of(&format!("taskbell_database_connections{{state=\"{state}\"}}")));
    assert!((1.0..=4.0).contains(&connections.iter().sum()), "{}", figures.page);
    for word in ["some-secret-name", "OPS-1", "@", &ada.id.to_string()] {
        assert!(!figures.page.contains(word), "{word}: {}", figures.page);
    }
    for name in figures.names() {
        let page = include_str!("../../docs/operations.md");
        assert!(page.contains(&format!("`{name}")), "docs/operations.md does not name {name}");
    }
    // On its own port alone.
    let _ = app.stranger().get("/metrics").await.is(404);
}
