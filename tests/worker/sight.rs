//! Whoever comes to see a task, or sees it again, is owed what is still to come; and nobody is told twice.

use common::reminders;
use harness::TestApp;
use serde_json::{Value, json};

use crate::replans::{arrange, fate, make, move_to, owed, waiting};

/// Plans for whoever waits for it; how many there were.
async fn plan(app: &TestApp) -> u64 {
    let (db, _) = app.worker_db().await;
    reminders::replan_asked(&db, 100).await.unwrap()
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
    assert_eq!(owed(&app, team.member.id).await, [sent.clone()]);
    // Another due value is another matter, and going back to the first one is not.
    let _ = team.owner.patch(&path, json!({ "due": { "date": "2031-01-20" } })).await.is(200);
    let _ = team.owner.patch(&path, json!({ "due": { "date": "2031-01-10" } })).await.is(200);
    move_to(&team.member, "America/New_York").await;
    assert_eq!(plan(&app).await, 1);
    assert_eq!(owed(&app, team.member.id).await, [sent, fate("2031-01-20T08:00", "cancelled", "due changed")]);
}
