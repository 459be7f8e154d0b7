//! What two people do at the same moment. The first request is stopped at a row that somebody else holds, the second then does
//! what it can; after that both go on. Each of these went wrong once.

use std::future::Future;

use common::{access::Role, secrets::Purpose};
use futures::future::join_all;
use harness::{Actor, PASSWORD, Reply, TestApp};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::people::count;

/// Starts `first`, which comes as far as what `hold` holds; starts `second`, until it waits for the first or has ended; lets go.
pub(crate) async fn interleaved(
    app: &TestApp,
    hold: String,
    first: impl Future<Output = Reply> + Send + 'static,
    second: impl Future<Output = Reply> + Send + 'static,
) -> (Reply, Reply) {
    let mut holder = app.admin.begin().await.unwrap();
    sqlx::query(AssertSqlSafe(hold)).execute(&mut *holder).await.unwrap();
    let first = tokio::spawn(first);
    harness::eventually("the first is stopped", async || (app.waiting().await == 1).then_some(())).await;
    let second = tokio::spawn(second);
    let stopped = async || (second.is_finished() || app.waiting().await == 2).then_some(());
    harness::eventually("the second has done what it can", stopped).await;
    holder.rollback().await.unwrap();
    (first.await.unwrap(), second.await.unwrap())
}

pub(crate) async fn post(actor: Actor, path: String, body: Value) -> Reply {
    actor.post(&path, body).await
}

pub(crate) async fn put(actor: Actor, path: String, body: Value) -> Reply {
    actor.put(&path, body).await
}

async fn remove(actor: Actor, target: Actor) -> Reply {
    actor.delete(&format!("/members/{}", target.id)).await
}

async fn give(actor: Actor, target: Actor, role: &'static str) -> Reply {
    actor.put(&format!("/members/{}/role", target.id), json!({ "role": role })).await
}

pub(crate) fn row(table: &str, column: &str, id: impl std::fmt::Display) -> String {
    format!("select from {table} where {column} = '{id}' for update")
}

fn reminder(to: &str) -> Value {
    json!({ "when": { "at": "2041-01-01T00:00:00Z" }, "to": to })
}

#[tokio::test]
async fn nobody_is_assigned_who_was_removed_at_that_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for round in 0..5 {
        let hand = app.join(&team, "hand", Role::Member).await;
        let task = json!({
            "project": project, "title": "Look", "assignees": [team.member.id, hand.id], "reminders": [reminder("assignees")]
        });
        let making = post(team.owner.clone(), "/tasks".into(), task);
        let hold = row("projects", "id", &project);
        let (made, removed) = if round % 2 == 0 {
            interleaved(&app, hold, making, remove(team.admin.clone(), hand.clone())).await
        } else {
            let suspending = put(team.admin.clone(), format!("/members/{}/suspension", hand.id), json!(null));
            interleaved(&app, hold, making, suspending).await
        };
        assert_eq!((made.status(), removed.status()), (201, if round % 2 == 0 { 204 } else { 200 }));
        assert_eq!(count(&app, &format!("task_assignees where account_id = '{}'", hand.id)).await, 0);
        let owed = format!("deliveries where cancelled_at is null and account_id = '{}'", hand.id);
        assert_eq!(count(&app, &owed).await, 0);
    }
    assert_eq!(count(&app, &format!("task_assignees where account_id = '{}'", team.member.id)).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_and_removals_in_whatever_order_leave_nobody_assigned_who_is_out() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for _ in 0..25 {
        let hand = app.join(&team, "hand", Role::Member).await;
        let task = json!({ "project": project, "title": "Look", "assignees": [hand.id], "reminders": [reminder("assignees")] });
        let tasks = join_all((0..3).map(|_| team.owner.post("/tasks", task.clone())));
        let (made, removed) = tokio::join!(tasks, remove(team.admin.clone(), hand.clone()));
        let _ = removed.is(204);
        assert!(made.iter().all(|reply| matches!(reply.status(), 201 | 409)), "{made:?}");
    }
    let left = "task_assignees a join memberships m using (org_id, account_id) where m.status <> 'active'";
    assert_eq!(count(&app, left).await, 0);
    let owed = "deliveries d join memberships m using (org_id, account_id) where m.status <> 'active' and d.cancelled_at is null";
    assert_eq!(count(&app, owed).await, 0);
}

