//! Personal access tokens: less than their owner, for one organization, for a while.

use harness::{Actor, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

async fn create(owner: &Actor, org: &str, scopes: &[&str]) -> Reply {
    owner.post("/v1/me/tokens", json!({ "name": "a script", "org": org, "scopes": scopes })).await
}

/// The owner's program.
async fn program(owner: &Actor, org: &str, scopes: &[&str]) -> Actor {
    let token = create(owner, org, scopes).await.is(201).text_at("/token");
    owner.with_token(Some(&token))
}

async fn delete(actor: &Actor, path: &str) -> Reply {
    actor.send(actor.request(Method::DELETE, path), format!("DELETE {path}")).await
}

#[tokio::test]
async fn a_token_is_shown_once_and_kept_as_a_hash() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let created = create(&team.member, &team.slug, &["tasks:read"]).await.is(201);
    let text = created.text_at("/token");
    assert!(text.starts_with("tbl_") && text.len() == 53, "{text}");
    let list = team.member.get("/v1/me/tokens").await.is(200);
    assert_eq!(list.json()["data"][0]["id"], created.json()["id"]);
    assert_eq!(list.json()["data"][0]["scopes"], json!(["tasks:read"]));
    assert!(!list.text().contains(&text[4..47]));
    let stored: Vec<String> = sqlx::query_scalar("select t::text from tokens t").fetch_all(&app.admin).await.unwrap();
    assert!(stored.len() == 1 && !stored[0].contains(&text[4..47]), "{stored:?}");
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_and_no_more() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let reader = program(&team.owner, &team.slug, &["tasks:read"]).await;
    let _ = reader.get("/tasks").await.is(200);
    let new = json!({ "project": project, "title": "Not by a reader" });
    reader.post("/tasks", new.clone()).await.is_problem(403, "permission_missing");
    reader.get("/audit").await.is_problem(403, "permission_missing");
    let writer = program(&team.owner, &team.slug, &["tasks:write"]).await;
    let task = writer.post("/tasks", new).await.is(201).text_at("/id");
    let completion = format!("/tasks/{task}/completion");
    // By assignment too, a token gives nothing beyond its scopes.
    let assigned = json!({ "project": project, "title": "Assigned", "assignees": [team.owner.id] });
    let task = writer.post("/tasks", assigned).await.is(201).text_at("/id");
    reader.put(&format!("/tasks/{task}/completion"), json!(null)).await.is_problem(403, "permission_missing");
    let _ = writer.put(&completion, json!(null)).await.is(200);
}

#[tokio::test]
async fn a_token_that_reads_no_tasks_sees_nothing_that_hangs_on_them() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Private to some programs", 3600).await;
    let data = async |actor: &Actor, path: &str| actor.get(path).await.is(200).json()["data"].clone();
    let reader = program(&team.member, &team.slug, &["tasks:read"]).await;
    let other = program(&team.member, &team.slug, &["projects:create"]).await;
    for path in ["/deliveries", "/projects"] {
        assert_eq!(data(&reader, path).await.as_array().unwrap().len(), 1, "{path}");
        assert_eq!(data(&other, path).await, json!([]), "{path}");
    }
    let delivery = data(&reader, "/deliveries").await[0]["id"].as_str().unwrap().to_owned();
    other.get(&format!("/deliveries/{delivery}")).await.is_problem(404, "not_found");
    other.get("/tasks").await.is_problem(403, "permission_missing");
    // Of the members it sees its owner.
    assert_eq!(data(&other, "/members").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_shows_its_owner_what_it_lets_through() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let reader = program(&team.owner, &team.slug, &["tasks:read"]).await;
    let explained = reader.get("/permissions").await.is(200).json();
    assert_eq!((&explained["permissions"], &explained["scopes"]), (&json!(["tasks:read"]), &json!(["tasks:read"])));
    let in_project = reader.get(&format!("/permissions?project={project}")).await.is(200).json();
    assert_eq!(in_project["permissions"], json!(["tasks:read"]));
    assert_eq!(in_project["grant"], "manager");
    assert_eq!(reader.get("").await.is(200).json()["permissions"], json!(["tasks:read"]));
}

#[tokio::test]
async fn a_token_is_for_its_organization_alone() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.team().await, app.team().await);
    // The same person in both.
    sqlx::query("insert into memberships (org_id, account_id, role) values ($1, $2, 'owner')")
        .bind(theirs.id.0)
        .bind(ours.owner.id.0)
        .execute(&app.admin)
        .await
        .unwrap();
    let token = program(&ours.owner, &ours.slug, &["tasks:read", "members:list"]).await;
    let _ = token.get("/members").await.is(200);
    let _ = ours.owner.within(&theirs.slug).get("/members").await.is(200);
    token.within(&theirs.slug).get("/members").await.is_problem(404, "not_found");
    token.within(&theirs.id.to_string()).get("/members").await.is_problem(404, "not_found");
    let outsider = app.person("outsider").await;
    create(&outsider, &ours.slug, &["tasks:read"]).await.is_problem(404, "not_found");
    create(&outsider, "no-such-team", &["tasks:read"]).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn nobody_gives_a_token_what_they_lack() {
    let app = TestApp::start().await;
    let team = app.team().await;
    create(&team.member, &team.slug, &["members:manage"]).await.is_problem(403, "scope_not_held");
    create(&team.guest, &team.slug, &["tasks:read"]).await.is_problem(403, "scope_not_held");
    let project = team.project("OPS", "private").await;
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "editor" })).await.is(200);
    // A grant in some project is enough to have something to give.
    let token = program(&team.guest, &team.slug, &["tasks:write"]).await;
    let _ = token.post("/tasks", json!({ "project": project, "title": "By grant" })).await.is(201);
    let problem = create(&team.owner, &team.slug, &["tasks:fly"]).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/scopes/0");
    assert_eq!(problem["errors"][0]["code"], "not_a_permission");
    create(&team.owner, &team.slug, &[]).await.is_problem(422, "invalid");
}

