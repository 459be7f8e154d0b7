//! An organization as JSON lines: out, and in again.

use std::collections::HashMap;

use common::access::Role;
use harness::{Actor, Reply, Team, TestApp};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::people::{arrange, count};

/// What is sent as an import.
async fn import(actor: &Actor, query: &str, lines: &str) -> Reply {
    let request = actor.request(Method::POST, &format!("/import{query}"));
    let request = request.header(CONTENT_TYPE, "application/x-ndjson").body(lines.to_owned());
    actor.send(request, format!("POST /import{query}")).await
}

fn parsed(export: &Reply) -> Vec<Value> {
    export.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

/// The lines with an end that fits them.
fn sealed(lines: &[Value]) -> String {
    let kept = lines.iter().filter(|line| line["type"] != "end");
    let text = kept.fold(String::new(), |text, line| text + &line.to_string() + "\n");
    let counts =
        json!({ "members": 0, "projects": 0, "labels": 0, "tasks": 0, "reminders": 0, "comments": 0, "events": 0 });
    let digest = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    text + &json!({ "type": "end", "counts": counts, "sha256": digest }).to_string() + "\n"
}

/// An organization with something of everything, and the id of one of its tasks.
async fn furnished(app: &TestApp) -> (Team, String) {
    let team = app.team().await;
    let (ops, sec) = (team.project("OPS", "open").await, team.project("SEC", "private").await);
    let grant = json!({ "role": "viewer" });
    let _ = team.owner.put(&format!("/projects/{sec}/grants/{}", team.guest.id), grant).await.is(200);
    let task = team.reminded_task(&ops, "=Due, \"soon\"\u{e9}", 3600).await["id"].as_str().unwrap().to_owned();
    for (project, title, due) in [
        (&ops, "Local", json!({ "local": "2031-03-01T09:00:00", "time_zone": "Europe/Berlin" })),
        (&ops, "Day", json!({ "date": "2031-03-01" })),
        (&sec, "Secret", Value::Null),
    ] {
        let new = json!({ "project": project, "title": title, "due": due, "description": "Some\n*Markdown*" });
        let _ = team.owner.post("/tasks", new).await.is(201);
    }
    let done = team.owner.post("/tasks", json!({ "project": ops, "title": "Done" })).await.is(201).text_at("/id");
    let _ = team.member.put(&format!("/tasks/{done}/completion"), json!(null)).await.is(200);
    let (org, member, owner) = (team.id, team.member.id, team.owner.id);
    // What has no route of its own in this test's part of the API.
    for statement in [
        format!("insert into labels (org_id, id, project_id, name, colour) values ('{org}', gen_random_uuid(), '{ops}', 'urgent', '#ff0000')"),
        format!("insert into task_labels select org_id, project_id, '{task}', id from labels where org_id = '{org}'"),
        format!("update tasks set recurrence = 'FREQ=WEEKLY', recurrence_basis = 'schedule', recurrence_start = due_local, occurrence = 3,
                 start_on = '2031-02-01', priority = 3, status = 'waiting', position = 1.5 where org_id = '{org}' and title = 'Local'"),
        format!("update tasks set parent_id = '{task}' where org_id = '{org}' and title = 'Day'"),
        format!("insert into comments (org_id, id, task_id, author_id, body)
                 values ('{org}', gen_random_uuid(), '{task}', '{member}', 'Look, <@{owner}>, and <@nobody>')"),
        format!("insert into task_watches (org_id, task_id, account_id, state) values ('{org}', '{task}', '{owner}', 'muted')"),
        format!("update tasks set deleted_at = now(), deleted_by = '{owner}' where org_id = '{org}' and title = 'Gone'"),
    ] {
        arrange(app, &statement).await;
    }
    (team, task)
}

/// Another organization of the owner's with the same people.
async fn sibling(app: &TestApp, team: &Team) -> Actor {
    let slug = format!("{}-two", team.slug);
    let new = json!({ "slug": slug, "name": "Another" });
    let id = team.owner.post("/v1/orgs", new).await.is(201).text_at("/id");
    for (person, role) in [(&team.admin, Role::Admin), (&team.member, Role::Member), (&team.guest, Role::Guest)] {
        let (person, role) = (person.id, role.as_str());
        arrange(
            app,
            &format!("insert into memberships (org_id, account_id, role) values ('{id}', '{person}', '{role}')"),
        )
        .await;
    }
    team.owner.within(&slug)
}

/// The lines without what must differ: ids are named in the order in which they come, the moment and the histories are left out.
fn essence(lines: &[Value]) -> Vec<String> {
    let mut names: HashMap<String, String> = HashMap::new();
    let mut essence = Vec::new();
    for line in
        lines.iter().filter(|line| !["taskbell", "event", "end", "member"].contains(&line["type"].as_str().unwrap()))
    {
        let mut line = line.clone();
        for field in ["id", "project", "task", "parent"] {
            if let Some(id) = line[field].as_str().map(str::to_owned) {
                let next = format!("#{}", names.len());
                line[field] = Value::from(names.entry(id).or_insert(next).clone());
            }
        }
        if let Some(labels) = line["labels"].as_array_mut() {
            for label in labels.iter_mut() {
                *label = Value::from(names[label.as_str().unwrap()].clone());
            }
        }
        essence.push(line.to_string());
    }
    essence
}

#[tokio::test]
async fn what_goes_out_comes_in_again_as_it_was() {
    let app = TestApp::start().await;
    let (team, _) = furnished(&app).await;
    let export = team.owner.get("/export").await.is(200);
    assert_eq!(export.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(export.header("content-disposition"), Some("attachment; filename=\"taskbell.jsonl\""));
    let lines = parsed(&export);
    let first = &lines[0];
    assert_eq!(
        (&first["type"], &first["version"], &first["private_projects"]),
        (&json!("taskbell"), &json!(1), &json!(true))
    );
    assert_eq!(first["counts"], lines.last().unwrap()["counts"]);
    let expected = [("member", 4), ("project", 2), ("label", 1), ("task", 5), ("reminder", 1), ("comment", 1)];
    for (kind, count) in expected {
        assert_eq!(of_type(&lines, kind).len(), count, "{kind}");
        assert_eq!(first["counts"][format!("{kind}s")], count, "{kind}");
    }

    let other = sibling(&app, &team).await;
    let summary = import(&other, "", export.text()).await.is(200).json();
    assert_eq!(
        (&summary["tasks"], &summary["comments"], &summary["reminders"]),
        (&json!(5), &json!(1), &json!(1)),
        "{summary}"
    );
    assert_eq!((&summary["dry_run"], &summary["skipped"]), (&json!(false), &json!([])));
    let again = parsed(&other.get("/export").await.is(200));
    assert_eq!(essence(&again), essence(&lines));
    // The next task is numbered after them, and they are found as any others are.
    let project = of_type(&again, "project")[0]["id"].as_str().unwrap();
    let next = other.post("/tasks", json!({ "project": project, "title": "Next" })).await.is(201).text_at("/key");
    assert_eq!(next, "OPS-5");
    for (actor, action) in [(&team.owner, "organization.exported"), (&other, "organization.imported")] {
        let events = actor.get(&format!("/audit?action={action}")).await.is(200).json();
        assert_eq!(events["data"].as_array().unwrap().len(), if actor.id == other.id { 1 } else { 2 }, "{events}");
    }
}

#[tokio::test]
async fn imported_reminders_that_lie_ahead_are_owed_and_others_are_told_of() {
    let app = TestApp::start().await;
    let (team, task) = furnished(&app).await;
    for (when, to) in
        [("'2020-01-01'", team.member.id), ("'2041-01-01'", team.guest.id), ("'2041-01-01'", team.owner.id)]
    {
        let statement = format!(
            "insert into reminders (org_id, id, task_id, at, recipient, account_id, created_by)
             values ('{}', gen_random_uuid(), '{task}', {when}, 'account', '{to}', '{to}')",
            team.id
        );
        arrange(&app, &statement).await;
    }
    let export = team.owner.get("/export").await.is(200);
    let other = sibling(&app, &team).await;
    let before = count(&app, "deliveries where kind = 'reminder'").await;
    let summary = import(&other, "", export.text()).await.is(200).json();
    let mut reasons: Vec<&str> =
        summary["skipped"].as_array().unwrap().iter().map(|skipped| skipped["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["already_past", "cannot_see_the_project", "muted"]);
    assert_eq!(count(&app, "deliveries where kind = 'reminder'").await, before + 1);
    assert_eq!(count(&app, "reminders").await, 8);
}

#[tokio::test]
async fn an_export_is_of_one_moment() {
    let app = TestApp::start().await;
    let (team, _) = furnished(&app).await;
    // It is stopped between its first line and its tasks.
    let mut holder = app.admin.begin().await.unwrap();
    sqlx::query("lock table task_watches in access exclusive mode").execute(&mut *holder).await.unwrap();
    let owner = team.owner.clone();
    let export = tokio::spawn(async move { owner.get("/export").await });
    harness::eventually("the export is stopped", async || (app.waiting().await == 1).then_some(())).await;
    let late = "insert into tasks (org_id, id, project_id, number, title, created_by, changed_xid)
                select org_id, gen_random_uuid(), id, 99, 'Late', created_by, 1 from projects";
    arrange(&app, late).await;
    holder.rollback().await.unwrap();
    let export = export.await.unwrap().is(200);
    assert!(!export.text().contains("Late"));
}

#[tokio::test]
async fn only_owners_get_private_projects_and_only_who_may_read_everything_gets_anything() {
    let app = TestApp::start().await;
    let ((team, _), (other, _)) = (furnished(&app).await, furnished(&app).await);
    let lines = team.admin.get("/export").await.is(200);
    assert!(!lines.text().contains("SEC") && !lines.text().contains("Secret"), "{}", lines.text());
    assert_eq!(parsed(&lines)[0]["private_projects"], false);
    assert_eq!(of_type(&parsed(&lines), "task").len(), 4);
    for member in [&team.member, &team.guest] {
        member.get("/export").await.is_problem(403, "permission_missing");
        import(member, "", "").await.is_problem(403, "permission_missing");
    }
    other.owner.within(&team.slug).get("/export").await.is_problem(404, "not_found");
    import(&other.owner.within(&team.slug), "", "").await.is_problem(404, "not_found");
    // A token for the log alone is none for what the organization works on.
    let token = async |scopes: Value| {
        let new = json!({ "name": "a program", "org": team.slug, "scopes": scopes });
        let token = team.owner.post("/v1/me/tokens", new).await.is(201).text_at("/token");
        team.owner.with_token(Some(&token))
    };
    let narrow = token(json!(["audit:read", "members:list"])).await;
    narrow.get("/export").await.is_problem(403, "permission_missing");
    let wide = token(json!(["audit:read", "members:list", "tasks:read"])).await;
    assert_eq!(parsed(&wide.get("/export").await.is(200))[0]["private_projects"], false);
    let foreign = [&other.slug, &other.member.email, &other.id.to_string(), &other.owner.id.to_string()];
    let all = team.owner.get("/export").await.is(200);
    assert!(foreign.iter().all(|foreign| !all.text().contains(foreign.as_str())));
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_refused_before_anything_is_opened() {
    let app = TestApp::start().await;
    let (team, _) = furnished(&app).await;
    let export = team.owner.get("/export").await.is(200);
    let other = sibling(&app, &team).await;
    let text = export.text();
    let code = async |lines: &str| {
        let problem = import(&other, "", lines).await.is_problem(422, "invalid");
        problem["errors"][0]["code"].as_str().unwrap().to_owned()
    };
    for cut in [0, 1, text.len() / 3, text.len() / 2, text.len() - 1] {
        let cut = (cut..=text.len()).find(|cut| text.is_char_boundary(*cut)).unwrap();
        assert_eq!(code(&text[..cut]).await, "cut_off", "{cut}");
    }
    let (whole, end) = text.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(code(&format!("{whole}\n")).await, "cut_off");
    assert_eq!(code(&text.replacen("OPS", "SPO", 1)).await, "altered");
    assert_eq!(code(&format!("{text}{end}\n")).await, "altered");
    assert_eq!(code("junk\n").await, "cut_off");
    assert_eq!(code(&sealed(&[])).await, "header");
    let wrong = other.request(Method::POST, "/import").body(text.to_owned());
    other.send(wrong, "no type".into()).await.is_problem(415, "other_media_type");
    import(&other, "?dry_run=perhaps", text).await.is_problem(400, "invalid_query");
    assert_eq!(other.get("/projects").await.is(200).json()["data"], json!([]));
}

#[tokio::test]
async fn every_fault_of_a_file_is_told_with_its_line_and_nothing_of_it_stays() {
    let app = TestApp::start().await;
    let (team, _) = furnished(&app).await;
    let mut lines = parsed(&team.owner.get("/export").await.is(200));
    let other = sibling(&app, &team).await;
    let place = |lines: &[Value], kind: &str, nth: usize| {
        lines.iter().enumerate().filter(|(_, line)| line["type"] == kind).nth(nth).unwrap().0
    };
    let (task, second) = (place(&lines, "task", 0), place(&lines, "task", 1));
    lines[task]["title"] = json!("");
    lines[task]["colour"] = json!("red");
    lines[second]["assignees"] = json!(["stranger@example.org"]);
    lines[second]["due"] = json!({ "local": "2031-01-01T09:00" });
    let reminder = place(&lines, "reminder", 0);
    lines[reminder]["task"] = json!(team.id);
    lines.insert(2, json!({ "type": "riddle" }));
    let problem = import(&other, "", &sealed(&lines)).await.is_problem(422, "invalid");
    let told: Vec<(String, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["pointer"].as_str().unwrap().to_owned(), fault["code"].as_str().unwrap()))
        .collect();
    let at = |index: usize, field: &str| format!("/lines/{}{field}", index + 2);
    for expected in [
        ("/lines/3".to_owned(), "not_a_line"),
        (at(task, "/title"), "empty"),
        (at(task, "/colour"), "unknown"),
        (at(second, "/due"), "local_needs_zone"),
        // Its task could not be read.
        (at(reminder, "/task"), "unknown_task"),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
    lines[0]["version"] = json!(2);
    let problem = import(&other, "", &sealed(&lines)).await.is_problem(422, "invalid");
    assert_eq!(
        (&problem["errors"][0]["code"], &problem["errors"][0]["pointer"]),
        (&json!("other_version"), &json!("/lines/1/version"))
    );
    let many: Vec<Value> = (0..300).map(|_| json!({ "type": "riddle" })).collect();
    let problem = import(&other, "", &sealed(&many)).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 100);
    assert_eq!(other.get("/projects").await.is(200).json()["data"], json!([]));
}

#[tokio::test]
async fn unknown_people_and_taken_keys_are_faults_unless_the_caller_says_otherwise() {
    let app = TestApp::start().await;
    let (team, _) = furnished(&app).await;
    let export = team.owner.get("/export").await.is(200);
    let stranger = app.person("stranger").await;
    let slug = format!("{}-far", team.slug);
    let _ = stranger.post("/v1/orgs", json!({ "slug": slug, "name": "Far" })).await.is(201);
    let far = stranger.within(&slug);
    let problem = import(&far, "", export.text()).await.is_problem(422, "invalid");
    assert!(problem["errors"].as_array().unwrap().iter().all(|fault| fault["code"] == "unknown_person"), "{problem}");
    let summary = import(&far, "?unknown_people=skip", export.text()).await.is(200).json();
    assert_eq!((&summary["tasks"], &summary["comments"]), (&json!(5), &json!(0)), "{summary}");
    let lines = parsed(&far.get("/export").await.is(200));
    assert!(
        of_type(&lines, "task")
            .iter()
            .all(|task| task["created_by"] == far.email.as_str() && task["assignees"] == json!([]))
    );

    // Into the organization that it came from.
    let problem = import(&team.owner, "", export.text()).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "key_taken");
    let tried = import(&team.owner, "?taken_keys=rename&dry_run=true", export.text()).await.is(200).json();
    assert_eq!((&tried["dry_run"], &tried["tasks"]), (&json!(true), &json!(5)));
    assert_eq!(team.owner.get("/projects").await.is(200).json()["data"].as_array().unwrap().len(), 2);
    for expected in ["OPS2", "OPS3"] {
        let summary = import(&team.owner, "?taken_keys=rename", export.text()).await.is(200).json();
        assert_eq!(
            (&summary["projects"][0]["key"], &summary["projects"][0]["former_key"]),
            (&json!(expected), &json!("OPS"))
        );
    }
}

#[tokio::test]
async fn an_import_that_is_cut_short_leaves_nothing() {
    let app = TestApp::start().await;
    let (team, _) = furnished(&app).await;
    let export = team.owner.get("/export").await.is(200);
    let other = sibling(&app, &team).await;
    let mut holder = app.admin.begin().await.unwrap();
    sqlx::query("lock table comments in access exclusive mode").execute(&mut *holder).await.unwrap();
    let (importer, lines) = (other.clone(), export.text().to_owned());
    let import = tokio::spawn(async move { import(&importer, "", &lines).await });
    harness::eventually("the import has come to the comments", async || (app.waiting().await == 1).then_some(())).await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and usename = 'taskbell_app' and wait_event_type = 'Lock'";
    sqlx::query(end).execute(&app.admin).await.unwrap();
    import.await.unwrap().is_problem(503, "unavailable");
    holder.rollback().await.unwrap();
    assert_eq!(other.get("/projects").await.is(200).json()["data"], json!([]));
    assert_eq!(count(&app, "tasks").await, 5);
}

#[tokio::test]
async fn whoever_sends_slowly_holds_no_transaction_and_whoever_sends_too_much_is_stopped() {
    use tokio::io::AsyncWriteExt as _;
    let app = TestApp::with_settings(&[("TASKBELL_IMPORT_LIMIT", "100000")]).await;
    let team = app.team().await;
    let asked = team.owner.request(Method::POST, "/import").build().unwrap();
    let credential = asked.headers()["authorization"].to_str().unwrap().to_owned();
    let head = format!(
        "POST /v1/orgs/{}/import HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credential}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: 90000\r\n\r\n{{\"type\":",
        team.slug
    );
    let mut slow = Vec::new();
    for _ in 0..6 {
        let mut stream = tokio::net::TcpStream::connect(app.api.socket_addrs(|| None).unwrap()[0]).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    // More of them than the pool has connections, and everybody else is served.
    for _ in 0..10 {
        let _ = team.member.get("/tasks").await.is(200);
    }
    let open = "pg_stat_activity where usename = 'taskbell_app' and datname = current_database() and state = 'idle in transaction'";
    harness::eventually("nothing is open", async || (count(&app, open).await == 0).then_some(())).await;
    drop(slow);
    let too_much = "x".repeat(100_001);
    import(&team.owner, "", &too_much).await.is_problem(413, "too_large");
}

#[tokio::test]
async fn what_tasks_are_reminded_of_by_themselves_is_told_and_not_taken_over() {
    let app = TestApp::start().await;
    let (team, _) = furnished(&app).await;
    let other = sibling(&app, &team).await;
    let without = parsed(&team.owner.get("/export").await.is(200));
    assert!(without[0]["organization"].get("default_reminders").is_none(), "what was written before reads alike");
    let defaults = json!([{ "when": { "offset": "-PT1H" }, "to": "assignees", "skip_after": "PT2H" }]);
    let _ =
        team.owner.patch(&format!("/v1/orgs/{}", team.slug), json!({ "default_reminders": defaults })).await.is(200);
    let export = team.owner.get("/export").await.is(200);
    assert_eq!(parsed(&export)[0]["organization"]["default_reminders"], defaults);
    // The name and the zone of where it comes in stay, too, and what comes in has the reminders that it brings.
    let _ = import(&other, "", export.text()).await.is(200);
    let there = other.get(&format!("/v1/orgs/{}-two", team.slug)).await.is(200).json();
    assert_eq!(there["default_reminders"], json!([]));
}
