//! Changing what a task says, and what its history tells of it.

use harness::{Actor, Team, TestApp};
use serde_json::{Value, json};

use crate::people::{arrange, count};

async fn task(team: &Team, project: &str, more: Value) -> Value {
    let mut new = json!({ "project": project, "title": "Look" });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    team.owner.post("/tasks", new).await.is(201).json()
}

fn path(task: &Value) -> String {
    format!("/tasks/{}", task["id"].as_str().unwrap())
}

/// A label, made behind the API's back: here it is about what tasks do with it.
async fn label(app: &TestApp, team: &Team, project: &str, name: &str) -> String {
    let id = common::ids::LabelId::new().to_string();
    let values = format!("('{}', '{id}', '{project}', '{name}', '#ff8800')", team.id);
    arrange(app, &format!("insert into labels (org_id, id, project_id, name, colour) values {values}")).await;
    id
}

async fn history(actor: &Actor, task: &Value) -> Vec<Value> {
    let page = actor.get(&format!("{}/history", path(task))).await.is(200).json();
    page["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_is_absent_stays_and_null_clears() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let urgent = label(&app, &team, &project, "Urgent").await;
    let due = json!({ "local": "2031-03-01T09:00:00", "time_zone": "Europe/Berlin" });
    let made = task(
        &team,
        &project,
        json!({
            "description": "Why", "status": "waiting", "priority": 3, "start": { "date": "2031-02-28" }, "due": due,
            "recurrence": { "rule": "FREQ=WEEKLY" }, "assignees": [team.member.id], "labels": ["urgent"],
        }),
    )
    .await;
    let shown = team.owner.get(&path(&made)).await.is(200).json();
    assert_eq!(shown["labels"], json!([{ "id": urgent, "name": "Urgent", "colour": "#ff8800" }]));
    assert_eq!(shown["recurrence"], json!({ "rule": "FREQ=WEEKLY", "from": "schedule" }));
    assert_eq!((&shown["status"], &shown["priority"], &shown["occurrence"]), (&json!("waiting"), &json!(3), &json!(1)));
    assert_eq!(
        shown["permissions"],
        json!(["projects:manage", "tasks:read", "tasks:write", "tasks:complete", "comments:write"])
    );
    // The answer to its creation says the same.
    for (field, value) in shown.as_object().unwrap() {
        assert_eq!(&made[field], value, "{field}");
    }
    let changed =
        team.owner.patch(&path(&made), json!({ "title": "Look twice", "status": "in_progress" })).await.is(200).json();
    assert_eq!(
        (&changed["title"], &changed["status"], &changed["version"]),
        (&json!("Look twice"), &json!("in_progress"), &json!(2))
    );
    assert_eq!((&changed["due"], &changed["labels"]), (&shown["due"], &shown["labels"]));
    let nothing = json!({
        "description": null, "priority": null, "start": null, "due": null, "recurrence": null, "assignees": null, "labels": null,
    });
    let cleared = team.owner.patch(&path(&made), nothing).await.is(200).json();
    for (field, empty) in [
        ("description", json!("")),
        ("priority", json!(0)),
        ("start", json!(null)),
        ("due", json!(null)),
        ("recurrence", json!(null)),
        ("assignees", json!([])),
        ("labels", json!([])),
    ] {
        assert_eq!(cleared[field], empty, "{field}");
    }
    let problem =
        team.owner.patch(&path(&made), json!({ "title": null, "status": null })).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
    let again = team.owner.get(&path(&made)).await.is(200).json();
    assert_eq!((&again["title"], &again["labels"], &again["version"]), (&json!("Look twice"), &json!([]), &json!(3)));
}

#[tokio::test]
async fn a_task_is_named_by_its_id_or_its_key_everywhere() {
    let app = TestApp::start().await;
    let (team, other) = (app.team().await, app.team().await);
    let project = team.project("OPS", "open").await;
    let made = task(&team, &project, json!({})).await;
    assert_eq!(team.member.get("/tasks/OPS-1").await.is(200).json()["id"], made["id"]);
    let _ = team.member.patch("/tasks/OPS-1", json!({ "priority": 4 })).await.is(200);
    let _ = team.member.put("/tasks/OPS-1/completion", json!(null)).await.is(200);
    let _ = team.member.get("/tasks/OPS-1/history").await.is(200);
    for nothing in ["OPS-2", "OPS-0", "OPS-01", "ops-1", "OPS-1-1", "OPS-+1", "DEV-1", "OPS-99999999999"] {
        team.member.get(&format!("/tasks/{nothing}")).await.is_problem(404, "not_found");
    }
    other.owner.get("/tasks/OPS-1").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_change_names_the_version_it_is_about_and_nothing_makes_no_version() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let made = task(&team, &project, json!({})).await;
    let title = json!({ "title": "Again" });
    let bare = team.member.bare(reqwest::Method::PATCH, &path(&made)).json(&title);
    team.member.send(bare, "PATCH".into()).await.is_problem(428, "precondition_required");
    let reply = team.member.get(&path(&made)).await.is(200);
    let tag = reply.header("etag").unwrap().to_owned();
    let changed = team.member.patch_if(&tag, &path(&made), title.clone()).await.is(200);
    assert_eq!(changed.json()["version"], 2);
    team.member.patch_if(&tag, &path(&made), json!({ "title": "Lost" })).await.is_problem(412, "stale");
    team.member.delete_if(&tag, &path(&made)).await.is_problem(412, "stale");
    // The same again is no change.
    assert_eq!(team.member.patch(&path(&made), title).await.is(200).json()["version"], 2);
    assert_eq!(history(&team.member, &made).await.len(), 2);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({
        "project": project, "title": "", "status": "completed", "priority": 5, "start": { "date": "2031-02-30" },
        "labels": [3], "recurrence": { "rule": "FREQ=SECONDLY" },
    });
    let problem = team.owner.post("/tasks", new).await.is_problem(422, "invalid");
    let mut places: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    places.sort_unstable();
    assert_eq!(places, ["/labels/0", "/priority", "/recurrence/rule", "/start", "/status", "/title"]);
    let new = json!({
        "project": project, "title": "When", "start": { "date": "2031-03-02" }, "due": { "date": "2031-03-01" },
        "recurrence": { "rule": "FREQ=DAILY;UNTIL=20310201" },
    });
    let problem = team.owner.post("/tasks", new).await.is_problem(422, "invalid");
    let codes: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["start_after_due", "until_before_start"]);
    let made = task(&team, &project, json!({ "due": { "date": "2031-03-01" } })).await;
    for (changes, place, code) in [
        (json!({ "start": { "local": "2031-03-02T00:00", "time_zone": "UTC" } }), "/start", "start_after_due"),
        (
            json!({ "due": { "at": "2031-03-01T09:00:00Z" }, "recurrence": { "rule": "FREQ=DAILY" } }),
            "/recurrence/rule",
            "recurrence_needs_zone",
        ),
        (json!({ "labels": ["none", "neither"] }), "/labels/0", "no_such_label"),
        (json!({ "parent": "OPS-9" }), "/parent", "no_such_task"),
    ] {
        let problem = team.owner.patch(&path(&made), changes).await.is_problem(422, "invalid");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!(place), &json!(code)),
            "{problem}"
        );
    }
    let stranger = app.person("stranger").await;
    team.owner.patch(&path(&made), json!({ "assignees": [stranger.id] })).await.is_problem(409, "not_a_member");
    assert_eq!(team.owner.get(&path(&made)).await.is(200).json()["version"], 1, "nothing is half written");
}

