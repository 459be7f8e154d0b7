use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn the_answer_to_a_new_task_tells_what_its_reminders_have_planned() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({
        "project": project, "title": "Plan", "assignees": [team.member.id, team.guest.id],
        "due": { "date": "2031-12-01" },
        "reminders": [
            { "when": { "offset": "-P1D" }, "to": "assignees" },
            { "when": { "at": "2020-01-01T00:00:00Z" }, "to": "me" },
        ],
    });
    let task = team.owner.post("/tasks", new).await.is(201).json();
    let plan = task["reminders"][0]["plan"].as_array().unwrap();
    let of = |id: common::ids::AccountId| plan.iter().find(|p| p["account_id"] == json!(id)).unwrap();
    // Nine in the morning in the organization's zone, the day before.
    assert_eq!(of(team.member.id)["due_at"], "2031-11-30T08:00:00Z");
    assert!(of(team.member.id)["delivery_id"].is_string());
    assert_eq!(of(team.guest.id)["skipped"], "cannot_see_the_project");
    assert_eq!(task["reminders"][1]["plan"][0]["skipped"], "already_past");
    assert_eq!(app.mail_states().await, ["scheduled"]);
}

#[tokio::test]
async fn completing_a_task_cancels_what_it_still_owed() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Done early", 3600).await;
    let id = task["id"].as_str().unwrap();
    let _ = team.member.put(&format!("/tasks/{id}/completion"), json!(null)).await.is(200);
    let deliveries = team.member.get(&format!("/deliveries?task={id}")).await.is(200).json();
    assert_eq!(deliveries["data"][0]["state"], "cancelled");
    assert_eq!(deliveries["data"][0]["reason"], "task completed");
    assert_eq!(app.mail_states().await, ["cancelled"]);
}

#[tokio::test]
async fn deliveries_are_seen_by_their_recipients_and_by_those_who_may_read_them() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let open = team.project("OPEN", "open").await;
    team.reminded_task(&open, "For the member", 3600).await;
    let count =
        async |actor: &harness::Actor| actor.get("/deliveries").await.is(200).json()["data"].as_array().unwrap().len();
    assert_eq!((count(&team.member).await, count(&team.admin).await, count(&team.guest).await), (1, 1, 0));
    // Of a private project only with a grant, whatever the role.
    let new = json!({ "key": "SEC", "name": "Secret", "visibility": "private" });
    let private = team.member.post("/projects", new).await.is(201).text_at("/id");
    let reminder = json!({ "when": { "at": "2031-01-01T00:00:00Z" }, "to": "me" });
    let new = json!({ "project": private, "title": "Secret", "reminders": [reminder] });
    let _ = team.member.post("/tasks", new).await.is(201);
    assert_eq!((count(&team.member).await, count(&team.admin).await), (2, 1));
    let newest = team.member.get("/deliveries?limit=1").await.is(200).text_at("/data/0/id");
    let _ = team.member.get(&format!("/deliveries/{newest}")).await.is(200);
    team.admin.get(&format!("/deliveries/{newest}")).await.is_problem(404, "not_found");
}