#[tokio::test]
async fn nobody_is_owed_a_reminder_who_was_removed_at_that_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (own, other) = (app.join(&team, "own", Role::Member).await, app.join(&team, "other", Role::Member).await);
    for (actor, to) in [(&own, "me".to_owned()), (&team.owner, other.id.to_string())] {
        let task = json!({ "project": project, "title": "Look", "reminders": [reminder(&to)] });
        let gone = if to == "me" { own.clone() } else { other.clone() };
        let making = post(actor.clone(), "/tasks".into(), task);
        let removing = remove(team.admin.clone(), gone.clone());
        let (made, removed) = interleaved(&app, row("projects", "id", &project), making, removing).await;
        assert_eq!((made.status(), removed.status()), (201, 204));
        let owed = format!("deliveries where cancelled_at is null and account_id = '{}'", gone.id);
        assert_eq!(count(&app, &owed).await, 0, "{to}");
    }
}

#[tokio::test]
async fn nobody_is_granted_a_role_who_was_removed_at_that_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (one, other) = (app.join(&team, "one", Role::Admin).await, app.join(&team, "other", Role::Guest).await);
    // To themselves, and to somebody else.
    for (actor, gone) in [(&one, &one), (&team.admin, &other)] {
        let granting =
            put(actor.clone(), format!("/projects/{project}/grants/{}", gone.id), json!({ "role": "manager" }));
        let removing = remove(team.owner.clone(), gone.clone());
        let (granted, removed) = interleaved(&app, row("projects", "id", &project), granting, removing).await;
        assert_eq!((granted.status(), removed.status()), (200, 204));
        assert_eq!(count(&app, &format!("project_grants where account_id = '{}'", gone.id)).await, 0);
    }
}

#[tokio::test]
async fn no_project_is_left_to_nobody_by_who_was_removed_at_that_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let new = json!({ "key": "NEW", "name": "New", "visibility": "private" });
    // A key that may be taken in a moment is waited for.
    let hold = format!(
        "insert into projects (org_id, id, key, name, created_by) values ('{}', gen_random_uuid(), 'NEW', 'x', '{}')",
        team.id, team.owner.id
    );
    let making = post(team.member.clone(), "/projects".into(), new);
    let (made, removed) = interleaved(&app, hold, making, remove(team.admin.clone(), team.member.clone())).await;
    assert_eq!(removed.status(), 204);
    let grants = team.owner.get(&format!("/projects/{}/grants", made.is(201).text_at("/id"))).await.is(200).json();
    assert_eq!(grants["data"], json!([{ "account_id": team.owner.id, "role": "manager" }]));
}

