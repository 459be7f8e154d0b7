//! Where a task is: among others, in another one, in another project.

use harness::{Actor, Team, TestApp};
use serde_json::{Value, json};

use crate::people::{arrange, count};

async fn make(team: &Team, project: &str, more: Value) -> Value {
    let mut new = json!({ "project": project, "title": "Look" });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    team.owner.post("/tasks", new).await.is(201).json()
}

async fn put(actor: &Actor, task: &str, after: Value) -> Value {
    actor.put(&format!("/tasks/{task}/position"), json!({ "after": after })).await.is(200).json()
}

/// The keys of a project in the order of their places.
async fn order(app: &TestApp, project: &str) -> Vec<i32> {
    sqlx::query_scalar("select number from tasks where project_id = $1::uuid order by position")
        .bind(project)
        .fetch_all(&app.admin)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_task_is_put_behind_another_one_or_to_the_front_and_there_is_always_room() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for _ in 0..4 {
        make(&team, &project, json!({})).await;
    }
    put(&team.member, "OPS-4", json!("OPS-1")).await;
    assert_eq!(order(&app, &project).await, [1, 4, 2, 3]);
    let first = put(&team.member, "OPS-3", json!(null)).await;
    assert_eq!(order(&app, &project).await, [3, 1, 4, 2]);
    put(&team.member, "OPS-3", json!("OPS-2")).await;
    assert_eq!(order(&app, &project).await, [1, 4, 2, 3]);
    // A new one stands behind all, wherever the others were put.
    make(&team, &project, json!({})).await;
    assert_eq!(order(&app, &project).await, [1, 4, 2, 3, 5]);
    // Between two there is always a third one: exactly, however often.
    for round in 0..70 {
        let (moved, after) = if round % 2 == 0 { ("OPS-2", "OPS-1") } else { ("OPS-4", "OPS-1") };
        put(&team.member, moved, json!(after)).await;
    }
    assert_eq!(order(&app, &project).await, [1, 4, 2, 3, 5]);
    let places = "(select distinct position from tasks) places";
    assert_eq!(count(&app, places).await, 5);
    assert_eq!(first["version"], 2);
    // Behind itself it already is.
    let before = team.member.get("/tasks/OPS-1").await.is(200).json();
    assert_eq!(put(&team.member, "OPS-1", json!("OPS-1")).await["version"], before["version"]);
    let other = team.project("DEV", "open").await;
    make(&team, &other, json!({})).await;
    let problem =
        team.member.put("/tasks/OPS-1/position", json!({ "after": "DEV-1" })).await.is_problem(422, "invalid");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/after"), &json!("no_such_task"))
    );
}

#[tokio::test]
async fn a_task_is_a_part_of_one_that_is_no_part_itself() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (project, other) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    let whole = make(&team, &project, json!({})).await;
    let part = make(&team, &project, json!({ "parent": "OPS-1" })).await;
    assert_eq!(part["parent_id"], whole["id"]);
    let _ = team.member.put("/tasks/OPS-2/completion", json!(null)).await.is(200);
    let shown = team.member.get("/tasks/OPS-1").await.is(200).json();
    assert_eq!((&shown["subtask_count"], &shown["completed_subtask_count"]), (&json!(1), &json!(1)));
    make(&team, &project, json!({})).await;
    make(&team, &other, json!({})).await;
    let refused = async |task: &str, parent: &str, code: &str| {
        let problem =
            team.owner.patch(&format!("/tasks/{task}"), json!({ "parent": parent })).await.is_problem(422, "invalid");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!("/parent"), &json!(code))
        );
    };
    refused("OPS-3", "OPS-2", "parent_is_a_subtask").await;
    refused("OPS-1", "OPS-3", "has_subtasks").await;
    refused("OPS-3", "OPS-3", "own_parent").await;
    refused("OPS-3", "DEV-1", "no_such_task").await;
    refused("OPS-3", "OPS-77", "no_such_task").await;
    let new = json!({ "project": project, "title": "No", "parent": "OPS-2" });
    let problem = team.owner.post("/tasks", new).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "parent_is_a_subtask");
    let alone = team.owner.patch("/tasks/OPS-2", json!({ "parent": null })).await.is(200).json();
    assert_eq!(alone["parent_id"], json!(null));
    let _ = team.owner.patch("/tasks/OPS-1", json!({ "parent": "OPS-3" })).await.is(200);
}

