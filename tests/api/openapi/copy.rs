use std::{collections::BTreeSet, fs, path::Path};

use harness::{TestApp, mounted_routes};
use serde_json::Value;

/// What is mounted beside the operations of the API: pages for people, and the description itself.
const BESIDE: [&str; 3] = ["/links", "/docs", "/openapi.json"];

fn operations(description: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = description["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, it)| (path, method, it)))
}

#[test]
fn the_committed_description_is_the_one_of_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&api::description(None)).unwrap());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    let differs = committed.lines().zip(now.lines()).position(|(was, is)| was != is);
    let place = differs.map_or("at its end".to_owned(), |line| format!("in line {}", line + 1));
    let update = "UPDATE_OPENAPI=1 cargo test -p tests --test api committed_description";
    assert!(committed == now, "docs/openapi.json differs {place}; look at what changes for clients, then: {update}");
}

#[tokio::test]
async fn every_route_is_described_and_nothing_else_is() {
    let braces = |path: String| path.replace("<_>", "{org}").replace('<', "{").replace('>', "}");
    let mounted =
        mounted_routes().into_iter().filter(|(_, path)| !BESIDE.iter().any(|beside| path.starts_with(beside)));
    let mounted: BTreeSet<(String, String)> =
        mounted.map(|(method, path)| (method.to_lowercase(), braces(path))).collect();
    let description = api::description(None);
    let described: BTreeSet<(String, String)> =
        operations(&description).map(|(path, method, _)| (method.clone(), path.clone())).collect();
    assert_eq!(mounted, described);
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_an_example_of_its_body() {
    let description = api::description(None);
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&description) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} twice");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.ends_with('.')), "{method} {path}");
        let body = &operation["requestBody"]["content"]["application/json"];
        assert!(body.is_null() || body["example"].is_object(), "{method} {path}: {body}");
        assert_eq!(path.matches('{').count(), parameters(operation, "path"), "{method} {path}");
    }
}

#[test]
fn every_operation_says_more_than_who_may_do_it() {
    let description = api::description(None);
    for (path, method, operation) in operations(&description) {
        let said = operation["description"].as_str().unwrap();
        let (about, needs) = said.split_once("\n\n").unwrap_or_else(|| panic!("{method} {path}: {said}"));
        assert!(about.len() > 20 && about.ends_with('.') && needs.ends_with('.'), "{method} {path}: {said}");
    }
}

fn parameters(operation: &Value, place: &str) -> usize {
    operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == place).count()
}

#[test]
fn who_may_call_is_said_of_every_operation() {
    let description = api::description(None);
    for (path, method, operation) in operations(&description) {
        let open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(open, operation["x-permission"].is_null(), "{method} {path}");
        assert_eq!(
            open,
            operation["responses"]["401"].is_null()
                || !path.starts_with("/v1/me") && !path.contains("{org}") && path != "/v1/orgs",
            "{method} {path}"
        );
    }
    assert_eq!(description["paths"]["/v1/orgs/{org}/tasks"]["post"]["x-permission"], "tasks:write");
    assert_eq!(description["paths"]["/v1/me"]["get"]["x-permission"], "me:read");
}

#[tokio::test]
async fn the_description_is_served_with_the_address_of_the_deployment() {
    let app = TestApp::with_settings(&[("TASKBELL_BASE_URL", "https://tasks.example.org")]).await;
    let served = app.stranger().get("/openapi.json").await.is(200);
    assert_eq!(served.header("content-type"), Some("application/json"));
    let mut served = served.json();
    assert_eq!(served["servers"][1]["url"], "https://tasks.example.org");
    served["servers"].as_array_mut().unwrap().pop();
    assert_eq!(served, api::description(None));
}
