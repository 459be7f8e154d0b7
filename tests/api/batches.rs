//! Many deeds at once.

use harness::{Actor, Reply, Team, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::count;

async fn batch(actor: &Actor, mode: &str, operations: Value) -> Reply {
    let body = json!({ "mode": mode, "operations": operations });
    let key = uuid::Uuid::now_v7().to_string();
    let request = actor.request(Method::POST, "/tasks/batch").header("Idempotency-Key", key).json(&body);
    actor.send(request, format!("POST /tasks/batch {body}")).await
}

async fn task(team: &Team, project: &str, title: &str) -> Value {
    team.owner.post("/tasks", json!({ "project": project, "title": title })).await.is(201).json()
}

fn statuses(reply: &Value) -> Vec<u64> {
    let results = reply["results"].as_array().unwrap();
    assert!(results.iter().enumerate().all(|(index, result)| result["index"] == index), "{reply}");
    results.iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn each_kind_of_deed_is_done_as_by_its_own_route() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (one, two) = (task(&team, &project, "One").await, task(&team, &project, "Two").await);
    for mode in ["atomic", "independent"] {
        let reply = batch(
            &team.member,
            mode,
            json!([
                { "op": "create", "task": { "project": project, "title": "Three", "assignees": [team.member.id],
                                            "reminders": [{ "when": { "at": "2041-01-01T00:00:00Z" }, "to": "me" }] } },
                { "op": "update", "id": one["id"], "if_match": "*", "changes": { "title": "First", "priority": 2 } },
                { "op": "complete", "id": "OPS-2" },
                { "op": "reopen", "id": two["id"] },
                { "op": "move", "id": two["id"], "after": null },
                { "op": "delete", "id": "OPS-2", "if_match": "*" },
                { "op": "restore", "id": two["id"] },
            ]),
        );
        let reply = reply.await.is(200).json();
        assert_eq!(statuses(&reply), [201, 200, 200, 200, 200, 204, 200], "{reply}");
        let results = &reply["results"];
        assert_eq!(results[0]["task"]["reminders"][0]["plan"][0]["skipped"], Value::Null);
        assert_eq!((&results[1]["task"]["title"], &results[1]["task"]["priority"]), (&json!("First"), &json!(2)));
        assert_eq!(
            (&results[2]["task"]["status"], &results[3]["task"]["status"]),
            (&json!("completed"), &json!("open"))
        );
        assert_eq!((&results[5]["task"], &results[6]["problem"]), (&Value::Null, &Value::Null));
    }
    let listed = team.owner.get("/tasks").await.is(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 4);
    assert_eq!(count(&app, "deliveries where kind = 'reminder' and cancelled_at is null").await, 2);
}

#[tokio::test]
async fn what_stands_and_falls_together_falls_together() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let one = task(&team, &project, "One").await;
    let new = |title: &str| json!({ "op": "create", "task": { "project": project, "title": title } });
    let lost = json!({ "op": "complete", "id": team.id });
    let problem =
        batch(&team.member, "atomic", json!([new("Two"), lost, new("Three")])).await.is_problem(422, "batch_failed");
    assert_eq!(
        problem["errors"],
        json!([{ "pointer": "/operations/1", "code": "not_found", "detail": "There is nothing here." }])
    );
    let stale = json!({ "op": "update", "id": one["id"], "if_match": "7", "changes": { "title": "No" } });
    let problem = batch(&team.member, "atomic", json!([new("Two"), stale])).await.is_problem(422, "batch_failed");
    assert_eq!(problem["errors"][0]["code"], "stale");
    let unversioned = json!({ "op": "delete", "id": one["id"] });
    let problem = batch(&team.member, "atomic", json!([new("Two"), unversioned])).await.is_problem(422, "batch_failed");
    assert_eq!(problem["errors"][0]["code"], "precondition_required");
    let early = json!({ "op": "create", "task": { "project": project, "title": "Early", "start": { "date": "2031-01-02" }, "due": { "date": "2031-01-01" } } });
    let problem = batch(&team.member, "atomic", json!([new("Two"), early])).await.is_problem(422, "batch_failed");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/operations/1/task/start"), &json!("start_after_due"))
    );
    assert_eq!(count(&app, "tasks").await, 1);
    assert_eq!(task(&team, &project, "Next").await["key"], "OPS-2", "no number is lost");
}

