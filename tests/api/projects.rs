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