#[tokio::test]
async fn what_its_owner_loses_a_token_loses_with_them() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let token = program(&team.admin, &team.slug, &["audit:read", "tasks:read"]).await;
    let _ = token.get("/audit").await.is(200);
    let role = format!("/members/{}/role", team.admin.id);
    let _ = team.owner.put(&role, json!({ "role": "member" })).await.is(200);
    token.get("/audit").await.is_problem(403, "permission_missing");
    let _ = token.get("/tasks").await.is(200);
    let _ = team.owner.put(&format!("/members/{}/suspension", team.admin.id), json!(null)).await.is(200);
    token.get("/tasks").await.is_problem(401, "unauthenticated");
    let _ = delete(&team.owner, &format!("/members/{}/suspension", team.admin.id)).await.is(200);
    // The suspension has voided it for good.
    token.get("/tasks").await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_manages_no_account() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let token = program(&team.owner, &team.slug, &["tasks:read", "me:read"]).await;
    assert_eq!(token.get("/v1/me").await.is(200).json()["email"], team.owner.email);
    for path in ["/v1/me/tokens", "/v1/me/sessions", "/v1/me/audit", "/v1/me/second-factor", "/v1/orgs"] {
        token.get(path).await.is_problem(403, "session_needed");
    }
    create(&token, &team.slug, &["tasks:read"]).await.is_problem(403, "session_needed");
    let password = json!({ "password": "whatever it is" });
    token.post("/v1/me/second-factor", password.clone()).await.is_problem(403, "session_needed");
    delete(&token, "/v1/me/sessions").await.is_problem(403, "session_needed");
    delete(&token, "/members/me").await.is_problem(403, "session_needed");
    let without = program(&team.owner, &team.slug, &["tasks:read"]).await;
    let problem = without.get("/v1/me").await.is_problem(403, "permission_missing");
    assert!(problem["detail"].as_str().unwrap().contains("me:read"), "{problem}");
    // Not even with every scope and the right password: what cannot be taken back takes a session.
    let everything = program(&team.owner, &team.slug, &["organization:own", "me:read"]).await;
    let deletion = everything.request(Method::DELETE, "").json(&password);
    everything.send(deletion, "DELETE".into()).await.is_problem(403, "session_needed");
}

#[tokio::test]
async fn a_token_ends_when_it_is_revoked_or_its_time_is_over() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let created = create(&team.member, &team.slug, &["tasks:read"]).await.is(201);
    let token = team.member.with_token(Some(&created.text_at("/token")));
    let _ = token.get("/tasks").await.is(200);
    sqlx::query("update tokens set expires_at = now()").execute(&app.admin).await.unwrap();
    token.get("/tasks").await.is_problem(401, "unauthenticated");
    sqlx::query("update tokens set expires_at = now() + interval '1 day'").execute(&app.admin).await.unwrap();
    let _ = token.get("/tasks").await.is(200);
    let path = format!("/v1/me/tokens/{}", created.text_at("/id"));
    delete(&team.owner, &path).await.is_problem(404, "not_found");
    let _ = delete(&team.member, &path).await.is(204);
    token.get("/tasks").await.is_problem(401, "unauthenticated");
    delete(&team.member, &path).await.is_problem(404, "not_found");
    assert_eq!(team.member.get("/v1/me/tokens").await.is(200).json()["data"], json!([]));
}

#[tokio::test]
async fn a_token_lasts_a_year_at_most_and_ninety_days_unless_said() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let _ = create(&team.member, &team.slug, &["tasks:read"]).await.is(201);
    let ninety: bool = sqlx::query_scalar(
        "select expires_at between now() + interval '89 days' and now() + interval '91 days' from tokens",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert!(ninety);
    for when in ["2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
        let new = json!({ "name": "x", "org": team.slug, "scopes": ["tasks:read"], "expires_at": when });
        let problem = team.member.post("/v1/me/tokens", new).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], "out_of_range");
    }
}

#[tokio::test]
async fn a_misspelt_token_is_refused_without_a_query() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let text = create(&team.member, &team.slug, &["tasks:read"]).await.is(201).text_at("/token");
    let last = if text.ends_with('0') { "1" } else { "0" };
    let misspelt = format!("{}{last}", &text[..52]);
    let asked = |token: &str| {
        let actor = team.member.with_token(Some(token));
        async move { actor.get("/tasks").await }
    };
    // Who asks the database waits for this lock.
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("lock table sessions, tokens in access exclusive mode").execute(&mut *held).await.unwrap();
    let real = tokio::spawn(asked(&text));
    harness::eventually("the real one waits", async || (app.waiting().await == 1).then_some(())).await;
    asked(&misspelt).await.is_problem(401, "unauthenticated");
    held.rollback().await.unwrap();
    let _ = real.await.unwrap().is(200);
    // A token is looked for in the header alone.
    let nobody = team.member.with_token(None);
    nobody.get(&format!("/tasks?access_token={text}")).await.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn what_is_used_says_when_and_from_where() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let token = program(&team.member, &team.slug, &["tasks:read"]).await;
    let of = async || -> Value { team.member.get("/v1/me/tokens").await.is(200).json()["data"][0].clone() };
    assert_eq!(of().await["last_used_at"], Value::Null);
    let _ = token.get("/tasks").await.is(200);
    let used = harness::eventually("the use is written down", async || {
        let token = of().await;
        token["last_used_at"].is_string().then_some(token)
    })
    .await;
    assert_eq!(used["last_used_address"], "127.0.0.1");
}
