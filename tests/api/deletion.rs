//! The end of an account: what it means, asking for it, and changing one's mind. What goes is tests/worker/purge.rs.

use common::access::Role;
use harness::{Actor, Team, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{call, count, deeds, logged, notices, owed, personal_token, sure};

async fn plan(ada: &Actor) -> Value {
    ada.get("/v1/me/deletion").await.is(200).json()
}

async fn request(ada: &Actor) -> harness::Reply {
    ada.put("/v1/me/deletion", sure(json!({}))).await
}

/// Somebody who owns one organization alone, one with others, and belongs to a third.
async fn busy(app: &TestApp) -> (Team, Actor) {
    let (team, ada) = (app.team().await, app.person_with_password("ada").await);
    let _ = ada.post("/v1/orgs", json!({ "slug": "solo", "name": "Solo" })).await.is(201);
    let _ = ada.post("/v1/orgs", json!({ "slug": "shared", "name": "Shared" })).await.is(201);
    let memberships = [("shared", &team.member, Role::Member), (team.slug.as_str(), &ada, Role::Admin)];
    for (slug, person, role) in memberships {
        sqlx::query(
            "insert into memberships (org_id, account_id, role) select id, $2, $3 from organizations where slug = $1",
        )
        .bind(slug)
        .bind(person.id.0)
        .bind(role.as_str())
        .execute(&app.admin)
        .await
        .unwrap();
    }
    (team, ada)
}

#[tokio::test]
async fn the_plan_tells_what_the_end_of_an_account_means() {
    let app = TestApp::start().await;
    let (team, ada) = busy(&app).await;
    let of_ada = ada.within(&team.slug);
    // A project of hers alone, one that the owner manages too, and two tasks of hers of which one is done.
    for (key, managers) in [("OPS", 1), ("DEV", 2)] {
        let new = json!({ "key": key, "name": "A project", "visibility": "private" });
        let project = of_ada.post("/projects", new).await.is(201).text_at("/id");
        if managers == 2 {
            let grant = format!("/projects/{project}/grants/{}", team.owner.id);
            let _ = of_ada.put(&grant, json!({ "role": "manager" })).await.is(200);
        }
        let task = json!({ "project": project, "title": "To do", "assignees": [ada.id] });
        let task = of_ada.post("/tasks", task).await.is(201).text_at("/id");
        if managers == 2 {
            let _ = of_ada.put(&format!("/tasks/{task}/completion"), Value::Null).await.is(200);
        }
    }
    personal_token(&ada, &team.slug).await;
    app.signed_in(&ada).await;
    let before = (count(&app, "audit_events").await, owed(&app).await.len());

    let plan = plan(&ada).await;
    assert_eq!((&plan["due_at"], &plan["grace_days"]), (&Value::Null, &json!(14)), "{plan}");
    assert_eq!((&plan["sessions"], &plan["tokens"]), (&json!(1), &json!(1)), "{plan}");
    let mut fates: Vec<Value> = plan["organizations"].as_array().unwrap().clone();
    fates.sort_by_key(|fate| fate["fate"].to_string());
    let expected = [
        ("shared", "Shared", "blocked", 0, 0),
        ("solo", "Solo", "deleted", 0, 0),
        (team.slug.as_str(), "A Team", "left", 1, 1),
    ];
    for (found, (slug, name, fate, projects, tasks)) in fates.iter().zip(expected) {
        let expected = json!({
            "org_id": found["org_id"], "slug": slug, "name": name, "fate": fate,
            "projects_handed_over": projects, "tasks_unassigned": tasks,
        });
        assert_eq!(*found, expected);
    }
    assert_eq!((count(&app, "audit_events").await, owed(&app).await.len()), before, "a look changes nothing");
}

#[tokio::test]
async fn the_last_owner_of_other_people_stays() {
    let app = TestApp::start().await;
    let (team, ada) = busy(&app).await;
    request(&ada).await.is_problem(409, "last_owner");
    assert_eq!(plan(&ada).await["due_at"], Value::Null);
    assert!(!deeds(&app, ada.id).await.contains(&"account.deletion_requested".to_owned()));
    // With another owner, nothing keeps her.
    let role = format!("/members/{}/role", team.member.id);
    let _ = ada.within("shared").put(&role, json!({ "role": "owner" })).await.is(200);
    let _ = request(&ada).await.is(200);
}

#[tokio::test]
async fn a_suspended_owner_is_no_other_owner() {
    let app = TestApp::start().await;
    let team = app.team().await;
    app.give_password(&team.owner).await;
    let other = app.join(&team, "other", Role::Owner).await;
    let _ = team.owner.put(&format!("/members/{}/suspension", other.id), Value::Null).await.is(200);
    request(&team.owner).await.is_problem(409, "last_owner");
}

#[tokio::test]
async fn an_organization_that_is_deleted_itself_keeps_nobody() {
    let app = TestApp::start().await;
    let team = app.team().await;
    app.give_password(&team.owner).await;
    request(&team.owner).await.is_problem(409, "last_owner");
    let _ = team.owner.delete_with("", sure(json!({}))).await.is(200);
    let plan = request(&team.owner).await.is(200).json();
    assert_eq!(plan["organizations"][0]["fate"], "deleted", "{plan}");
}

#[tokio::test]
async fn a_plan_tells_nothing_of_organizations_that_one_cannot_enter() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let _ = team.owner.put(&format!("/members/{}/suspension", team.member.id), Value::Null).await.is(200);
    assert_eq!(plan(&team.member).await["organizations"], json!([]));
}

