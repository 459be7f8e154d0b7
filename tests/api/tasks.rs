use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn a_task_is_created_numbered_and_shown() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new =
        |title: &str, due| json!({ "project": project, "title": title, "due": due, "assignees": [team.member.id] });
    let berlin = json!({ "local": "2031-03-01T09:00:00", "time_zone": "Europe/Berlin" });
    let first = team.member.post("/tasks", new("First", berlin.clone())).await.is(201).json();
    let second = team.admin.post("/tasks", new("Second", json!({ "date": "2031-03-01" }))).await.is(201).json();
    assert_eq!((&first["key"], &second["key"]), (&json!("OPS-1"), &json!("OPS-2")));
    assert_eq!(first["due"], berlin);
    assert_eq!(second["due"], json!({ "date": "2031-03-01" }));
    let shown = team.owner.get(&format!("/tasks/{}", first["id"].as_str().unwrap())).await.is(200).json();
    assert_eq!(shown["assignees"], json!([team.member.id]));
    assert_eq!(shown["title"], "First");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_created_at_once_get_numbers_of_their_own() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let create = |_| team.member.post("/tasks", json!({ "project": project, "title": "One of many" }));
    let replies = futures::future::join_all((0..20).map(create)).await;
    let mut keys: Vec<String> = replies.into_iter().map(|reply| reply.is(201).text_at("/key")).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 20, "{keys:?}");
}

#[tokio::test]
async fn pages_of_tasks_are_whole_and_cursors_are_bound_to_their_list() {
    let app = TestApp::start().await;
    let (team, other) = (app.team().await, app.team().await);
    let project = team.project("OPS", "open").await;
    for number in 0..7 {
        let _ =
            team.member.post("/tasks", json!({ "project": project, "title": format!("Task {number}") })).await.is(201);
    }
    let mut seen = Vec::new();
    let mut path = "/tasks?limit=3".to_owned();
    let cursor = loop {
        let page = team.member.get(&path).await.is(200).json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|task| task["key"].as_str().unwrap().to_owned()));
        let Some(next) = page["page"]["next_cursor"].as_str() else {
            break path.split_once("cursor=").unwrap().1.to_owned();
        };
        assert_eq!(page["page"]["has_more"], true);
        path = format!("/tasks?limit=3&cursor={next}");
    };
    assert_eq!(seen, ["OPS-7", "OPS-6", "OPS-5", "OPS-4", "OPS-3", "OPS-2", "OPS-1"]);

    let mut altered = cursor.clone().into_bytes();
    altered[3] = if altered[3] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    team.member.get(&format!("/tasks?cursor={altered}")).await.is_problem(400, "invalid_query");
    team.member.get(&format!("/tasks?status=open&cursor={cursor}")).await.is_problem(400, "invalid_query");
    other.member.get(&format!("/tasks?cursor={cursor}")).await.is_problem(400, "invalid_query");
}

#[tokio::test]
async fn tasks_are_filtered_by_project_and_status() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (ops, dev) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    let done = team.member.post("/tasks", json!({ "project": ops, "title": "Done" })).await.is(201).text_at("/id");
    let _ = team.member.post("/tasks", json!({ "project": dev, "title": "Open" })).await.is(201);
    let _ = team.member.put(&format!("/tasks/{done}/completion"), json!(null)).await.is(200);
    let keys = async |query: &str| {
        let list = team.member.get(&format!("/tasks?{query}")).await.is(200).json();
        list["data"].as_array().unwrap().iter().map(|t| t["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys("status=open").await, ["DEV-1"]);
    assert_eq!(keys("status=completed").await, ["OPS-1"]);
    assert_eq!(keys(&format!("project={dev}")).await, ["DEV-1"]);
}

#[tokio::test]
async fn a_viewer_cannot_complete_a_task_unless_it_is_assigned_to_them() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let path = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&path, json!({ "role": "viewer" })).await.is(200);
    let create = async |assignees| {
        let new = json!({ "project": project, "title": "Look", "assignees": assignees });
        team.owner.post("/tasks", new).await.is(201).text_at("/id")
    };
    let (own, another) = (create(json!([team.guest.id])).await, create(json!([])).await);
    let complete = async |task: &str| team.guest.put(&format!("/tasks/{task}/completion"), json!(null)).await;
    complete(&another).await.is_problem(403, "permission_missing");
    let completed = complete(&own).await.is(200).json();
    assert_eq!(completed["completed_by"], json!(team.guest.id));
    // Again changes nothing.
    assert_eq!(complete(&own).await.is(200).json(), completed);
}

#[tokio::test]
async fn a_task_cannot_be_given_to_a_stranger_nor_remind_one() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let stranger = app.person("stranger").await;
    let new = json!({ "project": project, "title": "No", "assignees": [stranger.id] });
    team.owner.post("/tasks", new).await.is_problem(409, "not_a_member");
    let reminder = json!({ "when": { "at": "2031-01-01T00:00:00Z" }, "to": stranger.id });
    let new = json!({ "project": project, "title": "No", "reminders": [reminder] });
    team.owner.post("/tasks", new).await.is_problem(409, "not_a_member");
    assert_eq!(team.owner.get("/tasks").await.is(200).json()["data"], json!([]), "nothing is half written");
}

#[tokio::test]
async fn a_due_value_must_have_one_of_its_forms() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for (due, code) in [
        (json!({ "local": "2031-03-01T09:00" }), "local_needs_zone"),
        (json!({ "at": "2031-03-01T09:00" }), "not_an_instant"),
        (json!({ "date": "2031-02-30" }), "not_a_date"),
        (json!({ "at": "-009000-01-01T00:00:00Z" }), "out_of_range"),
        (json!({ "local": "2031-03-01T09:00", "time_zone": "Moon/Base" }), "not_a_time_zone"),
    ] {
        let new = json!({ "project": project, "title": "When?", "due": due });
        let problem = team.owner.post("/tasks", new).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    let reminder = json!({ "when": { "offset": "-PT5M" }, "to": "me" });
    let new = json!({ "project": project, "title": "Never due", "reminders": [reminder] });
    let problem = team.owner.post("/tasks", new).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "offset_without_due");
    let reminder = json!({ "when": { "at": "2031-01-01T00:00:00Z" }, "to": "me" });
    let new = json!({ "project": project, "title": "Too much", "reminders": vec![reminder; 21] });
    team.owner.post("/tasks", new).await.is_problem(409, "quota_reached");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_completed_by_two_at_once_is_completed_by_one() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for _ in 0..10 {
        let task =
            team.owner.post("/tasks", json!({ "project": project, "title": "Race" })).await.is(201).text_at("/id");
        let path = format!("/tasks/{task}/completion");
        let (one, other) = tokio::join!(team.member.put(&path, json!(null)), team.admin.put(&path, json!(null)));
        let (mut one, mut other) = (one.is(200).json(), other.is(200).json());
        assert!(one["completed_at"].is_string());
        for answer in [&mut one, &mut other] {
            let _ = answer.as_object_mut().unwrap().remove("permissions");
        }
        assert_eq!(one, other);
    }
}
