//! Projects that are closed, opened again, put in order and deleted.

use harness::{Actor, Team, TestApp};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::{
    people::count,
    races::{interleaved, post, put, row},
};

async fn keys(actor: &Actor, query: &str) -> Vec<String> {
    let list = actor.get(&format!("/projects{query}")).await.is(200).json();
    list["data"].as_array().unwrap().iter().map(|p| p["key"].as_str().unwrap().to_owned()).collect()
}

async fn archive(team: &Team, project: &str) -> Value {
    team.owner.put(&format!("/projects/{project}/archive"), json!(null)).await.is(200).json()
}

/// What is owed, by state and reason.
async fn owed(app: &TestApp) -> Vec<(String, Option<String>, Option<String>)> {
    let sql = "select m.state, m.reason, d.reason from mails m join deliveries d on d.mail_id = m.id order by m.id";
    sqlx::query_as(sql).fetch_all(&app.admin).await.unwrap()
}

#[tokio::test]
async fn archived_projects_are_listed_when_they_are_asked_for() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let old = team.project("OLD", "open").await;
    team.project("NEW", "open").await;
    let archived = archive(&team, &old).await;
    assert!(archived["archived_at"].is_string() && archived["version"] == 2, "{archived}");
    // A second time changes nothing.
    assert_eq!(archive(&team, &old).await, archived);
    assert_eq!(keys(&team.member, "").await, ["NEW"]);
    assert_eq!(keys(&team.member, "?archived=false").await, ["NEW"]);
    assert_eq!(keys(&team.member, "?archived=true").await, ["OLD"]);
    team.member.get("/projects?archived=yes").await.is_problem(400, "invalid_query");
    let path = format!("/projects/{old}/archive");
    let opened = team.owner.delete(&path).await.is(200).json();
    assert_eq!((&opened["archived_at"], &opened["version"]), (&json!(null), &json!(3)));
    assert_eq!(team.owner.delete(&path).await.is(200).json(), opened);
    assert_eq!(keys(&team.member, "").await, ["OLD", "NEW"]);
    for (action, times) in [("project.archived", 1), ("project.unarchived", 1)] {
        let events = team.owner.get(&format!("/audit?action={action}")).await.is(200).json();
        assert_eq!(events["data"].as_array().unwrap().len(), times, "{action}");
    }
}

#[tokio::test]
async fn nothing_in_an_archived_project_is_written_but_who_may_come_in() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.owner.post("/tasks", json!({ "project": project, "title": "Look" })).await.is(201).text_at("/id");
    let labels = format!("/projects/{project}/labels");
    let label = team.owner.post(&labels, json!({ "name": "bug" })).await.is(201).text_at("/id");
    let comments = format!("/tasks/{task}/comments");
    let comment = team.owner.post(&comments, json!({ "body": "Done?" })).await.is(201).text_at("/id");
    archive(&team, &project).await;
    let (label, comment) = (format!("{labels}/{label}"), format!("{comments}/{comment}"));
    let refused = "project_archived";
    team.owner.post("/tasks", json!({ "project": project, "title": "More" })).await.is_problem(409, refused);
    team.owner.put(&format!("/tasks/{task}/completion"), json!(null)).await.is_problem(409, refused);
    team.owner.post(&labels, json!({ "name": "more" })).await.is_problem(409, refused);
    team.owner.patch(&label, json!({ "name": "more" })).await.is_problem(409, refused);
    team.owner.delete(&label).await.is_problem(409, refused);
    team.owner.post(&comments, json!({ "body": "No" })).await.is_problem(409, refused);
    team.owner.patch(&comment, json!({ "body": "No" })).await.is_problem(409, refused);
    team.owner.delete(&comment).await.is_problem(409, refused);
    for path in ["watch", "mute"] {
        let path = format!("/tasks/{task}/{path}");
        team.owner.put(&path, json!(null)).await.is_problem(409, refused);
        team.owner.delete(&path).await.is_problem(409, refused);
    }
    // It is read, called otherwise, and people come and go.
    for path in [&format!("/tasks/{task}"), &labels, &label, &comments, &comment] {
        let _ = team.member.get(path).await.is(200);
    }
    let _ = team.owner.patch(&format!("/projects/{project}"), json!({ "name": "Past" })).await.is(200);
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    let _ = team.owner.delete(&grant).await.is(204);
    let _ = team.owner.delete(&format!("/projects/{project}/archive")).await.is(200);
    let _ = team.owner.post(&comments, json!({ "body": "Yes" })).await.is(201);
}

