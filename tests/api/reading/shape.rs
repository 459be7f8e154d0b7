use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn fields_take_away_and_expand_adds() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({ "project": project, "title": "Look", "assignees": [team.admin.id, team.member.id] });
    let id = team.owner.post("/tasks", new).await.is(201).text_at("/id");
    let path = format!("/v1/orgs/{}/projects/{project}/grants/{}", team.slug, team.guest.id);
    let _ = team.owner.put(&path, json!({ "role": "viewer" })).await.is(200);

    for (path, at) in [(format!("/tasks/{id}"), ""), ("/tasks".to_owned(), "/data/0")] {
        let shown = async |actor: &harness::Actor, query: &str| {
            actor.get(&format!("{path}?{query}")).await.is(200).json().pointer(at).unwrap().clone()
        };
        assert_eq!(shown(&team.member, "fields=key,title").await, json!({ "key": "OPS-1", "title": "Look" }));
        let whole = shown(&team.member, "expand=assignees,labels,project,parent,created_by").await;
        let person = |name: &str, actor: &harness::Actor| json!({ "id": actor.id, "name": name, "email": actor.email });
        let mut assignees = [person("admin", &team.admin), person("member", &team.member)];
        assignees.sort_by_key(|person| person["id"].to_string());
        assert_eq!(
            whole["expanded"],
            json!({
                "project": { "id": project, "key": "OPS", "name": "A project", "colour": null },
                "assignees": assignees,
                "created_by": person("owner", &team.owner),
            })
        );
        assert_eq!((&whole["title"], &whole["project_id"]), (&json!("Look"), &json!(project)));
        // A guest may not list members: names, and no addresses.
        let seen = shown(&team.guest, "fields=title&expand=created_by").await;
        assert_eq!(
            seen,
            json!({ "title": "Look", "expanded": { "created_by": { "id": team.owner.id, "name": "owner" } } })
        );
    }
}

#[tokio::test]
async fn every_field_of_a_task_can_be_asked_for_alone() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let parent =
        team.owner.post("/tasks", json!({ "project": project, "title": "Whole" })).await.is(201).text_at("/id");
    let part = team.owner.post("/tasks", json!({ "project": project, "title": "Part" })).await.is(201).text_at("/id");
    sqlx::query("update tasks set parent_id = $1::uuid where id = $2::uuid")
        .bind(&parent)
        .bind(&part)
        .execute(&app.admin)
        .await
        .unwrap();
    let whole = team.owner.get("/tasks/OPS-2?expand=parent").await.is(200).json();
    assert_eq!(
        whole["expanded"]["parent"],
        json!({ "id": parent, "key": "OPS-1", "title": "Whole", "status": "open" })
    );
    for field in whole.as_object().unwrap().keys().filter(|field| *field != "expanded") {
        let shown = team.owner.get(&format!("/tasks/OPS-2?fields={field}")).await.is(200).json();
        assert_eq!(shown, json!({ field: whole[field] }));
    }
}