#[tokio::test]
async fn who_asks_for_the_end_has_two_weeks_and_one_session_left() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ada = &team.member;
    app.give_password(ada).await;
    let (other, program) = (app.signed_in(ada).await, personal_token(ada, &team.slug).await);
    let asked = call(ada, Method::PUT, "/v1/me/deletion", "end-1", sure(json!({}))).await.is(200).json();
    assert_eq!((&asked["sessions"], &asked["tokens"]), (&json!(0), &json!(0)), "{asked}");
    let fortnight =
        "accounts where deletion_due_at between now() + interval '335 hours' and now() + interval '14 days'";
    assert_eq!(count(&app, fortnight).await, 1);
    for ended in [&other, &program] {
        ended.get("/v1/me").await.is_problem(401, "unauthenticated");
    }
    assert_eq!(ada.get("/v1/me").await.is(200).json()["deletion_due_at"], asked["due_at"]);
    let _ = ada.get("/members").await.is(200);
    let event = logged(&app, ada.id, "account.deletion_requested", "end-1").await;
    assert_eq!(event["actor_id"], json!(ada.id));
    assert!(event["after"]["due_at"].is_string(), "{event}");
    let _ = logged(&app, ada.id, "session.ended", "end-1").await;
    let _ = logged(&app, ada.id, "token.revoked", "end-1").await;
    assert_eq!(notices(&app, ada.id).await, ["deletion_requested"]);

    // A second time changes nothing.
    let again = request(ada).await.is(200).json();
    assert_eq!(again["due_at"], asked["due_at"]);
    assert_eq!(notices(&app, ada.id).await.len(), 1);
    let _ = logged(&app, ada.id, "account.deletion_requested", "end-1").await;
    // And to change one's mind one can sign in.
    let _ = app.signed_in(ada).await.get("/v1/me").await.is(200);
}

#[tokio::test]
async fn whoever_changes_their_mind_stays() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let _ = request(&ada).await.is(200);
    let _ = call(&ada, Method::DELETE, "/v1/me/deletion", "stay-1", Value::Null).await.is(204);
    assert_eq!(plan(&ada).await["due_at"], Value::Null);
    let event = logged(&app, ada.id, "account.deletion_cancelled", "stay-1").await;
    assert!(event["before"]["due_at"].is_string(), "{event}");
    let _ = ada.delete("/v1/me/deletion").await.is(204);
    let _ = logged(&app, ada.id, "account.deletion_cancelled", "stay-1").await;
}

#[tokio::test]
async fn the_end_is_asked_for_with_the_password() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    ada.put("/v1/me/deletion", json!({ "password": "not the password" })).await.is_problem(401, "wrong_password");
    ada.put("/v1/me/deletion", json!({})).await.is_problem(422, "invalid");
    assert_eq!(plan(&ada).await["due_at"], Value::Null);
}