#[tokio::test]
async fn what_reminders_still_owe_is_cancelled_with_the_archive() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (project, other) = (team.project("OPS", "open").await, team.project("OTHER", "open").await);
    team.reminded_task(&project, "Far away", 3600).await;
    team.reminded_task(&project, "Sent by now", 3600).await;
    team.reminded_task(&other, "Elsewhere", 3600).await;
    let sent = "update mails set state = 'claimed', lease_until = now() + interval '1 minute'
                where id = (select id from mails order by id offset 1 limit 1)";
    for statement in [sent, "update mails set state = 'sending' where state = 'claimed'"] {
        sqlx::query(statement).execute(&app.admin).await.unwrap();
    }
    archive(&team, &project).await;
    let because = Some("project archived".to_owned());
    let expected = [
        ("cancelled".to_owned(), because.clone(), because.clone()),
        // On its way: sent if the mail server takes it, and not tried again if it does not.
        ("sending".to_owned(), None, because),
        ("scheduled".to_owned(), None, None),
    ];
    assert_eq!(owed(&app).await, expected);
}

#[tokio::test]
async fn what_is_still_to_come_is_planned_anew_when_a_project_is_in_use_again() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Still to come", 3600).await;
    let done = team.reminded_task(&project, "Done", 3600).await;
    let _ = team.member.put(&format!("/tasks/{}/completion", done["id"].as_str().unwrap()), json!(null)).await.is(200);
    for round in 1..3 {
        archive(&team, &project).await;
        let _ = team.owner.delete(&format!("/projects/{project}/archive")).await.is(200);
        assert_eq!(count(&app, "mails where state = 'scheduled'").await, 1, "{round}");
        assert_eq!(count(&app, "deliveries where reason = 'project archived'").await, round);
    }
    let waiting = "select t.title from deliveries d join tasks t on t.id = d.task_id where d.cancelled_at is null";
    let waiting: Vec<String> = sqlx::query_scalar(waiting).fetch_all(&app.admin).await.unwrap();
    assert_eq!(waiting, ["Still to come"]);
}

#[tokio::test]
async fn who_manages_a_project_archives_and_deletes_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (path, archive) = (format!("/projects/{project}"), format!("/projects/{project}/archive"));
    team.member.put(&archive, json!(null)).await.is_problem(403, "permission_missing");
    team.member.delete(&archive).await.is_problem(403, "permission_missing");
    team.member.delete(&path).await.is_problem(403, "permission_missing");
    let place = json!({ "after": null });
    team.member.put(&format!("{path}/position"), place.clone()).await.is_problem(403, "permission_missing");
    team.admin.delete(&path).await.is_problem(409, "not_archived");
    let _ = team.admin.put(&archive, json!(null)).await.is(200);
    let _ = team.admin.delete(&path).await.is(204);
    team.admin.get(&path).await.is_problem(404, "not_found");
    let secret = team.project("SEC", "private").await;
    for path in [format!("/projects/{secret}"), format!("/projects/{secret}/archive")] {
        team.admin.delete(&path).await.is_problem(404, "not_found");
    }
    team.admin.put(&format!("/projects/{secret}/position"), place).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn with_a_project_goes_everything_in_it_and_nothing_else() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (project, other) = (team.project("OPS", "open").await, team.project("OTHER", "open").await);
    for project in [&project, &other] {
        let task = team.reminded_task(project, "Look", 3600).await["id"].as_str().unwrap().to_owned();
        let _ = team.owner.post(&format!("/projects/{project}/labels"), json!({ "name": "bug" })).await.is(201);
        let said = json!({ "body": format!("<@{}>?", team.member.id) });
        let _ = team.owner.post(&format!("/tasks/{task}/comments"), said).await.is(201);
    }
    let tables = [
        "projects",
        "project_grants",
        "tasks",
        "task_assignees",
        "reminders",
        "labels",
        "comments",
        "comment_mentions",
        "task_watches",
        "deliveries",
        "mails",
    ];
    let mut before = Vec::new();
    for table in tables {
        before.push(count(&app, table).await);
    }
    archive(&team, &project).await;
    let found = team.owner.get(&format!("/projects/{project}")).await.is(200);
    let tag = found.header("etag").unwrap().to_owned();
    let _ = team.owner.patch(&format!("/projects/{project}"), json!({ "name": "Gone" })).await.is(200);
    team.owner.delete_if(&tag, &format!("/projects/{project}")).await.is_problem(412, "stale");
    let _ = team.owner.delete(&format!("/projects/{project}")).await.is(204);
    for (table, before) in tables.into_iter().zip(before) {
        assert_eq!(count(&app, table).await * 2, before, "{table}");
    }
    let event = team.owner.get("/audit?action=project.deleted").await.is(200).json()["data"][0].clone();
    assert_eq!((&event["subject_id"], &event["before"]["name"]), (&json!(project), &json!("Gone")));
    // The key may be given again.
    team.project("OPS", "open").await;
}

