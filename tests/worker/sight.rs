//! Whoever comes to see a task, or sees it again, is owed what is still to come; and nobody is told twice.

use std::time::Duration;

use common::{
    mails::{self, Outcome},
    secrets::Purpose,
};
use harness::TestApp;
use serde_json::{Value, json};

use crate::last_moment::{end, in_hand};
use crate::replans::{arrange, fate, hold_new_mails, make, move_to, owed, plan, plan_twice, waiting};

#[tokio::test]
async fn whoever_comes_to_see_a_task_is_owed_what_is_still_to_come() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    make(&team, &project, json!({ "at": "2031-01-10T12:00:00Z" })).await;
    let live = || fate("2031-01-10T12:00", "scheduled", "");
    assert_eq!((owed(&app, team.member.id).await, waiting(&app).await), (vec![], 0));
    // By a role in the project.
    let grant = format!("/projects/{project}/grants/{}", team.member.id);
    let viewer = json!({ "role": "viewer" });
    let _ = team.owner.put(&grant, viewer.clone()).await.is(200);
    assert_eq!((plan(&app).await, owed(&app, team.member.id).await), (1, vec![live()]));
    // Another role in it shows them nothing new.
    let _ = team.owner.put(&grant, json!({ "role": "editor" })).await.is(200);
    assert_eq!(waiting(&app).await, 0);
    // In a project that is opened.
    let other = team.project("DEV", "private").await;
    let path = format!("/projects/{other}");
    make(&team, &other, json!({ "at": "2031-02-10T12:00:00Z" })).await;
    let open = json!({ "visibility": "open" });
    let _ = team.owner.patch(&path, open.clone()).await.is(200);
    // Whom nothing in it tells waits for nothing.
    assert_eq!(plan(&app).await, 1);
    let both = [live(), fate("2031-02-10T12:00", "scheduled", "")];
    assert_eq!(owed(&app, team.member.id).await, both);
    let _ = team.owner.patch(&path, open).await.is(200);
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn whoever_gets_a_role_that_sees_a_task_is_owed_what_is_still_to_come() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let role = async |role: &str| {
        let path = format!("/members/{}/role", team.member.id);
        let _ = team.owner.put(&path, json!({ "role": role })).await.is(200);
    };
    let custom = async |key: &str, permissions: Value| {
        let new = json!({ "key": key, "name": key, "permissions": permissions });
        team.owner.post("/roles", new).await.is(201).header("etag").unwrap().to_owned()
    };
    let tag = custom("blind", json!(["members:list"])).await;
    role("guest").await;
    assert_eq!(waiting(&app).await, 0);
    make(&team, &project, json!({ "at": "2031-01-10T12:00:00Z" })).await;
    assert_eq!(owed(&app, team.member.id).await, []);
    role("member").await;
    assert_eq!(plan(&app).await, 1);
    assert_eq!(owed(&app, team.member.id).await.len(), 1);
    // A role of the organization's own, edited; and one that is replaced.
    role("blind").await;
    make(&team, &project, json!({ "at": "2031-02-10T12:00:00Z" })).await;
    assert_eq!((waiting(&app).await, owed(&app, team.member.id).await.len()), (0, 1));
    let seeing = json!({ "permissions": ["members:list", "tasks:read"] });
    let _ = team.owner.patch_if(&tag, "/roles/blind", seeing).await.is(200);
    assert_eq!(plan(&app).await, 1);
    assert_eq!(owed(&app, team.member.id).await.len(), 2);
    let tag = custom("other", json!(["members:list"])).await;
    role("other").await;
    make(&team, &project, json!({ "at": "2031-03-10T12:00:00Z" })).await;
    let _ = team.owner.delete_if(&tag, "/roles/other?replacement=member").await.is(204);
    assert_eq!(plan(&app).await, 1);
    let all: Vec<_> = owed(&app, team.member.id).await;
    assert_eq!(all, ["2031-01-10T12:00", "2031-02-10T12:00", "2031-03-10T12:00"].map(|at| fate(at, "scheduled", "")),);
}