#[tokio::test]
async fn a_task_moves_to_another_project_with_its_parts_and_the_labels_that_are_called_the_same_there() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (from, to) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    for (project, name) in [(&from, "Urgent"), (&from, "Only here"), (&to, "urgent"), (&to, "New")] {
        let values = format!("('{}', gen_random_uuid(), '{project}', '{name}')", team.id);
        arrange(&app, &format!("insert into labels (org_id, id, project_id, name) values {values}")).await;
    }
    make(&team, &to, json!({})).await;
    let whole = make(&team, &from, json!({ "labels": ["urgent", "only here"], "assignees": [team.member.id] })).await;
    let part = make(&team, &from, json!({ "parent": "OPS-1", "labels": ["urgent"] })).await;
    let left = make(&team, &from, json!({ "parent": "OPS-1" })).await;
    let moved = team.member.patch("/tasks/OPS-1", json!({ "project": to, "title": "Moved" })).await.is(200).json();
    assert_eq!((&moved["key"], &moved["project_id"], &moved["title"]), (&json!("DEV-2"), &json!(to), &json!("Moved")));
    assert_eq!((&moved["id"], &moved["assignees"]), (&whole["id"], &json!([team.member.id])));
    assert_eq!(moved["labels"].as_array().unwrap().len(), 1);
    assert_eq!((&moved["labels"][0]["name"], &moved["subtask_count"]), (&json!("urgent"), &json!(2)));
    let shown = team.member.get("/tasks/DEV-3").await.is(200).json();
    assert_eq!(
        (&shown["id"], &shown["parent_id"], &shown["labels"][0]["name"]),
        (&part["id"], &whole["id"], &json!("urgent"))
    );
    team.member.get("/tasks/OPS-1").await.is_problem(404, "not_found");
    let counts: Vec<(String, i32)> =
        sqlx::query_as("select key, task_count from projects order by key").fetch_all(&app.admin).await.unwrap();
    assert_eq!(counts, [("DEV".to_owned(), 4), ("OPS".to_owned(), 0)]);
    assert_eq!(count(&app, &format!("task_tombstones where project_id = '{from}'")).await, 3);
    let events = team.member.get("/tasks/DEV-2/history").await.is(200).json();
    assert_eq!(events["data"][0]["action"], "moved");
    assert_eq!(events["data"][0]["changes"]["key"], json!({ "from": "OPS-1", "to": "DEV-2" }));
    let events = team.member.get("/tasks/DEV-4/history").await.is(200).json();
    assert_eq!(events["data"][0]["changes"]["key"], json!({ "from": "OPS-3", "to": "DEV-4" }));
    // A part that moves alone is a part no more; and back again there is no tombstone of it.
    let changes = json!({ "project": from, "labels": ["only here"] });
    let alone = team.member.patch(&format!("/tasks/{}", left["id"].as_str().unwrap()), changes).await.is(200).json();
    assert_eq!((&alone["key"], &alone["parent_id"]), (&json!("OPS-4"), &json!(null)));
    assert_eq!(alone["labels"][0]["name"], "Only here");
    assert_eq!(count(&app, &format!("task_tombstones where project_id = '{from}'")).await, 2);
    assert_eq!(count(&app, &format!("task_tombstones where project_id = '{to}'")).await, 1);
}

#[tokio::test]
async fn moving_needs_to_be_let_write_in_both_projects() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (open, private) = (team.project("OPS", "open").await, team.project("SEC", "private").await);
    make(
        &team,
        &open,
        json!({ "assignees": [team.member.id], "reminders": [
        { "when": { "at": "2041-01-01T00:00:00Z" }, "to": "assignees" }
    ] }),
    )
    .await;
    team.member.patch("/tasks/OPS-1", json!({ "project": private })).await.is_problem(404, "not_found");
    let grant = format!("/projects/{private}/grants/{}", team.member.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    team.member.patch("/tasks/OPS-1", json!({ "project": private })).await.is_problem(403, "permission_missing");
    let _ = team.owner.delete(&grant).await.is(204);
    // Whoever cannot see the other project is not told of it any more.
    let moved = team.owner.patch("/tasks/OPS-1", json!({ "project": private })).await.is(200).json();
    assert_eq!(moved["reminders"][0]["plan"][0]["skipped"], "cannot_see_the_project");
    assert_eq!(app.mail_states().await, ["cancelled"]);
    team.member.get(&format!("/tasks/{}", moved["id"].as_str().unwrap())).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn the_reminders_of_parts_follow_their_whole_to_another_project() {
    let app = TestApp::start().await;
    let team = app.team().await;
    // The member sees the one project only, the guest the other one.
    let (from, to) = (team.project("OPS", "private").await, team.project("DEV", "private").await);
    for (project, person) in [(&from, &team.member), (&to, &team.guest)] {
        let grant = format!("/projects/{project}/grants/{}", person.id);
        let _ = team.owner.put(&grant, json!({ "role": "editor" })).await.is(200);
    }
    make(&team, &from, json!({})).await;
    let part = json!({
        "parent": "OPS-1", "assignees": [team.member.id, team.guest.id], "due": { "at": "2041-01-01T09:00:00Z" },
        "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }],
    });
    make(&team, &from, part).await;
    let owed = async |person: &Actor| -> Vec<(String, String)> {
        sqlx::query_as(
            "select case when d.cancelled_at is null then m.state else 'cancelled' end, coalesce(d.reason, '')
             from deliveries d join mails m on m.id = d.mail_id where d.account_id = $1 order by d.id",
        )
        .bind(person.id.0)
        .fetch_all(&app.admin)
        .await
        .unwrap()
    };
    let fate = |state: &str, reason: &str| (state.to_owned(), reason.to_owned());
    assert_eq!((owed(&team.member).await, owed(&team.guest).await), (vec![fate("scheduled", "")], Vec::new()));
    let moved = team.owner.patch("/tasks/OPS-1", json!({ "project": to })).await.is(200).json();
    assert_eq!(owed(&team.member).await, [fate("cancelled", "task moved")]);
    assert_eq!(owed(&team.guest).await, [fate("scheduled", "")]);
    // The answer tells of them.
    let plan = moved["reminders"][0]["plan"].as_array().unwrap();
    let told: Vec<_> = plan.iter().map(|share| (&share["account_id"], &share["skipped"])).collect();
    let unseen = json!("cannot_see_the_project");
    let expected = [(&json!(team.member.id), &unseen), (&json!(team.guest.id), &json!(null))];
    assert!(expected.iter().all(|share| told.contains(share)), "{moved}");
}
