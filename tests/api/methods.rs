//! Methods and media types: what is refused, is refused in the words that the standard has for it.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Actor, Raw, Reply, TestApp, mounted_routes};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

/// Every mounted path, with something in each place that names something, and the methods that are mounted there.
fn paths() -> BTreeMap<String, BTreeSet<String>> {
    let mut paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let id = Uuid::now_v7().to_string();
    for (method, pattern) in mounted_routes() {
        let segments = pattern.split('?').next().unwrap().split('/');
        let path = segments.map(|segment| if segment.starts_with('<') { id.as_str() } else { segment });
        paths.entry(path.collect::<Vec<_>>().join("/")).or_default().insert(method);
    }
    paths
}

async fn ask(actor: &Actor, method: &str, path: &str) -> Reply {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    actor.send(actor.request(method.clone(), path), format!("{method} {path}")).await
}

async fn raw(app: &TestApp, line: &str) -> Raw {
    app.raw(format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await
}

fn listed(allow: Option<&str>) -> Vec<String> {
    allow.unwrap_or_else(|| panic!("no Allow")).split(", ").map(str::to_owned).collect()
}

#[tokio::test]
async fn every_path_says_which_methods_it_has_to_everybody() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    for (path, mut methods) in paths() {
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        methods.insert("OPTIONS".to_owned());
        let told = ask(&stranger, "OPTIONS", &path).await.is(204);
        let allow = listed(told.header("allow"));
        assert!(methods.iter().all(|method| allow.contains(method)), "{path}: {allow:?} {methods:?}");
        assert_eq!(told.text(), "");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
            let reply = ask(&stranger, method, &path).await;
            if allow.contains(&method.to_owned()) {
                assert!(!matches!(reply.status(), 405 | 406), "{method} {path}: {}", reply.status());
            } else {
                let reply = reply.is(405);
                assert_eq!(listed(reply.header("allow")), allow, "{method} {path}");
                assert_eq!(reply.text().is_empty(), method == "HEAD", "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_method_that_nobody_knows_is_a_405_with_everything_that_belongs_to_an_answer() {
    let app = TestApp::start().await;
    for line in ["BREW /v1/orgs", "PROPFIND /v1/orgs", "get /v1/orgs"] {
        let reply = raw(&app, line).await;
        assert_eq!(reply.status(), 405, "{line}: {}", reply.text);
        assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS, POST"), "{line}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(reply.header("x-request-id").is_some_and(|id| reply.body().contains(id)), "{}", reply.text);
    }
    assert_eq!(raw(&app, "BREW /v1/coffee").await.status(), 404);
    assert_eq!(raw(&app, "BREW /links/verify/x").await.header("content-type"), Some("text/html; charset=utf-8"));
    // What has no path at all.
    for line in ["OPTIONS *", "CONNECT a:443", "GET http://a/v1/nowhere"] {
        let reply = raw(&app, line).await;
        assert!((400..500).contains(&reply.status()), "{line}: {}", reply.text);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{line}: {}", reply.text);
    }
}

#[tokio::test]
async fn options_of_nothing_is_a_404_and_tells_nothing_about_ids() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for path in ["/v1/nowhere", "/nowhere", "/links/nowhere", "/v1/orgs/a/nowhere", "/-", "/links/-"] {
        let _ = ask(&app.stranger(), "OPTIONS", path).await.is(404);
    }
    let looks = [team.id.to_string(), team.slug.clone(), "no-such-team".to_owned()];
    let mut seen = Vec::new();
    for org in looks {
        seen.push(ask(&app.stranger(), "OPTIONS", &format!("/v1/orgs/{org}")).await.is(204).appearance());
    }
    assert!(seen.iter().all(|look| *look == seen[0]), "{seen:?}");
}

#[tokio::test]
async fn head_is_answered_like_get_but_for_the_body() {
    let app = TestApp::start().await;
    let team = app.team().await;
    team.project("OPS", "open").await;
    for path in ["/livez", "/v1/me", "/v1/orgs", "/v1/me/nowhere", &format!("/v1/orgs/{}/projects", team.slug)] {
        let (get, head) = (ask(&team.owner, "GET", path).await, ask(&team.owner, "HEAD", path).await);
        assert_eq!(get.header("content-length"), Some(get.text().len().to_string().as_str()), "{path}");
        let look = |reply: &Reply| reply.appearance().split("\n\n").next().unwrap().to_owned();
        assert_eq!(look(&head).replace("date", ""), look(&get).replace("date", ""), "{path}");
        assert_eq!(head.text(), "", "{path}");
    }
    app.stranger().get("/v1/me").await.is_problem(401, "unauthenticated");
    assert_eq!(ask(&app.stranger(), "HEAD", "/v1/me").await.is(401).text(), "");
}

#[tokio::test]
async fn a_place_has_one_name() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let _ = ada.get("/v1/me").await.is(200);
    for path in [
        "/v1/me/",
        "/v1//me",
        "//v1/me",
        "/v1/me//",
        "/v1/me/?x=1",
        "/livez/",
        "//livez",
        "/v1/me/./",
        "/v1/x/../me",
        "/v1/Me",
    ] {
        assert_eq!(raw(&app, &format!("GET {path}")).await.status(), 404, "{path}");
    }
    ada.get("/v1/orgs/").await.is_problem(404, "not_found");
    assert_eq!(raw(&app, "GET /links//").await.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn a_body_is_json_in_utf_8_and_says_so() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let send = async |method: Method, path: &str, media: Option<&str>| {
        let request = ada.request(method, path).body(r#"{"name": "Ada"}"#);
        let request = media.into_iter().fold(request, |request, media| request.header("Content-Type", media));
        ada.send(request, format!("{path} {media:?}")).await
    };
    for media in [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/merge-patch+json",
    ] {
        let _ = send(Method::PATCH, "/v1/me", Some(media)).await.is(200);
    }
    for media in [
        None,
        Some("text/plain"),
        Some("text/json"),
        Some("application/json; charset=utf-16"),
        Some("application/json; charset=iso-8859-1"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/merge-patch+json; charset=latin1"),
        Some("application/json-patch+json"),
        Some("nonsense"),
    ] {
        let reply = send(Method::PATCH, "/v1/me", media).await;
        assert!(reply.header("accept-patch").is_some() || reply.header("accept").is_some(), "{media:?}");
        reply.is_problem(415, "not_json");
    }
    // Only a PATCH is a merge patch.
    send(Method::POST, "/v1/orgs", Some("application/merge-patch+json")).await.is_problem(415, "not_json");
    for (coding, status) in [("gzip", 415), ("br, gzip", 415), ("identity", 200)] {
        let request = ada.request(Method::PATCH, "/v1/me").json(&json!({})).header("Content-Encoding", coding);
        let reply = ada.send(request, coding.to_owned()).await.is(status);
        assert_eq!(reply.header("accept-encoding"), (status == 415).then_some("identity"));
    }
}

#[tokio::test]
async fn a_form_does_not_change_the_method() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let before = ada.get("/v1/me/sessions").await.is(200).json()["data"].clone();
    let request = ada.request(Method::POST, "/v1/me/sessions/current").body("_method=delete");
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    ada.send(request, "a form".to_owned()).await.is_problem(415, "not_json");
    assert_eq!(ada.get("/v1/me/sessions").await.is(200).json()["data"][0]["id"], before[0]["id"]);
}

#[tokio::test]
async fn a_body_that_nobody_asked_for_is_not_read() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let suspension = format!("/members/{}/suspension", team.member.id);
    for body in ["", "null", "{", "\u{0}"] {
        let request = team.owner.request(Method::PUT, &suspension).body(body);
        let _ = team.owner.send(request, format!("{body:?}")).await.is(200);
        let _ =
            team.owner.send(team.owner.request(Method::GET, "/members").body(body), format!("{body:?}")).await.is(200);
    }
}

#[tokio::test]
async fn who_takes_no_json_gets_a_406_before_anything_is_done() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let ask = async |method: Method, path: &str, accept: &[&str]| {
        let request = ada.request(method, path).json(&json!({ "slug": "acme", "name": "Acme" }));
        let request = accept.iter().fold(request, |request, accept| request.header("Accept", *accept));
        ada.send(request, format!("{path} {accept:?}")).await
    };
    for accept in
        [&["text/html"][..], &["application/json;q=0"], &["*/*;q=0"], &["text/*", "image/png"], &["application/xml"]]
    {
        ask(Method::POST, "/v1/orgs", accept).await.is_problem(406, "not_acceptable");
        ask(Method::GET, "/v1/me", accept).await.is_problem(406, "not_acceptable");
    }
    assert_eq!(ada.get("/v1/orgs").await.is(200).json()["data"], json!([]));
    for accept in [
        &["*/*"][..],
        &["application/*"],
        &["text/html", "application/json;q=0.1"],
        &["application/problem+json"],
        &["text/html,*/*;q=0.8"],
        &[""],
    ] {
        let _ = ask(Method::GET, "/v1/me", accept).await.is(200);
    }
    // A route that offers something else says so.
    let team = app.team().await;
    let table = async |accept: &str| {
        let request = team.owner.request(Method::GET, "/tasks.csv").header("Accept", accept);
        team.owner.send(request, accept.to_owned()).await
    };
    for accept in ["text/csv", "text/*", "*/*", "text/csv;q=0.5, text/html;q=0.1"] {
        let _ = table(accept).await.is(200);
    }
    for accept in ["application/json", "text/html", "text/csv;q=0"] {
        let detail = table(accept).await.is_problem(406, "not_acceptable")["detail"].clone();
        assert_eq!(detail, "Accept excludes what there is: text/csv.", "{accept}");
    }
    // What is for people and for probes is not asked about.
    let _ = ask(Method::GET, "/livez", &["text/html"]).await.is(200);
    let _ = ask(Method::GET, "/links/style.css", &["application/json"]).await.is(200);
}

#[tokio::test]
async fn what_is_created_says_where_it_is() {
    let app = TestApp::start().await;
    let team = app.team().await;
    app.give_password(&team.owner).await;
    let project = team.project("OPS", "open").await;
    let labels = format!("/projects/{project}/labels");
    let created = [
        ("/v1/orgs", json!({ "slug": "elsewhere", "name": "Elsewhere" }), "id"),
        ("/projects", json!({ "key": "DEV", "name": "Development" }), "id"),
        (&labels, json!({ "name": "urgent" }), "id"),
        ("/tasks", json!({ "project": project, "title": "Look" }), "id"),
        ("/tasks/OPS-1/comments", json!({ "body": "Well?" }), "id"),
        ("/roles", json!({ "key": "clerk", "name": "Clerk", "permissions": ["tasks:read"] }), "key"),
    ];
    for (path, body, name) in created {
        let reply = team.owner.post(path, body).await.is(201);
        let place = reply.header("location").unwrap_or_else(|| panic!("{path}")).to_owned();
        let shown = team.owner.get(&place).await.is(200).json();
        assert_eq!(shown[name], reply.json()[name], "{place}");
        assert!(place.ends_with(shown[name].as_str().unwrap()), "{place}");
    }
    // Of others there is no asking by itself.
    let reminder = json!({ "when": { "at": "2041-01-01T00:00:00Z" }, "to": "me" });
    let reply = team.owner.post("/tasks/OPS-1/reminders", reminder).await.is(201);
    assert_eq!(reply.header("location"), None);
}