#[tokio::test]
async fn whoever_is_let_in_again_is_owed_reminders_of_their_own() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let at = json!({ "at": "2031-01-10T12:00:00Z" });
    let new = json!({
        "project": project, "title": "Look", "assignees": [team.member.id], "due": at,
        "reminders": [
            { "when": { "offset": "PT0S" }, "to": "assignees" },
            { "when": { "offset": "-PT1H" }, "to": team.member.id },
        ],
    });
    let _ = team.owner.post("/tasks", new).await.is(201);
    let suspended = format!("/members/{}/suspension", team.member.id);
    let _ = team.owner.put(&suspended, json!(null)).await.is(200);
    assert_eq!(waiting(&app).await, 0);
    let _ = team.owner.delete(&suspended).await.is(200);
    assert_eq!(plan(&app).await, 1);
    let mut now = owed(&app, team.member.id).await;
    now.sort_unstable();
    let expected = [
        fate("2031-01-10T11:00", "cancelled", "member suspended"),
        fate("2031-01-10T11:00", "scheduled", ""),
        fate("2031-01-10T12:00", "cancelled", "member suspended"),
    ];
    assert_eq!(now, expected);
}

#[tokio::test]
async fn whoever_leaves_and_is_invited_again_is_owed_reminders_of_their_own() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({
        "project": project, "title": "Look", "due": { "at": "2031-01-10T12:00:00Z" },
        "reminders": [{ "when": { "offset": "-PT1H" }, "to": team.member.id }],
    });
    let _ = team.owner.post("/tasks", new).await.is(201);
    let mut expected = Vec::new();
    let removal = format!("/members/{}", team.member.id);
    for (actor, path, reason) in
        [(&team.owner, removal.as_str(), "member removed"), (&team.member, "/members/me", "member left")]
    {
        let _ = actor.delete(path).await.is(204);
        expected.push(fate("2031-01-10T11:00", "cancelled", reason));
        assert_eq!((plan(&app).await, owed(&app, team.member.id).await), (0, expected.clone()));
        let offer = json!({ "email": team.member.email, "role": "member" });
        let invited = team.owner.post("/invitations", offer).await.is(201).text_at("/id").parse().unwrap();
        let acceptance = json!({ "invitation": app.key.mailed_token(Purpose::Invitation, invited).reveal() });
        let _ = team.member.post("/v1/me/memberships", acceptance).await.is(201);
        assert_eq!(plan(&app).await, 1);
        let now = owed(&app, team.member.id).await;
        assert_eq!(now, [&expected[..], &[fate("2031-01-10T11:00", "scheduled", "")]].concat());
    }
}

#[tokio::test]
async fn whoever_comes_to_see_a_task_while_it_is_assigned_to_them_is_told_of_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let new = json!({
        "project": project, "title": "Look", "due": { "at": "2031-01-10T12:00:00Z" },
        "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }],
    });
    let task = team.owner.post("/tasks", new).await.is(201).text_at("/id");
    let held = hold_new_mails(&app).await;
    let assignment = {
        // Of both the owner alone sees it, and is owed a mail.
        let (owner, both) = (team.owner.clone(), json!({ "assignees": [team.owner.id, team.member.id] }));
        tokio::spawn(async move { owner.patch(&format!("/tasks/{task}"), both).await.is(200).json() })
    };
    harness::eventually("it is planned for whoever sees it", async || (app.waiting().await == 1).then_some(())).await;
    let grant = format!("/projects/{project}/grants/{}", team.member.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    assert_eq!((plan(&app).await, plan(&app).await), (1, 0));
    held.commit().await.unwrap();
    assignment.await.unwrap();
    plan_twice(&app).await;
    assert_eq!(owed(&app, team.member.id).await, [fate("2031-01-10T12:00", "scheduled", "")]);
}

