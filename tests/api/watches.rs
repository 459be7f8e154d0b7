//! Who wants to hear of a task, and who does not.

use common::access::Role;
use harness::{Actor, TestApp};
use serde_json::{Value, json};

use crate::people::count;

/// What somebody's deliveries have become.
async fn states(actor: &Actor) -> Vec<(Value, Value)> {
    let list = actor.get("/deliveries").await.is(200).json();
    list["data"].as_array().unwrap().iter().map(|d| (d["state"].clone(), d["reason"].clone())).collect()
}

async fn watchers(actor: &Actor, task: &str) -> Vec<Value> {
    let list = actor.get(&format!("/tasks/{task}/watchers")).await.is(200).json();
    list["data"].as_array().unwrap().iter().map(|watcher| watcher["account_id"].clone()).collect()
}

#[tokio::test]
async fn to_watch_and_to_mute_is_everybodys_own_and_needs_no_more_than_to_see() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let task = team.owner.post("/tasks", json!({ "project": project, "title": "Look" })).await.is(201).text_at("/id");
    let (watch, mute) = (format!("/tasks/{task}/watch"), format!("/tasks/{task}/mute"));
    for path in [&watch, &mute] {
        team.member.put(path, json!(null)).await.is_problem(404, "not_found");
        team.member.delete(path).await.is_problem(404, "not_found");
    }
    team.member.get(&format!("/tasks/{task}/watchers")).await.is_problem(404, "not_found");
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    for _ in 0..2 {
        let now = team.guest.put(&watch, json!(null)).await.is(200).json();
        assert_eq!(now, json!({ "watching": true, "muted": false }));
    }
    assert_eq!(watchers(&team.owner, &task).await, [json!(team.guest.id)]);
    let now = team.guest.put(&mute, json!(null)).await.is(200).json();
    assert_eq!(now, json!({ "watching": false, "muted": true }));
    // That is nobody's business.
    assert_eq!(watchers(&team.owner, &task).await, [] as [Value; 0]);
    // Not to watch is not to hear again; and the other way round.
    let _ = team.guest.delete(&watch).await.is(204);
    assert_eq!(count(&app, "task_watches where state = 'muted'").await, 1);
    let _ = team.guest.delete(&mute).await.is(204);
    let _ = team.guest.put(&watch, json!(null)).await.is(200);
    let _ = team.guest.delete(&mute).await.is(204);
    assert_eq!(watchers(&team.guest, &task).await, [json!(team.guest.id)]);
    let _ = team.guest.delete(&watch).await.is(204);
    assert_eq!(count(&app, "task_watches").await, 0);
    // Whoever has lost sight of it watches nothing.
    let _ = team.guest.put(&watch, json!(null)).await.is(200);
    let _ = team.owner.delete(&grant).await.is(204);
    assert_eq!(watchers(&team.owner, &task).await, [] as [Value; 0]);
}

#[tokio::test]
async fn muting_cancels_ones_own_reminders_of_the_task() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Far away", 3600).await;
    team.reminded_task(&project, "Another", 7200).await;
    let reminder = json!([{ "when": { "at": "2041-01-01T00:00:00Z" }, "to": team.admin.id }]);
    let also = json!({ "project": project, "title": "Also", "assignees": [team.member.id], "reminders": reminder });
    let _ = team.owner.post("/tasks", also).await.is(201);
    let _ = team.member.put(&format!("/tasks/{}/mute", task["id"].as_str().unwrap()), json!(null)).await.is(200);
    let muted = (json!("cancelled"), json!("muted"));
    assert_eq!(states(&team.member).await, [(json!("scheduled"), json!(null)), muted]);
    assert_eq!(states(&team.admin).await.len(), 3, "who may read everybody's");
    assert_eq!(count(&app, "mails where state = 'cancelled'").await, 1);
}

#[tokio::test]
async fn what_is_still_to_come_is_planned_anew_for_who_mutes_a_task_no_longer() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let reminder = json!([{ "when": { "at": "2041-01-01T00:00:00Z" }, "to": "assignees" }]);
    let people = [team.member.id, team.admin.id];
    let task = json!({ "project": project, "title": "Look", "assignees": people, "reminders": reminder });
    let task = team.owner.post("/tasks", task).await.is(201).text_at("/id");
    let (mute, watch) = (format!("/tasks/{task}/mute"), format!("/tasks/{task}/watch"));
    let waiting = || {
        count(
            &app,
            "deliveries d join mails m on m.id = d.mail_id where d.cancelled_at is null and m.state = 'scheduled'",
        )
    };
    assert_eq!(waiting().await, 2);
    let _ = team.member.put(&mute, json!(null)).await.is(200);
    assert_eq!(waiting().await, 1);
    let _ = team.member.delete(&mute).await.is(204);
    assert_eq!(waiting().await, 2);
    // A second time changes nothing; nor does the silence of one concern the other.
    let _ = team.member.delete(&mute).await.is(204);
    assert_eq!((waiting().await, count(&app, "deliveries").await), (2, 3));
    let _ = team.member.put(&mute, json!(null)).await.is(200);
    // To watch is to hear again, too.
    let _ = team.member.put(&watch, json!(null)).await.is(200);
    assert_eq!((waiting().await, count(&app, "deliveries").await), (2, 4));
    let of_admin = format!("deliveries where account_id = '{}'", team.admin.id);
    assert_eq!(count(&app, &of_admin).await, 1);
}

