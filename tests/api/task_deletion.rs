//! Deleting a task, restoring it, and what goes for good.

use common::purge::{Purged, purge};
use harness::{Actor, Team, TestApp};
use serde_json::{Value, json};

use crate::people::{arrange, count};

async fn make(team: &Team, project: &str, parent: Option<&str>) -> String {
    let new = json!({
        "project": project, "title": "Look", "assignees": [team.member.id], "parent": parent,
        "reminders": [{ "when": { "at": "2041-01-01T00:00:00Z" }, "to": "assignees" }],
    });
    team.owner.post("/tasks", new).await.is(201).text_at("/key")
}

async fn states(actor: &Actor) -> Vec<(Value, Value)> {
    let list = actor.get("/deliveries").await.is(200).json();
    list["data"].as_array().unwrap().iter().rev().map(|d| (d["state"].clone(), d["reason"].clone())).collect()
}

async fn task_count(app: &TestApp, project: &str) -> i32 {
    sqlx::query_scalar("select task_count from projects where id = $1::uuid")
        .bind(project)
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_deleted_task_is_shown_to_those_who_may_restore_it_and_is_in_no_list() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    let task = make(&team, &project, None).await;
    let path = format!("/tasks/{task}");
    let _ = team.member.delete(&path).await.is(204);
    assert_eq!(team.owner.get("/tasks").await.is(200).json()["data"], json!([]));
    assert!(team.owner.get(&path).await.is(200).json()["deleted_at"].is_string());
    team.guest.get(&path).await.is_problem(404, "not_found");
    team.guest.get(&format!("{path}/history")).await.is_problem(404, "not_found");
    // Whoever may restore it is told what is in the way; it is deleted once.
    team.owner.patch(&path, json!({ "title": "No" })).await.is_problem(409, "task_deleted");
    team.owner.put(&format!("{path}/completion"), json!(null)).await.is_problem(409, "task_deleted");
    team.owner.delete(&path).await.is_problem(409, "task_deleted");
    team.guest.put(&format!("{path}/completion"), json!(null)).await.is_problem(404, "not_found");
    team.guest.delete(&format!("{path}/deletion")).await.is_problem(403, "permission_missing");
    assert_eq!(states(&team.member).await, [(json!("cancelled"), json!("task deleted"))]);
    let back = team.member.delete(&format!("{path}/deletion")).await.is(200).json();
    assert_eq!((&back["deleted_at"], &back["key"]), (&json!(null), &json!(task)));
    assert_eq!(back["reminders"][0]["plan"][0]["skipped"], json!(null));
    assert_eq!(states(&team.member).await[1], (json!("scheduled"), json!(null)));
    // A second time changes nothing.
    assert_eq!(team.member.delete(&format!("{path}/deletion")).await.is(200).json()["version"], back["version"]);
    let _ = team.guest.get(&path).await.is(200);
}

#[tokio::test]
async fn subtasks_go_with_their_task_and_come_back_with_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let whole = make(&team, &project, None).await;
    let (early, part) = (make(&team, &project, Some(&whole)).await, make(&team, &project, Some(&whole)).await);
    let _ = team.owner.delete(&format!("/tasks/{early}")).await.is(204);
    assert_eq!(task_count(&app, &project).await, 2);
    let _ = team.owner.delete(&format!("/tasks/{whole}")).await.is(204);
    assert_eq!(task_count(&app, &project).await, 0);
    assert!(states(&team.member).await.iter().all(|(state, _)| state == "cancelled"));
    let of = async |key: &str| team.owner.get(&format!("/tasks/{key}")).await.is(200).json()["deleted_at"].is_string();
    assert!(of(&part).await);
    team.owner.delete(&format!("/tasks/{part}/deletion")).await.is_problem(409, "parent_deleted");
    let back = team.owner.delete(&format!("/tasks/{whole}/deletion")).await.is(200).json();
    assert_eq!(back["subtask_count"], 1);
    assert_eq!(back["reminders"].as_array().unwrap().len(), 2, "of the task and of what came back with it");
    // What was deleted before stays deleted.
    assert_eq!((of(&whole).await, of(&part).await, of(&early).await), (false, false, true));
    assert_eq!(task_count(&app, &project).await, 2);
    let _ = team.owner.delete(&format!("/tasks/{early}/deletion")).await.is(200);
    assert_eq!(task_count(&app, &project).await, 3);
    assert_eq!(team.owner.get(&format!("/tasks/{part}/history")).await.is(200).json()["data"][0]["action"], "restored");
}

#[tokio::test]
async fn after_thirty_days_a_deleted_task_is_gone_for_good_and_leaves_a_tombstone() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let whole = make(&team, &project, None).await;
    let _ = make(&team, &project, Some(&whole)).await;
    let kept = make(&team, &project, None).await;
    let fresh = make(&team, &project, None).await;
    for task in [&whole, &fresh] {
        let _ = team.owner.delete(&format!("/tasks/{task}")).await.is(204);
    }
    let (worker, _) = app.worker_db().await;
    assert_eq!(purge(&worker).await.unwrap(), Purged::default());
    arrange(&app, "update tasks set deleted_at = deleted_at - interval '31 days' where number <= 2").await;
    team.owner.delete(&format!("/tasks/{whole}/deletion")).await.is_problem(404, "not_found");
    // A round skips what somebody still looks at.
    let mut gone = 0;
    harness::eventually("both are gone", async || {
        gone += purge(&worker).await.unwrap().tasks;
        (gone == 2).then_some(())
    })
    .await;
    team.owner.get(&format!("/tasks/{whole}")).await.is_problem(404, "not_found");
    for task in [&kept, &fresh] {
        let _ = team.owner.get(&format!("/tasks/{task}")).await.is(200);
    }
    assert_eq!((count(&app, "tasks").await, count(&app, "mails").await), (2, 2));
    assert_eq!(count(&app, &format!("task_tombstones where project_id = '{project}'")).await, 2);
}

#[tokio::test]
async fn there_are_no_more_tasks_than_the_operator_lets_there_be() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_TASKS", "2")]).await;
    let team = app.team().await;
    let (project, other) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    let first = make(&team, &project, None).await;
    let _ = make(&team, &project, None).await;
    let new = json!({ "project": project, "title": "One more" });
    team.owner.post("/tasks", new.clone()).await.is_problem(409, "quota_reached");
    let moving = make(&team, &other, None).await;
    team.owner.patch(&format!("/tasks/{moving}"), json!({ "project": project })).await.is_problem(409, "quota_reached");
    let _ = team.owner.delete(&format!("/tasks/{first}")).await.is(204);
    let _ = team.owner.post("/tasks", new).await.is(201);
    team.owner.delete(&format!("/tasks/{first}/deletion")).await.is_problem(409, "quota_reached");
}