#[tokio::test]
async fn the_applications_role_deletes_no_project_that_is_in_use() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let mut plain = app.connect_as("taskbell_app").await;
    let enter = format!("select set_config('app.org_id', '{}', false)", team.id);
    sqlx::query(AssertSqlSafe(enter)).execute(&mut plain).await.unwrap();
    for statement in
        [format!("select erase_project('{project}')"), format!("delete from projects where id = '{project}'")]
    {
        assert!(sqlx::query(AssertSqlSafe(statement)).execute(&mut plain).await.is_err());
    }
    assert_eq!(count(&app, "projects").await, 1);
}

#[tokio::test]
async fn projects_stand_in_the_order_in_which_they_were_put() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let mut ids = Vec::new();
    for key in ["ONE", "TWO", "THREE", "FOUR"] {
        ids.push(team.project(key, "open").await);
    }
    let put = async |which: usize, after: Value| {
        team.owner.put(&format!("/projects/{}/position", ids[which]), json!({ "after": after })).await
    };
    let order = async || keys(&team.owner, "").await.join(" ");
    assert_eq!(order().await, "ONE TWO THREE FOUR");
    let moved = put(3, json!(ids[0])).await.is(200).json();
    assert_eq!((&moved["position"], &moved["version"]), (&json!(1.5), &json!(2)));
    assert_eq!(order().await, "ONE FOUR TWO THREE");
    let _ = put(2, json!(null)).await.is(200);
    assert_eq!(order().await, "THREE ONE FOUR TWO");
    let _ = put(0, json!(ids[1])).await.is(200);
    assert_eq!(order().await, "THREE FOUR TWO ONE");
    let _ = put(0, json!(ids[0])).await.is(200);
    assert_eq!(order().await, "THREE FOUR TWO ONE");
    // Between two there is always a third one, however often; and JSON's numbers tell them apart.
    for round in 0..80 {
        let moved = if round % 2 == 0 { 3 } else { 1 };
        let _ = put(moved, json!(ids[2])).await.is(200);
        let expected = if round % 2 == 0 { "THREE FOUR TWO ONE" } else { "THREE TWO FOUR ONE" };
        assert_eq!(order().await, expected, "{round}");
    }
    let list = team.owner.get("/projects").await.is(200).json();
    let places: Vec<f64> = list["data"].as_array().unwrap().iter().map(|p| p["position"].as_f64().unwrap()).collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
    put(0, json!(uuid::Uuid::now_v7())).await.is_problem(404, "not_found");
    let path = format!("/projects/{}/position", ids[0]);
    team.owner.put(&path, json!({})).await.is_problem(422, "invalid");
    // Behind one that the caller does not see is nowhere.
    let secret = team.project("SEC", "private").await;
    team.admin.put(&path, json!({ "after": secret })).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn what_is_written_at_the_moment_of_archiving_comes_before_it_or_not_at_all() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.owner.post("/tasks", json!({ "project": project, "title": "Look" })).await.is(201).text_at("/id");
    let archive = format!("/projects/{project}/archive");
    let writes = [
        (format!("/projects/{project}/labels"), json!({ "name": "bug" }), json!({ "name": "idea" })),
        (format!("/tasks/{task}/comments"), json!({ "body": "One" }), json!({ "body": "Two" })),
        (
            "/tasks".to_owned(),
            json!({ "project": project, "title": "One" }),
            json!({ "project": project, "title": "Two" }),
        ),
    ];
    let archiving = || put(team.owner.clone(), archive.clone(), json!(null));
    let hold = || row("projects", "id", &project);
    for (path, one, two) in writes {
        let writing = post(team.member.clone(), path.clone(), one);
        let (written, archived) = interleaved(&app, hold(), writing, archiving()).await;
        assert_eq!((written.status(), archived.status()), (201, 200), "{path}");
        let _ = team.owner.delete(&archive).await.is(200);
        let writing = post(team.member.clone(), path.clone(), two);
        let (archived, written) = interleaved(&app, hold(), archiving(), writing).await;
        assert_eq!((archived.status(), written.status()), (200, 409), "{path}");
        let _ = team.owner.delete(&archive).await.is(200);
    }
}
