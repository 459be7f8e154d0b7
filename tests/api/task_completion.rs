//! Done, open again, and due again.

use harness::{Actor, Reply, Team, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::arrange;

async fn weekly(team: &Team, project: &str, rule: &str, from: &str, due: Value) -> Value {
    let new = json!({
        "project": project, "title": "Water the plants", "due": due, "recurrence": { "rule": rule, "from": from },
        "assignees": [team.member.id], "reminders": [{ "when": { "offset": "-PT1H" }, "to": "assignees" }],
    });
    team.owner.post("/tasks", new).await.is(201).json()
}

fn completion(task: &Value) -> String {
    format!("/tasks/{}/completion", task["id"].as_str().unwrap())
}

/// Completes a version.
async fn complete(actor: &Actor, task: &Value) -> Reply {
    let tag = format!("\"{}\"", task["version"]);
    let request = actor.bare(Method::PUT, &completion(task)).header("If-Match", tag);
    actor.send(request, "PUT completion".into()).await
}

async fn deliveries(actor: &Actor, task: &Value) -> Vec<(String, String)> {
    let list = actor.get(&format!("/deliveries?task={}", task["id"].as_str().unwrap())).await.is(200).json();
    let text = |delivery: &Value, field: &str| delivery[field].as_str().unwrap_or_default().to_owned();
    list["data"].as_array().unwrap().iter().rev().map(|d| (text(d, "state"), text(d, "reason"))).collect()
}

fn of(state: &str, reason: &str) -> (String, String) {
    (state.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn a_task_is_completed_and_opened_again_and_doing_so_twice_changes_nothing() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Done too soon", 3600).await;
    let done = team.member.put(&completion(&task), json!(null)).await.is(200).json();
    assert_eq!((&done["status"], &done["completed_by"]), (&json!("completed"), &json!(team.member.id)));
    assert_eq!(team.member.put(&completion(&task), json!(null)).await.is(200).json(), done);
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    team.owner.patch(&path, json!({ "status": "open" })).await.is_problem(409, "task_completed");
    let open = team.member.delete(&completion(&task)).await.is(200).json();
    assert_eq!(
        (&open["status"], &open["completed_at"], &open["completed_by"]),
        (&json!("open"), &json!(null), &json!(null))
    );
    // What is still to come is planned anew, and the answer tells it.
    assert_eq!(open["reminders"][0]["plan"][0]["account_id"], json!(team.member.id));
    assert_eq!(deliveries(&team.member, &task).await, [of("cancelled", "task completed"), of("scheduled", "")]);
    let again = team.member.delete(&completion(&task)).await.is(200).json();
    assert_eq!((&again["version"], &again["reminders"]), (&open["version"], &json!([])));
    assert_eq!(app.mail_states().await, ["cancelled", "scheduled"]);
}

#[tokio::test]
async fn a_recurring_task_is_due_again_and_its_reminders_follow() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let due = json!({ "local": "2031-03-03T09:00", "time_zone": "Europe/Berlin" });
    let task = weekly(&team, &project, "FREQ=WEEKLY;BYDAY=MO", "schedule", due).await;
    // Asking twice must not complete the next one: which one is meant has to be said.
    team.member.put(&completion(&task), json!(null)).await.is_problem(428, "precondition_required");
    let next = complete(&team.member, &task).await.is(200).json();
    assert_eq!(next["due"]["local"], "2031-03-10T09:00:00");
    assert_eq!(
        (&next["status"], &next["occurrence"], &next["completed_at"]),
        (&json!("open"), &json!(2), &json!(null))
    );
    assert_eq!(next["reminders"][0]["plan"][0]["due_at"], "2031-03-10T07:00:00Z");
    complete(&team.member, &task).await.is_problem(412, "stale");
    assert_eq!(deliveries(&team.member, &task).await, [of("cancelled", "task completed"), of("scheduled", "")]);
    let history = team.owner.get(&format!("/tasks/{}/history", task["id"].as_str().unwrap())).await.is(200).json();
    assert_eq!(history["data"][0]["action"], "completed");
    assert_eq!(history["data"][0]["changes"]["due"]["to"]["local"], "2031-03-10T09:00:00");
    assert_eq!(history["data"][0]["changes"]["occurrence"], json!({ "from": 1, "to": 2 }));
}

#[tokio::test]
async fn missed_occurrences_are_skipped_without_a_storm() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    // Of the weekday that comes in three days: its reminder is still ahead whatever day and hour this runs at.
    let days = "with days (ahead) as (select (now() at time zone 'Europe/Berlin')::date + 3)
                select (ahead - 7 * 300)::text, ahead::text from days";
    let (first, ahead): (String, String) = sqlx::query_as(days).fetch_one(&app.admin).await.unwrap();
    let due = json!({ "local": format!("{first}T09:00"), "time_zone": "Europe/Berlin" });
    let task = weekly(&team, &project, "FREQ=WEEKLY", "schedule", due).await;
    let next = complete(&team.member, &task).await.is(200).json();
    assert_eq!(next["due"]["local"], format!("{ahead}T09:00:00"));
    assert_eq!(next["occurrence"], 2);
    assert_eq!(deliveries(&team.member, &task).await, [of("scheduled", "")]);
}