#[tokio::test]
async fn who_may_not_write_changes_nothing_and_who_cannot_see_finds_nothing() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    let made = task(&team, &project, json!({ "assignees": [team.guest.id] })).await;
    let position = format!("{}/position", path(&made));
    team.guest.patch(&path(&made), json!({ "title": "No" })).await.is_problem(403, "permission_missing");
    team.guest.delete(&path(&made)).await.is_problem(403, "permission_missing");
    team.guest.put(&position, json!({ "after": null })).await.is_problem(403, "permission_missing");
    team.member.patch(&path(&made), json!({ "title": "No" })).await.is_problem(404, "not_found");
    team.member.delete(&path(&made)).await.is_problem(404, "not_found");
    team.member.get(&format!("{}/history", path(&made))).await.is_problem(404, "not_found");
    // Assignees may do one thing, and are told so.
    let shown = team.guest.get(&path(&made)).await.is(200).json();
    assert_eq!(shown["permissions"], json!(["tasks:read", "tasks:complete"]));
}

#[tokio::test]
async fn nothing_in_an_archived_project_is_written() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (made, gone) = (task(&team, &project, json!({})).await, task(&team, &project, json!({})).await);
    let _ = team.owner.delete(&path(&gone)).await.is(204);
    arrange(&app, &format!("update projects set archived_at = now() where id = '{project}'")).await;
    let archived = |reply: harness::Reply| drop(reply.is_problem(409, "project_archived"));
    let me = json!({ "when": { "at": "2031-01-01T00:00:00Z" }, "to": "me" });
    archived(team.owner.post("/tasks", json!({ "project": project, "title": "No" })).await);
    archived(team.owner.patch(&path(&made), json!({ "title": "No" })).await);
    archived(team.owner.delete(&path(&made)).await);
    archived(team.owner.delete(&format!("{}/deletion", path(&gone))).await);
    archived(team.owner.put(&format!("{}/completion", path(&made)), json!(null)).await);
    archived(team.owner.delete(&format!("{}/completion", path(&made))).await);
    archived(team.owner.put(&format!("{}/position", path(&made)), json!({ "after": null })).await);
    archived(team.owner.post(&format!("{}/reminders", path(&made)), me).await);
    let open = team.project("DEV", "open").await;
    let other = task(&team, &open, json!({})).await;
    archived(team.owner.patch(&path(&other), json!({ "project": project })).await);
    assert_eq!(team.owner.get(&path(&made)).await.is(200).json()["version"], 1);
    assert_eq!(count(&app, "task_events").await, 4);
}

