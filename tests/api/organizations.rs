use common::access::Role;
use harness::{Actor, TestApp};
use reqwest::{Method, redirect::Policy};
use serde_json::{Value, json};

use crate::people::{notices, sure};

#[tokio::test]
async fn who_founds_an_organization_owns_it() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let organization = ada.post("/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.is(201).json();
    assert_eq!(organization["role"], "owner");
    assert_eq!(organization["time_zone"], "UTC");
    let mine = ada.get("/v1/orgs").await.is(200).json();
    assert_eq!(mine["data"][0], organization);
    // By its slug and by its id.
    assert_eq!(ada.within("acme").get("").await.is(200).json(), organization);
    assert_eq!(ada.within(organization["id"].as_str().unwrap()).get("").await.is(200).json(), organization);
}

#[tokio::test]
async fn a_slug_is_taken_once() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("ada").await, app.person("bob").await);
    let acme = json!({ "slug": "acme", "name": "Acme" });
    let _ = ada.post("/v1/orgs", acme.clone()).await.is(201);
    bob.post("/v1/orgs", acme).await.is_problem(409, "slug_taken");
    assert_eq!(bob.get("/v1/orgs").await.is(200).json()["data"], json!([]));
}

#[tokio::test]
async fn an_organization_is_invisible_to_those_who_are_no_active_members() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let outsider = app.person("outsider").await;
    outsider.within(&team.slug).get("").await.is_problem(404, "not_found");
    sqlx::query("update memberships set status = 'suspended' where account_id = $1")
        .bind(team.member.id.0)
        .execute(&app.admin)
        .await
        .unwrap();
    team.member.get("").await.is_problem(404, "not_found");
    assert_eq!(team.member.get("/v1/orgs").await.is(200).json()["data"], json!([]));
}

/// An answer as it comes, without going where it points.
async fn unfollowed(actor: &Actor, method: Method, path: &str) -> (u16, Option<String>) {
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let request = actor.request(method, path).header("Content-Type", "application/json").body("{}").build().unwrap();
    let response = client.execute(request).await.unwrap();
    let location = response.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
    (response.status().as_u16(), location)
}

#[tokio::test]
async fn members_are_sent_from_a_former_slug_to_the_one_of_today_and_nobody_else_is() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (old, new) = (team.slug.clone(), format!("new-{}", team.slug));
    let changed = team.admin.patch("", json!({ "slug": new, "name": "Another" })).await.is(200).json();
    assert_eq!((&changed["slug"], &changed["name"]), (&json!(new), &json!("Another")));
    for (method, rest) in [(Method::GET, ""), (Method::GET, "/tasks?limit=3&x=%20"), (Method::POST, "/projects")] {
        let expected = (308, Some(format!("/v1/orgs/{new}{rest}")));
        assert_eq!(unfollowed(&team.owner, method, rest).await, expected);
    }
    // Followed, a body comes along.
    let project = json!({ "key": "OPS", "name": "By the old name", "visibility": "open" });
    assert_eq!(team.owner.post("/projects", project).await.is(201).json()["key"], "OPS");
    assert_eq!(team.guest.get("").await.is(200).json()["slug"], json!(new));
    // To all others it is as if there had never been such a slug.
    let (outsider, suspended) = (app.person("outsider").await.within(&old), &team.member);
    let _ = team.owner.put(&format!("/members/{}/suspension", suspended.id), json!(null)).await.is(200);
    for actor in [&outsider, suspended] {
        for method in [Method::GET, Method::POST] {
            assert_eq!(unfollowed(actor, method, "/projects").await, (404, None));
        }
    }
    // Nobody takes it, by making or by renaming; its organization may go back.
    let taken = json!({ "slug": old, "name": "Acme" });
    outsider.post("/v1/orgs", taken.clone()).await.is_problem(409, "slug_taken");
    let other = app.team().await;
    other.owner.patch("", json!({ "slug": old })).await.is_problem(409, "slug_taken");
    let _ = team.owner.patch("", json!({ "slug": old })).await.is(200);
    assert_eq!(unfollowed(&team.owner.within(&new), Method::GET, "").await.0, 308);
    assert_eq!(unfollowed(&team.owner, Method::GET, "").await, (200, None));
    team.member.patch("", json!({ "slug": "mine" })).await.is_problem(404, "not_found");
    team.guest.patch("", json!({ "slug": "mine" })).await.is_problem(403, "permission_missing");
}

