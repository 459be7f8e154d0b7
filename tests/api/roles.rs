//! Roles that organizations make for themselves.

use futures::future::join_all;
use harness::{Actor, Reply, TestApp};
use serde_json::{Value, json};

use crate::people::count;

async fn make(actor: &Actor, key: &str, permissions: &[&str]) -> Reply {
    actor.post("/roles", json!({ "key": key, "name": "A role", "permissions": permissions })).await
}

async fn give(actor: &Actor, target: &Actor, role: &str) -> Reply {
    actor.put(&format!("/members/{}/role", target.id), json!({ "role": role })).await
}

#[tokio::test]
async fn built_in_roles_are_listed_first_and_cannot_be_changed() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let _ = make(&team.admin, "clerk", &["members:list"]).await.is(201);
    let list = team.member.get("/roles").await.is(200).json();
    let keys: Vec<_> = list["data"].as_array().unwrap().iter().map(|role| role["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["owner", "admin", "member", "guest", "clerk"]);
    assert_eq!(list["data"][3]["permissions"], json!([]));
    for role in ["owner", "admin", "member", "guest"] {
        let path = format!("/roles/{role}");
        assert_eq!(team.member.get(&path).await.is(200).json()["built_in"], true);
        team.owner.patch(&path, json!({ "permissions": [] })).await.is_problem(409, "role_built_in");
        team.owner.delete(&path).await.is_problem(409, "role_built_in");
        make(&team.owner, role, &[]).await.is_problem(409, "role_exists");
    }
    make(&team.owner, "clerk", &[]).await.is_problem(409, "role_exists");
    team.guest.get("/roles").await.is_problem(403, "permission_missing");
    make(&team.member, "mine", &[]).await.is_problem(403, "permission_missing");
}

#[tokio::test]
async fn a_custom_role_gives_what_it_says_from_the_next_request_on() {
    let app = TestApp::start().await;
    let team = app.team().await;
    // With what it implies.
    let role = make(&team.owner, "auditor", &["audit:read", "members:manage"]).await.is(201).json();
    assert_eq!(role["permissions"], json!(["members:list", "members:manage", "audit:read"]));
    assert_eq!(give(&team.owner, &team.guest, "auditor").await.is(200).json()["role"], "auditor");
    let _ = team.guest.get("/audit").await.is(200);
    let _ = team.guest.get("/invitations").await.is(200);
    team.guest.get("/tasks").await.is_problem(403, "permission_missing");
    let reader = json!({ "permissions": ["tasks:read"], "name": "Reader" });
    let changed = team.admin.patch("/roles/auditor", reader).await.is(200).json();
    assert_eq!((&changed["name"], &changed["version"]), (&json!("Reader"), &json!(2)));
    team.guest.get("/audit").await.is_problem(403, "permission_missing");
    let _ = team.guest.get("/tasks").await.is(200);
    // What is absent stays.
    let renamed = team.admin.patch("/roles/auditor", json!({ "name": "Viewer" })).await.is(200).json();
    assert_eq!(renamed["permissions"], json!(["tasks:read"]));
    assert_eq!(team.guest.get("").await.is(200).json()["permissions"], json!(["tasks:read"]));
}

#[tokio::test]
async fn nobody_gives_a_permission_they_lack_by_role() {
    let app = TestApp::start().await;
    let team = app.team().await;
    // Makes roles and gives them, but reads no audit log and writes no tasks.
    let _ = make(&team.owner, "clerk", &["roles:manage", "members:manage", "tasks:read"]).await.is(201);
    let _ = make(&team.owner, "auditor", &["audit:read"]).await.is(201);
    let _ = give(&team.owner, &team.guest, "clerk").await.is(200);
    let clerk = &team.guest;
    make(clerk, "spy", &["tasks:read", "audit:read"]).await.is_problem(403, "role_above_own");
    let _ = make(clerk, "scout", &["tasks:read"]).await.is(201);
    let spy = json!({ "permissions": ["tasks:read", "audit:read"] });
    clerk.patch("/roles/scout", spy).await.is_problem(403, "role_above_own");
    // A role that gives more is not theirs to touch, not even to make it less.
    clerk.patch("/roles/auditor", json!({ "permissions": [] })).await.is_problem(403, "role_above_own");
    clerk.delete("/roles/auditor").await.is_problem(403, "role_above_own");
    clerk.delete("/roles/scout?replacement=auditor").await.is_problem(403, "role_above_own");
    clerk.delete("/roles/scout?replacement=member").await.is_problem(403, "role_above_own");
    // Nor theirs to give; and who holds what they lack is above them.
    give(clerk, &team.member, "scout").await.is_problem(403, "role_above_own");
    let eve = app.join(&team, "eve", common::access::Role::Guest).await;
    for role in ["auditor", "member", "admin", "owner"] {
        give(clerk, &eve, role).await.is_problem(403, "role_above_own");
        give(clerk, clerk, role).await.is_problem(403, "self_promotion");
    }
    let _ = give(clerk, &eve, "scout").await.is(200);
    let _ = give(clerk, &eve, "clerk").await.is(200);
    // Nobody widens their own role, which is everybody's who has it.
    let wider = json!({ "permissions": ["roles:manage", "members:manage", "tasks:write"] });
    clerk.patch("/roles/clerk", wider).await.is_problem(403, "role_above_own");
    for above in ["organization:own", "tasks:fly", "me:read"] {
        let problem = make(&team.owner, "king", &["tasks:read", above]).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/permissions/1");
    }
}

#[tokio::test]
async fn a_custom_role_in_use_needs_a_replacement() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let _ = make(&team.owner, "clerk", &["members:list"]).await.is(201);
    let _ = make(&team.owner, "scout", &["tasks:read"]).await.is(201);
    let _ = give(&team.owner, &team.member, "clerk").await.is(200);
    let offer = json!({ "email": "eve@example.org", "role": "clerk" });
    let invitation = team.owner.post("/invitations", offer).await.is(201).text_at("/id");
    let in_use = async || team.owner.delete("/roles/clerk").await.is_problem(409, "role_in_use");
    in_use().await;
    // Who is kept out comes back with it; only an offer is left; then nothing.
    let suspension = format!("/members/{}/suspension", team.member.id);
    let _ = team.owner.put(&suspension, json!(null)).await.is(200);
    in_use().await;
    team.owner.delete("/roles/clerk?replacement=nobody").await.is_problem(422, "invalid");
    team.owner.delete("/roles/clerk?replacement=clerk").await.is_problem(409, "role_in_use");
    let _ = team.owner.delete("/roles/clerk?replacement=scout").await.is(204);
    team.owner.get("/roles/clerk").await.is_problem(404, "not_found");
    let _ = team.owner.delete(&suspension).await.is(200);
    assert_eq!(team.member.get("").await.is(200).json()["role"], "scout");
    assert_eq!(team.owner.get("/invitations").await.is(200).json()["data"][0]["role"], "scout");
    let event = team.owner.get("/audit?action=role.deleted").await.is(200).json()["data"][0].clone();
    assert_eq!(event["before"], json!({ "key": "clerk", "permissions": ["members:list"] }));
    assert_eq!(event["after"], json!({ "replacement": "scout" }));
    // Who has gone keeps no role in use.
    let _ = team.owner.delete(&format!("/members/{}", team.member.id)).await.is(204);
    team.owner.delete("/roles/scout").await.is_problem(409, "role_in_use");
    let _ = team.owner.delete(&format!("/invitations/{invitation}")).await.is(204);
    let _ = team.owner.delete("/roles/scout").await.is(204);
    team.owner.delete("/roles/scout").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_role_of_one_organization_is_none_in_another() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.team().await, app.team().await);
    let _ = make(&theirs.owner, "clerk", &["audit:read"]).await.is(201);
    ours.owner.get("/roles/clerk").await.is_problem(404, "not_found");
    ours.owner.patch("/roles/clerk", json!({ "name": "Mine" })).await.is_problem(404, "not_found");
    ours.owner.delete("/roles/clerk").await.is_problem(404, "not_found");
    let problem = give(&ours.owner, &ours.member, "clerk").await.is_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "no_such_role");
    let offer = json!({ "email": "eve@example.org", "role": "clerk" });
    ours.owner.post("/invitations", offer).await.is_problem(422, "invalid");
    // Of the same name they are still two.
    let _ = make(&ours.owner, "clerk", &["tasks:read"]).await.is(201);
    let _ = give(&ours.owner, &ours.guest, "clerk").await.is(200);
    let _ = theirs.owner.delete("/roles/clerk").await.is(204);
    assert_eq!(ours.guest.get("").await.is(200).json()["permissions"], json!(["tasks:read"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_is_given_while_it_is_deleted_is_there_or_is_not_given() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let mut given = 0;
    for round in 0..20 {
        let _ = make(&team.owner, "clerk", &["members:list"]).await.is(201);
        let offer = json!({ "email": format!("eve{round}@example.org"), "role": "clerk" });
        let (by_role, by_offer, gone) = tokio::join!(
            give(&team.owner, &team.member, "clerk"),
            team.admin.post("/invitations", offer),
            team.owner.delete("/roles/clerk"),
        );
        let kept = by_role.status() == 200 || by_offer.status() == 201;
        let expected = if gone.status() == 204 { (422, 422, 204) } else { (200, 201, 409) };
        let statuses = (by_role.status(), by_offer.status(), gone.status());
        assert!(statuses == expected || (kept && gone.status() == 409), "{statuses:?}");
        given += usize::from(kept);
        let _ = give(&team.owner, &team.member, "member").await.is(200);
        if kept {
            let _ = team.owner.delete("/roles/clerk?replacement=guest").await.is(204);
        }
    }
    assert!(given > 0, "it was deleted first every time: the test does not bite");
    assert_eq!(count(&app, "memberships where role = 'clerk'").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_made_once_by_many_at_once() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for round in 0..5 {
        let key = format!("role-{round}");
        let replies = join_all((0..4).map(|_| make(&team.owner, &key, &["tasks:read"]))).await;
        let mut statuses: Vec<u16> = replies.iter().map(Reply::status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
    }
    let made: Vec<Value> =
        team.owner.get("/audit?action=role.created").await.is(200).json()["data"].as_array().unwrap().clone();
    assert_eq!(made.len(), 5);
}
