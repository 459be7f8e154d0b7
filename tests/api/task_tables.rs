//! Tasks as a table: out, and into a project.

use harness::{Actor, Reply, Team, TestApp};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::people::{arrange, count};

async fn import(actor: &Actor, project: &str, query: &str, table: &str) -> Reply {
    let path = format!("/projects/{project}/tasks/import{query}");
    let request = actor.request(Method::POST, &path).header(CONTENT_TYPE, "text/csv").body(table.to_owned());
    actor.send(request, format!("POST {path}")).await
}

/// The cells of a table without those that every task has of its own.
fn cells(table: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table.as_bytes());
    let own = ["key", "parent", "created_by", "created_at", "updated_at"];
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let kept: Vec<usize> = (0..rows[0].len()).filter(|index| !own.contains(&&rows[0][*index])).collect();
    rows.iter().map(|row| kept.iter().map(|index| row[*index].to_owned()).collect()).collect()
}

async fn furnished(team: &Team, project: &str) {
    let member = team.member.id;
    for new in [
        json!({ "title": "=HYPERLINK(\"http://example.org\")", "description": "+1\n-2, \"three\"", "assignees": [member] }),
        json!({ "title": "'= is not a formula", "due": { "date": "2031-03-01" } }),
        json!({ "title": "Ünïcode", "due": { "local": "2031-03-01T09:00:00", "time_zone": "Europe/Berlin" } }),
        json!({ "title": "-", "due": { "at": "2031-03-01T08:00:00Z" } }),
    ] {
        let mut new: Value = new;
        new["project"] = json!(project);
        let _ = team.member.post("/tasks", new).await.is(201);
    }
}