#[tokio::test]
async fn no_token_is_made_by_who_was_removed_at_that_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let new = json!({ "name": "a program", "org": team.slug, "scopes": ["tasks:read"] });
    let making = post(team.member.clone(), "/v1/me/tokens".into(), new);
    let removing = remove(team.admin.clone(), team.member.clone());
    let (made, removed) = interleaved(&app, "lock table audit_events in share mode".into(), making, removing).await;
    assert_eq!((made.status(), removed.status()), (201, 204));
    assert_eq!(count(&app, "tokens where revoked_at is null").await, 0);
    let program = team.member.with_token(Some(&made.text_at("/token")));
    program.get("/tasks").await.is_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_who_leave_at_once_leave_one() {
    let app = TestApp::start().await;
    for round in 0..24 {
        let team = app.team().await;
        let other = app.join(&team, "other", Role::Owner).await;
        let (mine, theirs) = (format!("/members/{}", team.owner.id), format!("/members/{}", other.id));
        let suspension = |path: &str| format!("{path}/suspension");
        let go = async |who: &Actor, own: &str, others: &str| match round % 4 {
            0 => who.delete("/members/me").await,
            1 => who.delete(others).await,
            2 => who.put(&suspension(others), json!(null)).await,
            _ => who.put(&suspension(own), json!(null)).await,
        };
        let (one, two) = tokio::join!(go(&team.owner, &mine, &theirs), go(&other, &theirs, &mine));
        let mut statuses = [one.status(), two.status()];
        statuses.sort_unstable();
        // The second finds itself the last, or out.
        assert!(matches!(statuses, [200 | 204, 409 | 404]), "{round}: {one:?} {two:?}");
        let owners = format!("memberships where role = 'owner' and status = 'active' and org_id = '{}'", team.id);
        assert_eq!(count(&app, &owners).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_invitation_that_is_accepted_many_times_at_once_gives_one_membership() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for _ in 0..12 {
        let eve = app.person("eve").await;
        let offer = json!({ "email": eve.email, "role": "member" });
        let id = team.owner.post("/invitations", offer).await.is(201).text_at("/id").parse().unwrap();
        let token = json!({ "invitation": app.key.mailed_token(Purpose::Invitation, id).reveal() });
        let replies = join_all((0..5).map(|_| eve.post("/v1/me/memberships", token.clone()))).await;
        let mut statuses: Vec<u16> = replies.iter().map(Reply::status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 404, 404, 404, 404], "{replies:?}");
        assert_eq!(count(&app, &format!("memberships where account_id = '{}'", eve.id)).await, 1);
        let joined = format!("audit_events where action = 'invitation.accepted' and actor_id = '{}'", eve.id);
        assert_eq!(count(&app, &joined).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_managers_who_demote_each_other_at_once_leave_one() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for round in 0..12 {
        let project = team.project(&format!("OPS{round}"), "private").await;
        let path = |who: &Actor| format!("/projects/{project}/grants/{}", who.id);
        let _ = team.owner.put(&path(&team.member), json!({ "role": "manager" })).await.is(200);
        let viewer = json!({ "role": "viewer" });
        let (demoted, withdrawn, of_owner, of_member) = (viewer, round % 2 == 0, path(&team.owner), path(&team.member));
        let (one, two) = if withdrawn {
            tokio::join!(team.owner.delete(&of_member), team.member.delete(&of_owner))
        } else {
            tokio::join!(team.owner.put(&of_member, demoted.clone()), team.member.put(&of_owner, demoted.clone()))
        };
        let mut statuses = [one.status(), two.status()];
        statuses.sort_unstable();
        // Who waited is no manager any more, or sees nothing at all.
        assert!(matches!(statuses, [200, 403] | [204, 404 | 403]), "{round}: {one:?} {two:?}");
        let managers = format!("project_grants where role = 'manager' and project_id = '{project}'");
        assert_eq!(count(&app, &managers).await, 1);
    }
}

#[tokio::test]
async fn who_keeps_two_members_and_who_changes_them_never_wait_for_each_other() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for person in [&team.owner, &team.admin] {
        app.give_password(person).await;
    }
    let project = team.project("OPS", "open").await;
    // Ids are in the order of time: the owner, then the admin, then the member.
    let task = |people: [&Actor; 2]| {
        let people = people.map(|person| person.id);
        let new = json!({ "project": project, "title": "Look", "assignees": people });
        post(team.owner.clone(), "/tasks".into(), new)
    };
    let member = |who: &Actor| row("memberships", "account_id", who.id);
    // The task has the first of two and wants the second, who changes the first's role.
    let changing = give(team.admin.clone(), team.member.clone(), "guest");
    let (made, changed) = interleaved(&app, member(&team.member), task([&team.admin, &team.member]), changing).await;
    assert_eq!((made.status(), changed.status()), (201, 200));
    let second = app.join(&team, "second", Role::Owner).await;
    let changing = give(second.clone(), team.admin.clone(), "member");
    let (made, changed) = interleaved(&app, member(&team.admin), task([&team.admin, &second]), changing).await;
    assert_eq!((made.status(), changed.status()), (201, 200));
    // A role that two have is replaced.
    let _ = team
        .owner
        .post("/roles", json!({ "key": "hand", "name": "Hand", "permissions": ["tasks:read"] }))
        .await
        .is(201);
    for person in [&team.member, &team.admin] {
        let _ = give(team.owner.clone(), person.clone(), "hand").await.is(200);
    }
    let owner = team.owner.clone();
    let replacing = async move { owner.delete("/roles/hand?replacement=member").await };
    let (made, gone) = interleaved(&app, member(&team.admin), task([&team.admin, &team.member]), replacing).await;
    assert_eq!((made.status(), gone.status()), (201, 204));
    // The organization is handed over to the second of two by the first.
    let body = json!({ "account": team.member.id, "password": PASSWORD });
    let handing = post(team.owner.clone(), "/transfer".into(), body);
    let (handed, made) = interleaved(&app, member(&team.member), handing, task([&team.owner, &team.member])).await;
    assert_eq!((handed.status(), made.status()), (200, 201));
}

#[tokio::test]
async fn who_archives_a_project_and_who_removes_one_of_its_people_never_wait_for_each_other() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let archive = format!("/projects/{project}/archive");
    let grant = format!("/projects/{project}/grants/{}", team.member.id);
    let _ = team.owner.put(&grant, json!({ "role": "editor" })).await.is(200);
    team.reminded_task(&project, "Look", 3600).await;
    let mail: uuid::Uuid = sqlx::query_scalar("select id from mails").fetch_one(&app.admin).await.unwrap();
    let removing = remove(team.owner.clone(), team.member.clone());
    let archiving = put(team.owner.clone(), archive, json!(null));
    let (removed, archived) = interleaved(&app, row("mails", "id", mail), removing, archiving).await;
    assert_eq!((removed.status(), archived.status()), (204, 200));
    assert_eq!(count(&app, "deliveries where reason = 'member removed'").await, 1);
}
