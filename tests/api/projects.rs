use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn an_open_project_is_seen_by_members_and_a_private_one_by_grant_alone() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let open = team.project("OPEN", "open").await;
    let new = json!({ "key": "SEC", "name": "Secret", "visibility": "private" });
    let private = team.member.post("/projects", new).await.is(201).text_at("/id");

    let keys = async |actor: &harness::Actor| {
        let list = actor.get("/projects").await.is(200).json();
        list["data"].as_array().unwrap().iter().map(|p| p["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&team.member).await, ["OPEN", "SEC"]);
    assert_eq!(keys(&team.guest).await, [] as [&str; 0]);
    // Not even the owner reads a private project in silence.
    assert_eq!(keys(&team.owner).await, ["OPEN"]);
    team.owner.get(&format!("/projects/{private}")).await.is_problem(404, "not_found");
    let _ = team.admin.get(&format!("/projects/{open}")).await.is(200);
}

#[tokio::test]
async fn a_grant_gives_what_its_role_says_and_no_more() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let task = json!({ "project": project, "title": "Look" });
    let grant = async |role: &str| {
        team.owner.put(&format!("/projects/{project}/grants/{}", team.guest.id), json!({ "role": role })).await
    };
    team.guest.get("/tasks").await.is_problem(403, "permission_missing");
    assert_eq!(grant("viewer").await.is(200).json()["role"], "viewer");
    let _ = team.guest.get("/tasks").await.is(200);
    team.guest.post("/tasks", task.clone()).await.is_problem(403, "permission_missing");
    let _ = grant("editor").await.is(200);
    let _ = team.guest.post("/tasks", task).await.is(201);
    // A guest with a grant in one project is still nobody in another.
    let other = team.project("OTHER", "open").await;
    team.guest.post("/tasks", json!({ "project": other, "title": "No" })).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn only_who_manages_a_project_grants_roles_in_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let open = team.project("OPEN", "open").await;
    let path = format!("/projects/{open}/grants/{}", team.guest.id);
    team.member.put(&path, json!({ "role": "viewer" })).await.is_problem(403, "permission_missing");
    let _ = team.admin.put(&path, json!({ "role": "viewer" })).await.is(200);
    let stranger = app.person("stranger").await;
    let path = format!("/projects/{open}/grants/{}", stranger.id);
    team.admin.put(&path, json!({ "role": "viewer" })).await.is_problem(409, "not_a_member");
}

#[tokio::test]
async fn a_key_is_taken_once_in_an_organization() {
    let app = TestApp::start().await;
    let (team, other) = (app.team().await, app.team().await);
    team.project("OPS", "private").await;
    team.member.post("/projects", json!({ "key": "OPS", "name": "Again" })).await.is_problem(409, "key_taken");
    other.project("OPS", "open").await;
    team.guest.post("/projects", json!({ "key": "NEW", "name": "New" })).await.is_problem(403, "permission_missing");
}

#[tokio::test]
async fn the_last_manager_of_a_project_stays() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let grant = async |who: &harness::Actor, role: &str| {
        team.owner.put(&format!("/projects/{project}/grants/{}", who.id), json!({ "role": role })).await
    };
    grant(&team.owner, "viewer").await.is_problem(409, "last_manager");
    let _ = grant(&team.member, "manager").await.is(200);
    let _ = grant(&team.owner, "viewer").await.is(200);
}

#[tokio::test]
async fn a_project_has_a_description_and_a_colour_that_can_be_cleared_and_another_key() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let new = json!({ "key": "OPS", "name": "Operations", "description": "What **we** do.", "colour": "#2F6F4E" });
    let made = team.member.post("/projects", new).await.is(201);
    let (project, tag) = (made.json(), made.header("etag").unwrap().to_owned());
    let path = format!("/projects/{}", project["id"].as_str().unwrap());
    assert_eq!(team.member.get(&path).await.is(200).json(), project);
    assert_eq!((&project["description"], &project["colour"]), (&json!("What **we** do."), &json!("#2f6f4e")));
    assert_eq!((&project["position"], &project["archived_at"]), (&json!(1.0), &json!(null)));
    let task = json!({ "project": project["id"], "title": "Look" });
    assert_eq!(team.member.post("/tasks", task).await.is(201).json()["key"], "OPS-1");
    team.project("TAKEN", "open").await;
    team.member.patch(&path, json!({ "key": "TAKEN" })).await.is_problem(409, "key_taken");
    team.member.patch(&path, json!({ "key": "no", "colour": "green", "name": null })).await.is_problem(422, "invalid");
    let wanted = json!({ "key": "NEW", "description": null, "colour": null });
    let changed = team.member.patch_if(&tag, &path, wanted.clone()).await.is(200).json();
    let expected = (json!("NEW"), json!(""), json!(null), json!("Operations"), json!(2));
    let told = |p: &serde_json::Value| {
        (p["key"].clone(), p["description"].clone(), p["colour"].clone(), p["name"].clone(), p["version"].clone())
    };
    assert_eq!(told(&changed), expected);
    team.member.patch_if(&tag, &path, wanted.clone()).await.is_problem(412, "stale");
    // What is the same already makes no version.
    assert_eq!(team.member.patch(&path, wanted).await.is(200).json(), changed);
    assert_eq!(team.member.get("/tasks/NEW-1").await.is(200).json()["key"], "NEW-1");
    team.member.get("/tasks/OPS-1").await.is_problem(404, "not_found");
    let event = team.owner.get("/audit?action=project.updated").await.is(200).json()["data"][0].clone();
    assert_eq!((&event["before"]["key"], &event["after"]["key"]), (&json!("OPS"), &json!("NEW")));
    // The old key is free.
    team.project("OPS", "open").await;
}

#[tokio::test]
async fn a_project_tells_how_much_is_to_be_done() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let mut tasks = Vec::new();
    for title in ["One", "Two", "Three"] {
        let task = json!({ "project": project, "title": title });
        tasks.push(team.member.post("/tasks", task).await.is(201).text_at("/id"));
    }
    let _ = team.member.put(&format!("/tasks/{}/completion", tasks[0]), json!(null)).await.is(200);
    let shown = team.member.get(&format!("/projects/{project}")).await.is(200).json();
    assert_eq!((&shown["open_count"], &shown["task_count"]), (&json!(2), &json!(3)));
    assert_eq!(team.member.get("/projects").await.is(200).json()["data"], json!([shown]));
}