#[tokio::test]
async fn a_table_goes_out_and_comes_in_again_as_it_was() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (ops, dev) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    furnished(&team, &ops).await;
    let org = team.id;
    for statement in [
        format!("insert into labels (org_id, id, project_id, name) values ('{org}', gen_random_uuid(), '{ops}', 'a; b'),
                                                                          ('{org}', gen_random_uuid(), '{ops}', '@home')"),
        format!("insert into task_labels select t.org_id, t.project_id, t.id, l.id from tasks t, labels l where t.number = 2 and t.org_id = '{org}'"),
        format!("update tasks set parent_id = (select id from tasks where number = 1 and org_id = '{org}'), priority = 2, status = 'waiting'
                 where number = 3 and org_id = '{org}'"),
        format!("update tasks set status = 'completed', completed_at = '2030-01-01T00:00:00Z', completed_by = created_by where number = 4 and org_id = '{org}'"),
    ] {
        arrange(&app, &statement).await;
    }
    let table = team.member.get(&format!("/tasks.csv?project={ops}")).await.is(200);
    assert_eq!(team.member.get("/tasks.csv?project=OPS").await.is(200).text(), table.text(), "by its key");
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(table.text().starts_with("key,title,description,"), "{}", table.text());
    assert_eq!(table.text().matches("\r\n").count(), 5);
    for dangerous in ["=HYPERLINK", "+1", "-,", "@home"] {
        let bare = table.text().split([',', '"', '\n']).any(|cell| cell.starts_with(dangerous));
        assert!(!bare, "{dangerous}: {}", table.text());
    }
    let summary = import(&team.member, &dev, "", table.text()).await.is(200).json();
    assert_eq!(
        (&summary["tasks"], &summary["labels"], &summary["lines"]),
        (&json!(4), &json!(2), &json!(4)),
        "{summary}"
    );
    let again = team.member.get(&format!("/tasks.csv?project={dev}")).await.is(200);
    assert_eq!(cells(again.text()), cells(table.text()));
    assert!(again.text().contains(",DEV-1,"), "one hangs under another: {}", again.text());
    let open = team.member.get(&format!("/tasks.csv?project={dev}&status=open")).await.is(200);
    assert_eq!(cells(open.text()).len(), 3);
    let next = team.member.post("/tasks", json!({ "project": dev, "title": "Next" })).await.is(201).text_at("/key");
    assert_eq!(next, "DEV-5");
    let event = team.owner.get("/audit?action=tasks.imported").await.is(200).json();
    assert_eq!(event["data"][0]["after"], json!({ "project": "DEV", "tasks": 4 }));
}

#[tokio::test]
async fn a_table_shows_no_more_than_a_list_does() {
    let app = TestApp::start().await;
    let (team, other) = (app.team().await, app.team().await);
    let (open, private) = (team.project("OPS", "open").await, team.project("SEC", "private").await);
    furnished(&team, &open).await;
    let _ = team.owner.post("/tasks", json!({ "project": private, "title": "Secret" })).await.is(201);
    let foreign = other.project("OPS", "open").await;
    furnished(&other, &foreign).await;
    let rows = async |actor: &Actor, query: &str| {
        let table = actor.get(&format!("/tasks.csv{query}")).await.is(200);
        assert!(!table.text().contains(&other.member.email), "{}", table.text());
        cells(table.text()).len() - 1
    };
    assert_eq!((rows(&team.member, "").await, rows(&team.admin, "").await, rows(&team.owner, "").await), (4, 4, 5));
    assert_eq!(rows(&team.member, &format!("?project={private}")).await, 0);
    assert_eq!(rows(&team.member, &format!("?project={foreign}")).await, 0);
    team.guest.get("/tasks.csv").await.is_problem(403, "permission_missing");
    // A guest of the project sees whom it is assigned to, as everywhere by their id.
    let grant = format!("/projects/{open}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    let table = team.guest.get("/tasks.csv").await.is(200);
    assert!(!table.text().contains(&team.member.email) && table.text().contains(&team.member.id.to_string()));
    import(&team.guest, &open, "", "title\nMine\n").await.is_problem(403, "permission_missing");
    import(&team.member, &private, "", "title\nMine\n").await.is_problem(404, "not_found");
    import(&team.member, &foreign, "", "title\nMine\n").await.is_problem(404, "not_found");
    import(&other.owner.within(&team.slug), &open, "", "title\nMine\n").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_table_comes_in_whole_or_not_at_all() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let told = async |query: &str, table: &str| {
        let problem = import(&team.member, &project, query, table).await.is_problem(422, "invalid");
        let fault =
            |fault: &Value| format!("{} {}", fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap());
        problem["errors"].as_array().unwrap().iter().map(fault).collect::<Vec<_>>()
    };
    let rest = format!("Fine,{}\n", team.member.email);
    assert_eq!(
        told("", &format!("title,assignees\n{rest},\nToo,much,here\n")).await,
        ["/lines/3/title missing", "/lines/4 not_a_row"]
    );
    assert_eq!(told("", "name\nx\n").await, ["/lines/1/0 unknown", "/lines/1/title missing"]);
    let strangers = format!("title,assignees\n{rest}Not,nobody@example.org\n");
    assert_eq!(told("", &strangers).await, ["/lines/3/assignees/0 unknown_person"]);
    assert_eq!(told("", "title,parent\nA,OPS-1\n").await, ["/lines/2/parent unknown_task"]);
    assert_eq!(count(&app, "tasks").await, 0);

    let tried = import(&team.member, &project, "?unknown_people=skip&dry_run=true", &strangers).await.is(200).json();
    assert_eq!(
        (&tried["dry_run"], &tried["tasks"], &tried["skipped"][0]["line"]),
        (&json!(true), &json!(2), &json!(3))
    );
    assert_eq!(count(&app, "tasks").await, 0);
    let _ = import(&team.member, &project, "?unknown_people=skip", &strangers).await.is(200);
    assert_eq!(count(&app, "tasks").await, 2);
    assert_eq!(count(&app, "task_assignees").await, 1);

    arrange(&app, "update projects set archived_at = now()").await;
    import(&team.member, &project, "", "title\nLate\n").await.is_problem(409, "project_archived");
}

#[tokio::test]
async fn there_is_a_limit_to_the_tasks_of_a_project_for_tables_too() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_TASKS", "3")]).await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let _ = import(&team.member, &project, "", "title\n1\n2\n").await.is(200);
    import(&team.member, &project, "", "title\n3\n4\n").await.is_problem(409, "quota_reached");
    assert_eq!(count(&app, "tasks").await, 2);
    let _ = import(&team.member, &project, "", "title\n3\n").await.is(200);
}

#[tokio::test]
async fn a_table_that_is_sent_twice_with_one_key_comes_in_once() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let send = async |query: &str, table: &'static str| {
        let path = format!("/projects/{project}/tasks/import{query}");
        let request = team.member.request(Method::POST, &path).header(CONTENT_TYPE, "text/csv");
        team.member.send(request.header("Idempotency-Key", "one").body(table), path).await
    };
    // What was only tried was not done.
    let _ = send("?dry_run=true", "title\n1\n2\n").await.is(200);
    let (first, second) = (send("", "title\n1\n2\n").await.is(200), send("", "title\n1\n2\n").await.is(200));
    assert_eq!((first.text(), second.header("idempotent-replayed")), (second.text(), Some("true")));
    assert_eq!(count(&app, "tasks").await, 2);
    send("", "title\nother\n").await.is_problem(422, "idempotency_key_reused");
}