#[tokio::test]
async fn a_deleted_organization_is_gone_for_all_but_its_owners_who_can_restore_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for person in [&team.owner, &team.admin] {
        app.give_password(person).await;
    }
    let other = app.join(&team, "other", Role::Owner).await;
    let _ = team.owner.put(&format!("/members/{}/suspension", other.id), json!(null)).await.is(200);
    let scopes = json!({ "name": "x", "org": team.slug, "scopes": ["tasks:read"] });
    let program = team.member.post("/v1/me/tokens", scopes.clone()).await.is(201).text_at("/token");
    let program = team.member.with_token(Some(&program));
    team.admin.delete_with("", sure(json!({}))).await.is_problem(403, "permission_missing");
    team.owner.delete_with("", json!({ "password": "not theirs" })).await.is_problem(401, "wrong_password");
    team.owner.delete_with("", json!({})).await.is_problem(422, "invalid");

    let deleted = team.owner.delete_with("", sure(json!({}))).await.is(200).json();
    assert!(deleted["deletion_due_at"].is_string(), "{deleted}");
    let _ = team.owner.delete_with("", sure(json!({}))).await.is(200);
    assert_eq!(notices(&app, team.owner.id).await, ["organization_deleted"]);
    assert_eq!(notices(&app, other.id).await, [] as [&str; 0], "who is suspended is told nothing");
    for gone in [&team.admin, &team.member, &team.guest, &program, &team.owner] {
        for path in ["", "/members", "/audit", "/tasks"] {
            gone.get(path).await.is_problem(404, "not_found");
        }
    }
    team.owner
        .post("/invitations", json!({ "email": "e@example.org", "role": "guest" }))
        .await
        .is_problem(404, "not_found");
    team.owner.post("/v1/me/tokens", scopes).await.is_problem(404, "not_found");
    // Its owners still see that it will be gone, and when.
    assert_eq!(team.owner.get("/v1/orgs").await.is(200).json()["data"][0], deleted);
    assert_eq!(team.admin.get("/v1/orgs").await.is(200).json()["data"], json!([]));
    for other in [&team.admin, &other, &app.person("outsider").await.within(&team.slug)] {
        other.delete("/deletion").await.is_problem(404, "not_found");
    }
    let restored = team.owner.delete("/deletion").await.is(200).json();
    assert_eq!(restored["deletion_due_at"], Value::Null);
    let _ = team.owner.delete("/deletion").await.is(200);
    let _ = program.get("/tasks").await.is(200);
    let log = team.owner.get("/audit").await.is(200).json();
    let deeds: Vec<_> = log["data"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(deeds[..2], ["organization.restored", "organization.deleted"]);
}

#[tokio::test]
async fn what_cannot_be_cleared_refuses_null() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let role = json!({ "key": "night", "name": "Night", "permissions": ["tasks:read"] });
    let _ = team.owner.post("/roles", role).await.is(201);
    for (path, field) in [
        (String::new(), "name"),
        (String::new(), "slug"),
        (String::new(), "time_zone"),
        ("/roles/night".to_owned(), "name"),
        ("/roles/night".to_owned(), "permissions"),
        (format!("/projects/{project}"), "name"),
        (format!("/projects/{project}"), "visibility"),
    ] {
        let request = team.owner.request(reqwest::Method::PATCH, &path).json(&json!({ field: null }));
        let problem = team.owner.send(request, format!("PATCH {path} {field}")).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"), "{path}");
    }
}