#[tokio::test]
async fn what_is_independent_fails_by_itself_and_leaves_nothing_of_itself() {
    let app = TestApp::start().await;
    let (team, other) = (app.team().await, app.team().await);
    let (project, private) = (team.project("OPS", "open").await, team.project("SEC", "private").await);
    let (one, secret) = (task(&team, &project, "One").await, task(&team, &private, "Secret").await);
    let foreign = other.project("OPS", "open").await;
    let theirs = task(&other, &foreign, "Theirs").await;
    let stranger = app.person("stranger").await;
    let reply = batch(
        &team.member,
        "independent",
        json!([
            { "op": "create", "task": { "project": project, "title": "No", "assignees": [stranger.id] } },
            { "op": "create", "task": { "project": project, "title": "Yes" } },
            { "op": "complete", "id": secret["id"] },
            { "op": "complete", "id": theirs["id"] },
            { "op": "update", "id": one["id"], "if_match": "9", "changes": { "title": "No" } },
            { "op": "update", "id": one["id"], "changes": { "title": "No" } },
            { "op": "create", "task": { "project": private, "title": "No" } },
            { "op": "move", "id": one["id"], "after": "OPS-2" },
        ]),
    )
    .await
    .is(200)
    .json();
    assert_eq!(statuses(&reply), [409, 201, 404, 404, 412, 428, 404, 200], "{reply}");
    assert_eq!(reply["results"][2]["problem"], reply["results"][3]["problem"], "invisible and foreign are one");
    assert_eq!(reply["results"][1]["task"]["key"], "OPS-2");
    assert_eq!(reply["results"][0]["problem"]["code"], "not_a_member");
    assert_eq!(count(&app, "tasks").await, 4);
}

#[tokio::test]
async fn a_batch_must_be_well_formed_and_needs_the_permission() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let codes = async |operations: Value| {
        let problem = batch(&team.member, "independent", operations).await.is_problem(422, "invalid");
        let fault =
            |fault: &Value| format!("{} {}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap());
        problem["errors"].as_array().unwrap().iter().map(fault).collect::<Vec<_>>()
    };
    assert_eq!(codes(json!([])).await, ["/operations wrong_length"]);
    assert_eq!(codes(json!(vec![json!({ "op": "complete", "id": "OPS-1" }); 101])).await, ["/operations wrong_length"]);
    assert_eq!(codes(json!([{ "op": "update", "id": "OPS-1" }])).await, ["/operations/0/changes missing"]);
    assert_eq!(codes(json!([{ "op": "move", "id": "OPS-1" }])).await, ["/operations/0/after missing"]);
    assert_eq!(
        codes(json!([{ "op": "complete", "id": "OPS-1", "task": { "project": project, "title": "x" } }])).await,
        ["/operations/0/task unknown"]
    );
    assert_eq!(codes(json!([{ "op": "explode", "id": "OPS-1" }])).await, ["/operations/0/op not_one_of"]);
    assert_eq!(
        codes(json!([{ "op": "delete", "id": "OPS-1", "if_match": "new" }])).await,
        ["/operations/0/if_match not_a_version"]
    );
    batch(&team.guest, "atomic", json!([{ "op": "complete", "id": "OPS-1" }]))
        .await
        .is_problem(403, "permission_missing");
    let body =
        json!({ "mode": "atomic", "operations": [{ "op": "create", "task": { "project": project, "title": "Once" } }] });
    team.member.post("/tasks/batch", body.clone()).await.is_problem(400, "idempotency_key_required");
    let first = team.member.post_once("one", "/tasks/batch", body.clone()).await.is(200);
    let second = team.member.post_once("one", "/tasks/batch", body).await.is(200);
    assert_eq!((first.text(), second.header("idempotent-replayed")), (second.text(), Some("true")));
    assert_eq!(count(&app, "tasks").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_name_the_same_tasks_in_another_order_never_wait_for_each_other() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (ops, dev) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    let mut ids = Vec::new();
    for number in 0..6 {
        let task = team.reminded_task(if number % 2 == 0 { &ops } else { &dev }, "Often", 3600).await;
        ids.push(task["id"].clone());
    }
    for round in 0..10 {
        let deed =
            |id: &Value| json!({ "op": "update", "id": id, "if_match": "*", "changes": { "priority": round % 4 + 1 } });
        let forth: Vec<Value> = ids.iter().map(deed).collect();
        let back: Vec<Value> = ids.iter().rev().map(deed).collect();
        let (one, two) =
            tokio::join!(batch(&team.member, "atomic", json!(forth)), batch(&team.admin, "independent", json!(back)));
        let (one, two) = (one.is(200).json(), two.is(200).json());
        assert!(statuses(&one).iter().chain(&statuses(&two)).all(|status| *status == 200), "{one} {two}");
    }
}