#[tokio::test]
async fn the_history_tells_who_changed_what_from_what_to_what() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let made = task(&team, &project, json!({ "due": { "date": "2031-03-01" } })).await;
    let changes = json!({ "title": "Look twice", "assignees": [team.member.id], "due": { "date": "2031-03-02" } });
    let _ = team.admin.patch(&path(&made), changes).await.is(200);
    let _ = team.member.put(&format!("{}/completion", path(&made)), json!(null)).await.is(200);
    let _ = team.member.delete(&format!("{}/completion", path(&made))).await.is(200);
    let _ = team.owner.delete(&path(&made)).await.is(204);
    let _ = team.owner.delete(&format!("{}/deletion", path(&made))).await.is(200);
    let events = history(&team.owner, &made).await;
    let actions: Vec<&str> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["restored", "deleted", "reopened", "completed", "updated", "created"]);
    assert_eq!(
        events[4]["changes"],
        json!({
            "title": { "from": "Look", "to": "Look twice" },
            "assignees": { "from": [], "to": [team.member.id] },
            "due": { "from": { "date": "2031-03-01" }, "to": { "date": "2031-03-02" } },
        })
    );
    assert_eq!((&events[4]["actor_id"], &events[4]["actor_name"]), (&json!(team.admin.id), &json!("admin")));
    assert!(events[4]["request_id"].is_string());
    assert_eq!(events[3]["changes"], json!({ "status": { "from": "open", "to": "completed" } }));
    // Page by page, and bound to this task.
    let page = team.owner.get(&format!("{}/history?limit=4", path(&made))).await.is(200).json();
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    let rest = team.owner.get(&format!("{}/history?limit=4&cursor={cursor}", path(&made))).await.is(200).json();
    assert_eq!(rest["data"].as_array().unwrap().len(), 2);
    let other = task(&team, &project, json!({})).await;
    team.owner.get(&format!("{}/history?cursor={cursor}", path(&other))).await.is_problem(400, "invalid_query");
}