#[tokio::test]
async fn the_last_occurrence_completes_a_task_for_good() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for from in ["schedule", "completion"] {
        let task = weekly(&team, &project, "FREQ=DAILY;COUNT=2", from, json!({ "date": "2031-03-03" })).await;
        let next = complete(&team.owner, &task).await.is(200).json();
        assert_eq!((&next["status"], &next["occurrence"]), (&json!("open"), &json!(2)), "{from}");
        let last = complete(&team.owner, &next).await.is(200).json();
        assert_eq!((&last["status"], &last["occurrence"]), (&json!("completed"), &json!(2)), "{from}");
        assert_eq!(last["reminders"], json!([]));
    }
}

#[tokio::test]
async fn the_start_moves_with_the_due_value_and_from_completion_the_days_count_from_today() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = weekly(&team, &project, "FREQ=DAILY;INTERVAL=7", "schedule", json!({ "date": "2031-03-08" })).await;
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    let begun = team.owner.patch(&path, json!({ "start": { "date": "2031-03-06" } })).await.is(200).json();
    let next = complete(&team.owner, &begun).await.is(200).json();
    assert_eq!((&next["start"]["date"], &next["due"]["date"]), (&json!("2031-03-13"), &json!("2031-03-15")));

    let due = json!({ "local": "2031-03-03T09:00", "time_zone": "UTC" });
    let task = weekly(&team, &project, "FREQ=DAILY;INTERVAL=3", "completion", due).await;
    let next = complete(&team.owner, &task).await.is(200).json();
    let local: jiff::civil::DateTime = next["due"]["local"].as_str().unwrap().parse().unwrap();
    let today: String =
        sqlx::query_scalar("select (now() at time zone 'UTC')::date::text").fetch_one(&app.admin).await.unwrap();
    let days = today.parse::<jiff::civil::Date>().unwrap().until(local.date()).unwrap().get_days();
    // At midnight the day may change between the two.
    assert!((2..=3).contains(&days) && local.hour() == 9, "{local}");
}

#[tokio::test]
async fn who_only_has_a_task_assigned_may_open_it_again_too() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    let new = json!({ "project": project, "title": "Look", "assignees": [team.guest.id] });
    let task = team.owner.post("/tasks", new).await.is(201).json();
    let _ = team.guest.put(&completion(&task), json!(null)).await.is(200);
    let _ = team.guest.delete(&completion(&task)).await.is(200);
    arrange(&app, "delete from task_assignees").await;
    team.guest.put(&completion(&task), json!(null)).await.is_problem(403, "permission_missing");
    team.guest.delete(&completion(&task)).await.is_problem(403, "permission_missing");
}