#[tokio::test]
async fn who_is_assigned_watches_unless_they_have_muted_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({ "project": project, "title": "Look", "assignees": [team.member.id] });
    let task = team.owner.post("/tasks", new).await.is(201).text_at("/id");
    assert_eq!(watchers(&team.owner, &task).await, [json!(team.member.id)]);
    let _ = team.admin.put(&format!("/tasks/{task}/mute"), json!(null)).await.is(200);
    let _ = team
        .owner
        .patch(&format!("/tasks/{task}"), json!({ "assignees": [team.admin.id, team.owner.id] }))
        .await
        .is(200);
    let now = watchers(&team.owner, &task).await;
    assert!(now.contains(&json!(team.owner.id)) && !now.contains(&json!(team.admin.id)), "{now:?}");
}

#[tokio::test]
async fn who_is_out_watches_nothing_and_is_told_nothing() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.owner.post("/tasks", json!({ "project": project, "title": "Look" })).await.is(201).text_at("/id");
    let (gone, away) = (app.join(&team, "gone", Role::Member).await, app.join(&team, "away", Role::Member).await);
    for who in [&gone, &away] {
        let _ = who.put(&format!("/tasks/{task}/watch"), json!(null)).await.is(200);
    }
    let _ = team.member.post(&format!("/tasks/{task}/comments"), json!({ "body": "Hello" })).await.is(201);
    assert_eq!(count(&app, "deliveries where kind = 'comment' and cancelled_at is null").await, 2);
    let _ = team.owner.delete(&format!("/members/{}", gone.id)).await.is(204);
    let _ = team.owner.put(&format!("/members/{}/suspension", away.id), json!(null)).await.is(200);
    let reasons: Vec<(String, String)> = sqlx::query_as(
        "select m.state, d.reason from deliveries d join mails m on m.id = d.mail_id where d.kind = 'comment' order by d.reason",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let cancelled = |why: &str| ("cancelled".to_owned(), why.to_owned());
    assert_eq!(reasons, [cancelled("member removed"), cancelled("member suspended")]);
    assert_eq!(watchers(&team.owner, &task).await, [json!(team.member.id)]);
    // Who comes back is who they were: a suspended one still watches, one who was removed begins anew.
    assert_eq!(count(&app, &format!("task_watches where account_id = '{}'", gone.id)).await, 0);
    let _ = team.owner.delete(&format!("/members/{}/suspension", away.id)).await.is(200);
    assert_eq!(watchers(&team.owner, &task).await, [json!(away.id), json!(team.member.id)]);
}

#[tokio::test]
async fn what_somebody_has_muted_is_listed_for_them_alone_as_far_as_they_see_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (project, other) = (team.project("OPS", "open").await, team.project("SEC", "private").await);
    let task = team.reminded_task(&project, "Oil the gears", 3600).await;
    let task = task["id"].as_str().unwrap();
    let grant = format!("/projects/{other}/grants/{}", team.member.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    for path in [format!("/tasks/{task}/mute"), format!("/projects/{other}/mute")] {
        let _ = team.member.put(&path, json!(null)).await.is(200);
    }
    let listed = async |actor: &Actor| {
        let mutes = actor.get("/mutes").await.is(200).json();
        let one = |mute: &Value| (mute["project_id"].clone(), mute["task_id"].clone());
        mutes["data"].as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    let [of_task, of_project] = [(json!(project), json!(task)), (json!(other), json!(null))];
    assert_eq!(listed(&team.member).await, [of_project, of_task.clone()]);
    assert_eq!(listed(&team.owner).await, []);
    let _ = team.owner.delete(&grant).await.is(204);
    assert_eq!(listed(&team.member).await, [of_task]);
    let _ = team.member.delete(&format!("/tasks/{task}/mute")).await.is(204);
    assert_eq!(listed(&team.member).await, []);
}

#[tokio::test]
async fn what_was_said_about_a_task_is_not_mailed_once_it_is_muted_deleted_or_archived() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for (end, why) in [("mute", "muted"), ("", "task deleted"), ("archive", "project archived")] {
        let new = json!({ "project": project, "title": "Look", "assignees": [team.member.id, team.admin.id] });
        let task = team.owner.post("/tasks", new).await.is(201).text_at("/id");
        // Of a task that is done, too.
        let _ = team.owner.put(&format!("/tasks/{task}/completion"), json!(null)).await.is(200);
        let _ = team.owner.post(&format!("/tasks/{task}/comments"), json!({ "body": "Hello" })).await.is(201);
        let _ = match end {
            "mute" => team.member.put(&format!("/tasks/{task}/mute"), json!(null)).await.is(200),
            "archive" => team.owner.put(&format!("/projects/{project}/archive"), json!(null)).await.is(200),
            _ => team.owner.delete(&format!("/tasks/{task}")).await.is(204),
        };
        let mails: Vec<(String, String, Option<String>)> = sqlx::query_as(
            "select a.name, m.state, d.reason from deliveries d join mails m on m.id = d.mail_id join accounts a on a.id = d.account_id
             where d.task_id = $1::uuid order by a.name",
        )
        .bind(&task)
        .fetch_all(&app.admin)
        .await
        .unwrap();
        let cancelled = |name: &str| (name.to_owned(), "cancelled".to_owned(), Some(why.to_owned()));
        let other = if end == "mute" { ("admin".to_owned(), "scheduled".to_owned(), None) } else { cancelled("admin") };
        assert_eq!(mails, [other, cancelled("member")], "{end}");
    }
}
