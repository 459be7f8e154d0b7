//! The audit log: who did what, readable and unchangeable.

use harness::{Actor, Team, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

async fn events(actor: &Actor, query: &str) -> Vec<Value> {
    actor.get(&format!("/audit{query}")).await.is(200).json()["data"].as_array().unwrap().clone()
}

fn actions(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["action"].as_str().unwrap()).collect()
}

async fn busy_team(app: &TestApp) -> Team {
    let team = app.team().await;
    let role = format!("/members/{}/role", team.member.id);
    let _ = team.admin.put(&role, json!({ "role": "admin" })).await.is(200);
    let _ = team.owner.put(&role, json!({ "role": "member" })).await.is(200);
    let _ = team.owner.post("/invitations", json!({ "email": "eve@example.org", "role": "guest" })).await.is(201);
    team
}

#[tokio::test]
async fn an_event_says_who_did_what_to_whom_from_where_in_which_request() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let role = format!("/members/{}/role", team.member.id);
    let request = team.admin.request(Method::PUT, &role).header("X-Request-Id", "promotion-7");
    let _ = team.admin.send(request.json(&json!({ "role": "admin" })), role).await.is(200);
    let event = events(&team.owner, "?action=member.role_changed").await.remove(0);
    assert_eq!(event["actor_id"], json!(team.admin.id));
    assert_eq!(event["actor_name"], "admin");
    assert_eq!(event["subject_id"], json!(team.member.id));
    assert_eq!((&event["before"], &event["after"]), (&json!({ "role": "member" }), &json!({ "role": "admin" })));
    assert_eq!((&event["request_id"], &event["address"]), (&json!("promotion-7"), &json!("127.0.0.1")));
    assert!(event["credential_id"].is_string() && event["at"].is_string());
}

#[tokio::test]
async fn events_are_filtered_and_paged_newest_first() {
    let app = TestApp::start().await;
    let team = busy_team(&app).await;
    let all = events(&team.owner, "").await;
    assert_eq!(
        actions(&all),
        ["invitation.created", "member.role_changed", "member.role_changed", "organization.created"]
    );
    assert_eq!(events(&team.owner, "?action=member.role_changed").await, all[1..3]);
    assert_eq!(events(&team.owner, &format!("?actor={}", team.admin.id)).await, all[2..3]);
    assert_eq!(events(&team.owner, &format!("?subject={}", team.member.id)).await, all[1..3]);
    let at = all[1]["at"].as_str().unwrap();
    assert_eq!(events(&team.owner, &format!("?since={at}")).await, all[..2]);
    assert_eq!(events(&team.owner, &format!("?until={at}")).await, all[2..]);
    assert_eq!(events(&team.owner, "?address=127.0.0.1").await, all);
    assert_eq!(events(&team.owner, "?address=192.0.2.1").await, [] as [Value; 0]);
    let first = team.owner.get("/audit?limit=3").await.is(200).json();
    assert_eq!(first["data"].as_array().unwrap()[..], all[..3]);
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    assert_eq!(events(&team.owner, &format!("?limit=3&cursor={cursor}")).await, all[3..]);
    // A cursor of one filter is none of another.
    let other = format!("/audit?action=member.left&cursor={cursor}");
    team.owner.get(&other).await.is_problem(400, "invalid_query");
    for bad in ["?action=member.eaten", "?since=yesterday", "?address=localhost", "?who=me"] {
        team.owner.get(&format!("/audit{bad}")).await.is_problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn the_log_is_for_those_who_may_read_it() {
    let app = TestApp::start().await;
    let (team, other) = (busy_team(&app).await, busy_team(&app).await);
    let _ = team.admin.get("/audit").await.is(200);
    team.member.get("/audit").await.is_problem(403, "permission_missing");
    team.owner.within(&other.slug).get("/audit").await.is_problem(404, "not_found");
    let theirs: Vec<Value> = events(&other.owner, "").await.iter().map(|event| event["id"].clone()).collect();
    assert!(events(&team.owner, "").await.iter().all(|event| !theirs.contains(&event["id"])));
}

#[tokio::test]
async fn a_denial_is_written_once_a_minute() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for _ in 0..3 {
        team.member.get("/audit").await.is_problem(403, "permission_missing");
    }
    let role = format!("/members/{}/role", team.owner.id);
    team.admin.put(&role, json!({ "role": "guest" })).await.is_problem(403, "role_above_own");
    let denied = events(&team.owner, "?action=access.denied").await;
    let told: Vec<_> =
        denied.iter().map(|event| (event["actor_id"].clone(), event["after"]["denied"].clone())).collect();
    assert_eq!(told, [(json!(team.admin.id), json!("role_above_own")), (json!(team.member.id), json!("audit:read"))]);
    // Who is no member leaves no trace in the log of others.
    let outsider = app.person("outsider").await.within(&team.slug);
    outsider.get("/audit").await.is_problem(404, "not_found");
    assert_eq!(events(&team.owner, "?action=access.denied").await.len(), 2);
}

#[tokio::test]
async fn the_application_can_neither_change_nor_delete_an_event() {
    let app = TestApp::start().await;
    let team = busy_team(&app).await;
    let mut connection = app.connect_as("taskbell_app").await;
    sqlx::query("select set_config('app.org_id', $1, false)")
        .bind(team.id.to_string())
        .execute(&mut connection)
        .await
        .unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from audit_events").fetch_one(&mut connection).await.unwrap();
    assert_eq!(seen, 4);
    for statement in [
        "update audit_events set action = 'member.left'",
        "update audit_events set actor_id = null",
        "delete from audit_events",
        "truncate audit_events",
    ] {
        let fault = sqlx::query(statement).execute(&mut connection).await.unwrap_err();
        assert_eq!(fault.as_database_error().unwrap().code().as_deref(), Some("42501"), "{statement}");
    }
    // Nor write one into somebody else's log.
    let other = app.team().await;
    let forged = "insert into audit_events (id, org_id, action) values (gen_random_uuid(), $1, 'member.left')";
    let fault = sqlx::query(forged).bind(other.id.0).execute(&mut connection).await.unwrap_err();
    assert_eq!(fault.as_database_error().unwrap().code().as_deref(), Some("42501"));
}

#[tokio::test]
async fn what_is_rolled_back_leaves_no_event() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let role = format!("/members/{}/role", team.owner.id);
    team.owner.put(&role, json!({ "role": "member" })).await.is_problem(409, "last_owner");
    assert_eq!(events(&team.owner, "?action=member.role_changed").await, [] as [Value; 0]);
}
