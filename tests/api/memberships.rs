use common::access::Role;
use futures::future::join_all;
use harness::{Actor, TestApp};
use serde_json::json;

async fn set_role(actor: &Actor, target: &Actor, role: &str) -> harness::Reply {
    actor.put(&format!("/members/{}/role", target.id), json!({ "role": role })).await
}

#[tokio::test]
async fn members_see_each_other_and_a_guest_those_of_their_own_projects() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let members = team.member.get("/members").await.is(200).json();
    let roles: Vec<_> =
        members["data"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap().to_owned()).collect();
    assert_eq!(roles, ["owner", "admin", "member", "guest"]);
    let seen = async || {
        let list = team.guest.get("/members").await.is(200).json();
        list["data"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, ["guest"]);
    let project = team.project("OPS", "private").await;
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    assert_eq!(seen().await, ["owner", "guest"]);
}

#[tokio::test]
async fn a_role_change_counts_from_the_next_request_on() {
    let app = TestApp::start().await;
    let team = app.team().await;
    team.member.get("/invitations").await.is_problem(403, "permission_missing");
    assert_eq!(set_role(&team.admin, &team.member, "admin").await.is(200).json()["role"], "admin");
    let _ = team.member.get("/invitations").await.is(200);
    let _ = set_role(&team.owner, &team.member, "guest").await.is(200);
    let problem = team.member.get("/roles").await.is_problem(403, "permission_missing");
    assert!(problem["detail"].as_str().unwrap().contains("members:list"), "{problem}");
}

#[tokio::test]
async fn nobody_gives_or_takes_a_role_above_their_own() {
    let app = TestApp::start().await;
    let team = app.team().await;
    set_role(&team.admin, &team.owner, "member").await.is_problem(403, "role_above_own");
    set_role(&team.admin, &team.member, "owner").await.is_problem(403, "role_above_own");
    set_role(&team.admin, &team.admin, "owner").await.is_problem(403, "self_promotion");
    set_role(&team.member, &team.guest, "member").await.is_problem(403, "permission_missing");
    set_role(&team.admin, &app.person("outsider").await, "member").await.is_problem(404, "not_found");
    let _ = set_role(&team.owner, &team.member, "owner").await.is(200);
    let _ = set_role(&team.admin, &team.admin, "guest").await.is(200);
}

#[tokio::test]
async fn the_last_owner_stays() {
    let app = TestApp::start().await;
    let team = app.team().await;
    set_role(&team.owner, &team.owner, "admin").await.is_problem(409, "last_owner");
    let _ = set_role(&team.owner, &team.admin, "owner").await.is(200);
    let _ = set_role(&team.owner, &team.owner, "admin").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_who_demote_each_other_at_once_leave_one() {
    let app = TestApp::start().await;
    for round in 0..10 {
        let team = app.team().await;
        let other = app.join(&team, &format!("other{round}"), Role::Owner).await;
        let replies =
            join_all([set_role(&team.owner, &other, "member"), set_role(&other, &team.owner, "member")]).await;
        let mut statuses: Vec<u16> = replies.iter().map(harness::Reply::status).collect();
        statuses.sort_unstable();
        // The second waits for the first, and then is no owner any more.
        assert_eq!(statuses, [200, 403], "{replies:?}");
        let owners: i64 = sqlx::query_scalar("select count(*) from memberships where org_id = $1 and role = 'owner'")
            .bind(team.id.0)
            .fetch_one(&app.admin)
            .await
            .unwrap();
        assert_eq!(owners, 1);
    }
}

#[tokio::test]
async fn the_database_itself_refuses_an_organization_without_an_owner() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let fault = sqlx::query("update memberships set role = 'member' where account_id = $1 and role = 'owner'")
        .bind(team.owner.id.0)
        .execute(&app.admin)
        .await
        .unwrap_err();
    assert_eq!(fault.as_database_error().unwrap().constraint(), Some("memberships_active_owner"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_changes_and_a_task_that_is_created_do_not_wait_for_each_other() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let reminder = json!({ "when": { "at": "2031-01-01T00:00:00Z" }, "to": "me" });
    let task = json!({ "project": project, "title": "Beside", "reminders": [reminder] });
    let roles = async {
        for round in 0..30 {
            let role = if round % 2 == 0 { "member" } else { "admin" };
            let _ = set_role(&team.owner, &team.admin, role).await.is(200);
        }
    };
    let tasks = join_all((0..3).map(async |_| {
        for _ in 0..15 {
            let _ = team.admin.post("/tasks", task.clone()).await.is(201);
        }
    }));
    tokio::join!(roles, tasks);
}