#[tokio::test]
async fn whoever_may_not_see_a_task_for_a_while_is_told_of_it_if_they_may_when_it_is_time() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let grant = format!("/projects/{project}/grants/{}", team.member.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    assert_eq!(plan(&app).await, 1);
    make(&team, &project, json!({ "date": "2031-01-10" })).await;
    make(&team, &project, json!({ "at": "2031-01-11T12:00:00Z" })).await;
    // Not theirs to see, and then not there: they live by other clocks meanwhile.
    let _ = team.owner.delete(&grant).await.is(204);
    move_to(&team.member, "Asia/Tokyo").await;
    assert_eq!(plan(&app).await, 1);
    let moved = [
        fate("2031-01-10T08:00", "cancelled", "planned anew"),
        fate("2031-01-11T12:00", "scheduled", ""),
        fate("2031-01-10T00:00", "scheduled", ""),
    ];
    assert_eq!(owed(&app, team.member.id).await, moved);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    assert_eq!((plan(&app).await, owed(&app, team.member.id).await), (1, moved.to_vec()));
    arrange(&app, "update organizations set deletion_due_at = now() + interval '14 days'").await;
    move_to(&team.member, "America/New_York").await;
    assert_eq!(plan(&app).await, 1);
    arrange(&app, "update organizations set deletion_due_at = null").await;
    let live: Vec<_> =
        owed(&app, team.member.id).await.into_iter().filter(|(_, state, _)| state == "scheduled").collect();
    assert_eq!(live, [fate("2031-01-11T12:00", "scheduled", ""), fate("2031-01-10T14:00", "scheduled", "")]);
}

#[tokio::test]
async fn who_has_been_told_is_not_told_again_when_the_task_is_opened_or_moved() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (project, other) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    let task = make(&team, &project, json!({ "date": "2031-01-10" })).await;
    // By the clock before it was nine already.
    for (state, lease) in [("claimed", "now()"), ("sending", "now()"), ("sent", "null")] {
        arrange(&app, &format!("update mails set state = '{state}', lease_until = {lease}")).await;
    }
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    let completion = format!("{path}/completion");
    let _ = team.owner.put(&completion, json!(null)).await.is(200);
    let open = team.owner.delete(&completion).await.is(200).json();
    assert_eq!(open["reminders"][0]["plan"][0]["skipped"], "already_past", "{open}");
    let moved = team.owner.patch(&path, json!({ "project": other })).await.is(200).json();
    assert_eq!(moved["reminders"][0]["plan"][0]["skipped"], "already_past", "{moved}");
    let sent = fate("2031-01-10T08:00", "sent", "");
    assert_eq!(owed(&app, team.member.id).await, std::slice::from_ref(&sent));
    // Another due value is another matter, and going back to the first one is not.
    let _ = team.owner.patch(&path, json!({ "due": { "date": "2031-01-20" } })).await.is(200);
    let _ = team.owner.patch(&path, json!({ "due": { "date": "2031-01-10" } })).await.is(200);
    move_to(&team.member, "America/New_York").await;
    assert_eq!(plan(&app).await, 1);
    assert_eq!(owed(&app, team.member.id).await, [sent, fate("2031-01-20T08:00", "cancelled", "due changed")]);
}

#[tokio::test]
async fn what_is_on_its_way_when_its_task_is_moved_goes_on_though_this_try_fails() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (from, to) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    let task = team.reminded_task(&from, "Look", 3600).await;
    let (db, _) = app.worker_db().await;
    let (claim, content) = in_hand(&app, &db).await;
    assert!(mails::mark_sending(&db, &claim, &content).await.unwrap());
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    let moved = team.owner.patch(&path, json!({ "project": to })).await.is(200).json();
    assert_eq!(moved["reminders"][0]["plan"][0]["skipped"], "already_past", "{moved}");
    end(&db, &claim, Outcome::Retry(Duration::ZERO)).await;
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
    assert_eq!(app.inbox.messages().len(), 1);
}
