//! Labels of a project: who makes them, how they are called, and that their tasks count as changed with them.

use harness::{Team, TestApp};
use serde_json::{Value, json};

use crate::people::count;

async fn label(team: &Team, project: &str, name: &str) -> String {
    team.member.post(&format!("/projects/{project}/labels"), json!({ "name": name })).await.is(201).text_at("/id")
}

/// Puts a label on a task, behind the API's back.
async fn put_on(app: &TestApp, task: &str, label: &str) {
    sqlx::query(
        "insert into task_labels (org_id, project_id, task_id, label_id)
         select org_id, project_id, id, $2::uuid from tasks where id = $1::uuid",
    )
    .bind(task)
    .bind(label)
    .execute(&app.admin)
    .await
    .unwrap();
}

async fn changed(app: &TestApp, task: &str) -> (i64, i32) {
    let sql = "select changed_xid, version from tasks where id = $1::uuid";
    sqlx::query_as(sql).bind(task).fetch_one(&app.admin).await.unwrap()
}

#[tokio::test]
async fn labels_are_made_changed_and_listed_by_name() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let path = format!("/projects/{project}/labels");
    let new = json!({ "name": " urgent ", "colour": "#FF0000" });
    let made = team.member.post(&path, new).await.is(201).json();
    assert_eq!(
        (&made["name"], &made["colour"], &made["version"], &made["project_id"]),
        (&json!("urgent"), &json!("#ff0000"), &json!(1), &json!(project))
    );
    label(&team, &project, "Bug").await;
    let own = format!("{path}/{}", made["id"].as_str().unwrap());
    let changed = team.member.patch(&own, json!({ "name": "later", "colour": null })).await.is(200).json();
    assert_eq!((&changed["name"], &changed["colour"], &changed["version"]), (&json!("later"), &json!(null), &json!(2)));
    // What is the same already makes no version.
    assert_eq!(team.member.patch(&own, json!({ "name": "later" })).await.is(200).json(), changed);
    assert_eq!(team.member.get(&own).await.is(200).json(), changed);
    let names = team.admin.get(&path).await.is(200).json();
    let names: Vec<&Value> = names["data"].as_array().unwrap().iter().map(|label| &label["name"]).collect();
    assert_eq!(names, [&json!("Bug"), &json!("later")]);
    let _ = team.member.delete(&own).await.is(204);
    team.member.get(&own).await.is_problem(404, "not_found");
    team.member.delete(&own).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_name_is_taken_once_in_a_project_in_small_or_capital_letters() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (project, other) = (team.project("OPS", "open").await, team.project("OTHER", "open").await);
    let path = format!("/projects/{project}/labels");
    label(&team, &project, "Bug").await;
    let idea = label(&team, &project, "idea").await;
    team.member.post(&path, json!({ "name": "bUG" })).await.is_problem(409, "label_taken");
    team.member.patch(&format!("{path}/{idea}"), json!({ "name": "BUG" })).await.is_problem(409, "label_taken");
    let _ = team.member.patch(&format!("{path}/{idea}"), json!({ "name": "Idea" })).await.is(200);
    label(&team, &other, "bug").await;
    for (bad, code) in [("", "empty"), ("01980e5c-7f3a-7c4e-9d2b-3f6a8c1e5b70", "like_an_id")] {
        let problem = team.member.post(&path, json!({ "name": bad, "colour": "red" })).await.is_problem(422, "invalid");
        let faults = problem["errors"].as_array().unwrap();
        assert!(faults.iter().any(|fault| fault["pointer"] == "/name" && fault["code"] == code), "{problem}");
        assert!(faults.iter().any(|fault| fault["code"] == "not_a_colour"), "{problem}");
    }
}

#[tokio::test]
async fn who_writes_tasks_makes_labels_and_a_label_is_found_in_its_own_project_alone() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (project, other) = (team.project("OPS", "open").await, team.project("OTHER", "open").await);
    let id = label(&team, &project, "bug").await;
    let (path, own) = (format!("/projects/{project}/labels"), format!("/projects/{project}/labels/{id}"));
    team.guest.get(&path).await.is_problem(403, "permission_missing");
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "commenter" })).await.is(200);
    let _ = team.guest.get(&own).await.is(200);
    team.guest.post(&path, json!({ "name": "mine" })).await.is_problem(403, "permission_missing");
    team.guest.patch(&own, json!({ "name": "mine" })).await.is_problem(403, "permission_missing");
    team.guest.delete(&own).await.is_problem(403, "permission_missing");
    let elsewhere = format!("/projects/{other}/labels/{id}");
    team.owner.get(&elsewhere).await.is_problem(404, "not_found");
    team.owner.patch(&elsewhere, json!({ "name": "mine" })).await.is_problem(404, "not_found");
    team.owner.delete(&elsewhere).await.is_problem(404, "not_found");
    let private = team.project("SEC", "private").await;
    team.member.get(&format!("/projects/{private}/labels")).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_change_of_a_label_says_which_version_it_is_about() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let path = format!("/projects/{project}/labels");
    let made = team.member.post(&path, json!({ "name": "bug" })).await.is(201);
    let (own, tag) = (format!("{path}/{}", made.text_at("/id")), made.header("etag").unwrap().to_owned());
    team.member
        .send(team.member.bare(reqwest::Method::DELETE, &own), "DELETE".into())
        .await
        .is_problem(428, "precondition_required");
    let changed = team.member.patch_if(&tag, &own, json!({ "name": "fault" })).await.is(200);
    team.member.patch_if(&tag, &own, json!({ "name": "mistake" })).await.is_problem(412, "stale");
    team.member.delete_if(&tag, &own).await.is_problem(412, "stale");
    let _ = team.member.delete_if(changed.header("etag").unwrap(), &own).await.is(204);
}

#[tokio::test]
async fn tasks_count_as_changed_with_their_labels() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = |title: &str| team.owner.post("/tasks", json!({ "project": project, "title": title }));
    let (labelled, other) = (task("Labelled").await.is(201).text_at("/id"), task("Other").await.is(201).text_at("/id"));
    let id = label(&team, &project, "bug").await;
    put_on(&app, &labelled, &id).await;
    let own = format!("/projects/{project}/labels/{id}");
    let (first, apart) = (changed(&app, &labelled).await, changed(&app, &other).await);
    let _ = team.member.patch(&own, json!({ "name": "bug" })).await.is(200);
    assert_eq!(changed(&app, &labelled).await, first, "nothing has changed");
    let _ = team.member.patch(&own, json!({ "name": "fault" })).await.is(200);
    let second = changed(&app, &labelled).await;
    // Nobody who edits the task meanwhile is in the way of it.
    assert!(second.0 > first.0 && second.1 == first.1, "{first:?} {second:?}");
    let _ = team.member.delete(&own).await.is(204);
    assert!(changed(&app, &labelled).await.0 > second.0);
    assert_eq!(changed(&app, &other).await, apart);
    assert_eq!(count(&app, "task_labels").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_make_labels_at_once_make_no_more_than_there_may_be() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_LABELS", "3")]).await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let path = format!("/projects/{project}/labels");
    let all =
        futures::future::join_all((0..8).map(|nth| team.member.post(&path, json!({ "name": format!("l{nth}") }))));
    let mut statuses: Vec<u16> = all.await.iter().map(harness::Reply::status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 409, 409, 409, 409, 409]);
    team.member.post(&path, json!({ "name": "more" })).await.is_problem(409, "quota_reached");
    // In another project they are counted anew.
    let other = team.project("OTHER", "open").await;
    label(&team, &other, "first").await;
}
