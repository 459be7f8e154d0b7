//! Roles in single projects, and the owner's way in where there is none.

use common::access::Role;
use harness::{Actor, Reply, TestApp};
use serde_json::{Value, json};

use crate::people::count;

async fn grant(actor: &Actor, project: &str, target: &Actor, role: &str) -> Reply {
    actor.put(&format!("/projects/{project}/grants/{}", target.id), json!({ "role": role })).await
}

async fn withdraw(actor: &Actor, project: &str, target: &Actor) -> Reply {
    actor.delete(&format!("/projects/{project}/grants/{}", target.id)).await
}

#[tokio::test]
async fn nobody_gives_a_permission_they_lack_by_grant() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    // Runs open projects without working in them.
    let role = json!({ "key": "runner", "name": "Runner", "permissions": ["projects:manage"] });
    let _ = team.owner.post("/roles", role).await.is(201);
    let _ = team.owner.put(&format!("/members/{}/role", team.guest.id), json!({ "role": "runner" })).await.is(200);
    let runner = &team.guest;
    for above in ["manager", "editor", "commenter"] {
        grant(runner, &project, &team.member, above).await.is_problem(403, "role_above_own");
        grant(runner, &project, runner, above).await.is_problem(403, "role_above_own");
    }
    let _ = grant(runner, &project, &team.member, "viewer").await.is(200);
    let _ = withdraw(runner, &project, &team.member).await.is(204);
    // What they could not give they do not take either.
    let _ = grant(&team.owner, &project, &team.member, "editor").await.is(200);
    grant(runner, &project, &team.member, "viewer").await.is_problem(403, "role_above_own");
    withdraw(runner, &project, &team.member).await.is_problem(403, "role_above_own");
    // A manager's program gives what it lets through.
    let scopes = json!({ "name": "x", "org": team.slug, "scopes": ["projects:manage"] });
    let program = team.owner.post("/v1/me/tokens", scopes).await.is(201).text_at("/token");
    let program = team.owner.with_token(Some(&program));
    grant(&program, &project, &team.admin, "editor").await.is_problem(403, "role_above_own");
    let _ = grant(&program, &project, &team.admin, "viewer").await.is(200);
    // In a project that is closed to the role none of it means anything.
    let _ = team.owner.patch(&format!("/projects/{project}"), json!({ "visibility": "private" })).await.is(200);
    grant(runner, &project, &team.admin, "viewer").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn an_admin_does_not_let_themselves_into_a_private_project() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let new = json!({ "key": "SEC", "name": "Secret", "visibility": "private" });
    let project = team.member.post("/projects", new).await.is(201).text_at("/id");
    for actor in [&team.admin, &team.owner] {
        grant(actor, &project, actor, "viewer").await.is_problem(404, "not_found");
        withdraw(actor, &project, &team.member).await.is_problem(404, "not_found");
        let open = json!({ "visibility": "open" });
        actor.patch(&format!("/projects/{project}"), open).await.is_problem(404, "not_found");
    }
    let access = format!("/projects/{project}/access");
    team.admin.post(&access, json!({ "reason": "to see" })).await.is_problem(403, "permission_missing");
    // Whoever is let in holds what they were given, whatever their role outside.
    let _ = grant(&team.member, &project, &team.admin, "viewer").await.is(200);
    team.admin
        .patch(&format!("/projects/{project}"), json!({ "name": "Mine" }))
        .await
        .is_problem(403, "permission_missing");
}

#[tokio::test]
async fn breaking_the_glass_is_written_down_and_told_to_the_managers() {
    let app = TestApp::start().await;
    let worker = app.work();
    let team = app.team().await;
    let new = json!({ "key": "SEC", "name": "Secret plans", "visibility": "private" });
    let project = team.member.post("/projects", new).await.is(201).text_at("/id");
    let _ = grant(&team.member, &project, &team.admin, "manager").await.is(200);
    let _ = grant(&team.member, &project, &team.guest, "viewer").await.is(200);
    let access = format!("/projects/{project}/access");
    team.owner.post(&access, json!({ "reason": "" })).await.is_problem(422, "invalid");
    team.owner.post(&access, json!({})).await.is_problem(422, "invalid");
    let unknown = format!("/projects/{}/access", uuid::Uuid::now_v7());
    team.owner.post(&unknown, json!({ "reason": "to see" })).await.is_problem(404, "not_found");
    team.owner.get(&format!("/projects/{project}")).await.is_problem(404, "not_found");

    let taken = team.owner.post(&access, json!({ "reason": "the auditors ask" })).await.is(201).json();
    assert_eq!(taken, json!({ "account_id": team.owner.id, "role": "manager" }));
    let _ = team.owner.get(&format!("/projects/{project}")).await.is(200);
    let event = team.admin.get("/audit?action=project.glass_broken").await.is(200).json()["data"][0].clone();
    assert_eq!((&event["actor_id"], &event["subject_id"]), (&json!(team.owner.id), &json!(project)));
    let told = json!({ "reason": "the auditors ask", "visibility": "private", "account": team.owner.id });
    assert_eq!(event["after"], told);
    for manager in [&team.member, &team.admin] {
        let mail = app.mail_to(&manager.email).await.text().unwrap();
        assert!(mail.contains("the auditors ask") && mail.contains("Secret plans"), "{mail}");
    }
    // Neither who only looks nor who did it.
    assert_eq!(count(&app, "deliveries where kind = 'notice'").await, 2);
    worker.stop().await;
}

#[tokio::test]
async fn who_is_suspended_manages_nothing() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let _ = grant(&team.owner, &project, &team.admin, "manager").await.is(200);
    let suspension = format!("/members/{}/suspension", team.admin.id);
    let _ = team.owner.put(&suspension, json!(null)).await.is(200);
    grant(&team.owner, &project, &team.owner, "viewer").await.is_problem(409, "last_manager");
    withdraw(&team.owner, &project, &team.owner).await.is_problem(409, "last_manager");
    let _ = team.owner.delete(&suspension).await.is(200);
    let _ = grant(&team.owner, &project, &team.owner, "viewer").await.is(200);
}

#[tokio::test]
async fn when_the_last_manager_goes_every_owner_inherits() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let other = app.join(&team, "other", Role::Owner).await;
    let mut projects = Vec::new();
    for key in ["ONE", "TWO", "THREE"] {
        let new = json!({ "key": key, "name": key, "visibility": "private" });
        projects.push(team.member.post("/projects", new).await.is(201).text_at("/id"));
    }
    let _ = grant(&team.member, &projects[1], &team.admin, "manager").await.is(200);
    let _ = grant(&team.member, &projects[2], &other, "viewer").await.is(200);
    let _ = team.member.delete("/members/me").await.is(204);
    let roles = async |project: &str| -> Vec<(String, String)> {
        sqlx::query_as(
            "select a.name, g.role from project_grants g join accounts a on a.id = g.account_id
             where g.project_id = $1::uuid order by a.name",
        )
        .bind(project)
        .fetch_all(&app.admin)
        .await
        .unwrap()
    };
    let owners = [("other".to_owned(), "manager".to_owned()), ("owner".to_owned(), "manager".to_owned())];
    assert_eq!(roles(&projects[0]).await, owners);
    assert_eq!(roles(&projects[1]).await, [("admin".to_owned(), "manager".to_owned())], "somebody still runs it");
    assert_eq!(roles(&projects[2]).await, owners);
    let events: Vec<Value> =
        team.owner.get("/audit?action=project.inherited").await.is(200).json()["data"].as_array().unwrap().clone();
    assert_eq!(events.len(), 2);
}
