use std::collections::BTreeMap;

use harness::{Actor, TestApp};
use serde_json::{Value, json};
use sqlx::Connection;

/// A client's copy of what it was told.
#[derive(Debug, Default)]
struct Copy {
    tasks: BTreeMap<String, Value>,
    since: Option<String>,
}

impl Copy {
    /// Follows to the end of what is told at this moment; how many changes that were.
    async fn follow(&mut self, actor: &Actor, limit: usize) -> usize {
        let mut told = 0;
        loop {
            let since = self.since.as_ref().map_or_else(String::new, |since| format!("&since={since}"));
            let page = actor.get(&format!("/tasks/changes?limit={limit}{since}")).await.is(200).json();
            for change in page["data"].as_array().unwrap() {
                told += 1;
                let id = change["id"].as_str().unwrap().to_owned();
                if change["gone"] == true {
                    assert_eq!(change["task"], Value::Null);
                    self.tasks.remove(&id);
                } else {
                    self.tasks.insert(id, change["task"].clone());
                }
            }
            self.since = Some(page["page"]["next_cursor"].as_str().unwrap().to_owned());
            if page["page"]["has_more"] == false {
                return told;
            }
        }
    }

    /// Follows until it has been told of so many changes. They are told when no older transaction is open, in any database of the
    /// cluster: those of other tests hold them back, too.
    async fn learn(&mut self, actor: &Actor, limit: usize, changes: usize) {
        let mut told = 0;
        harness::eventually("the changes are told", async || {
            told += self.follow(actor, limit).await;
            (told >= changes).then_some(())
        })
        .await;
        assert_eq!(told, changes);
    }

    fn titles(&self) -> Vec<&str> {
        let mut titles: Vec<&str> = self.tasks.values().map(|task| task["title"].as_str().unwrap()).collect();
        titles.sort_unstable();
        titles
    }
}

/// What there is, as the list tells it.
async fn list(actor: &Actor) -> BTreeMap<String, Value> {
    let list = actor.get("/tasks?limit=200").await.is(200).json();
    let tasks = list["data"].as_array().unwrap().iter();
    tasks.map(|task| (task["id"].as_str().unwrap().to_owned(), task.clone())).collect()
}

#[tokio::test]
async fn a_copy_is_told_everything_once_and_then_what_changes() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (ops, own) = (team.project("OPS", "open").await, team.project("OWN", "private").await);
    let create = async |project: &str, title: &str| {
        team.owner.post("/tasks", json!({ "project": project, "title": title })).await.is(201).text_at("/id")
    };
    let (one, two) = (create(&ops, "One").await, create(&ops, "Two").await);
    let _ = create(&ops, "Three").await;
    let hidden = create(&own, "Hidden").await;
    let mut copy = Copy::default();
    copy.learn(&team.member, 2, 3).await;
    assert_eq!(copy.titles(), ["One", "Three", "Two"]);
    assert_eq!(copy.follow(&team.member, 2).await, 0, "nothing has changed");

    let _ = team.member.put(&format!("/tasks/{one}/completion"), json!(null)).await.is(200);
    let change = |statement: &'static str, task: &str| sqlx::query(statement).bind(task.to_owned()).execute(&app.admin);
    change("update tasks set deleted_at = now(), deleted_by = created_by where id = $1::uuid", &two).await.unwrap();
    change("update tasks set title = 'Still hidden' where id = $1::uuid", &hidden).await.unwrap();
    let _ = create(&ops, "Four").await;
    copy.learn(&team.member, 1, 3).await;
    assert_eq!(copy.titles(), ["Four", "One", "Three"]);
    assert_eq!(copy.tasks, list(&team.member).await);
    change("update tasks set deleted_at = null, deleted_by = null where id = $1::uuid", &two).await.unwrap();
    copy.learn(&team.member, 50, 1).await;
    assert_eq!(copy.titles(), ["Four", "One", "Three", "Two"]);

    // Moved to where the member sees nothing, and back.
    let moved = "with task as (update tasks t set project_id = p.id, number = 100 from projects p
                               where p.org_id = t.org_id and p.key = 'OWN' and t.id = $1::uuid returning t.*)
                 insert into task_tombstones (org_id, project_id, task_id) select org_id, $2::uuid, id from task";
    sqlx::query(moved).bind(&two).bind(&ops).execute(&app.admin).await.unwrap();
    let mut of_owner = Copy::default();
    of_owner.learn(&team.owner, 50, 5).await;
    copy.learn(&team.member, 50, 1).await;
    assert_eq!(copy.tasks, list(&team.member).await);
    assert_eq!(of_owner.tasks, list(&team.owner).await, "who sees both places has it");
    assert_eq!(of_owner.tasks.len(), 5);
}

#[tokio::test]
async fn what_a_task_shows_of_others_is_a_change_of_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({ "project": project, "title": "Shared", "assignees": [team.member.id, team.admin.id] });
    let task = team.owner.post("/tasks", new).await.is(201).text_at("/id");
    let labels = format!("/projects/{project}/labels");
    let label = team.owner.post(&labels, json!({ "name": "Bug" })).await.is(201).text_at("/id");
    let _ = team.owner.patch(&format!("/tasks/{task}"), json!({ "labels": [label] })).await.is(200);
    let mut copy = Copy::default();
    copy.learn(&team.owner, 50, 1).await;
    let _ = team.admin.delete("/members/me").await.is(204);
    copy.learn(&team.owner, 50, 1).await;
    assert_eq!(copy.tasks[&task]["assignees"], json!([team.member.id]));
    let _ = team.owner.patch(&format!("{labels}/{label}"), json!({ "name": "Defect" })).await.is(200);
    copy.learn(&team.owner, 50, 1).await;
    assert_eq!(copy.tasks, list(&team.owner).await);
    let _ = team.owner.delete(&format!("{labels}/{label}")).await.is(204);
    copy.learn(&team.owner, 50, 1).await;
    assert_eq!(copy.tasks, list(&team.owner).await);
}

#[tokio::test]
async fn what_becomes_of_a_part_is_a_change_of_the_whole() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (ops, own) = (team.project("OPS", "open").await, team.project("OWN", "open").await);
    let create = async |new: Value| team.owner.post("/tasks", new).await.is(201).text_at("/id");
    let whole = create(json!({ "project": ops, "title": "Whole" })).await;
    let other = create(json!({ "project": ops, "title": "Other" })).await;
    let mut copy = Copy::default();
    copy.learn(&team.owner, 50, 2).await;
    let before = copy.tasks[&whole].clone();

    let part = create(json!({ "project": ops, "title": "Part", "parent": whole })).await;
    copy.learn(&team.owner, 50, 2).await;
    let (path, completion) = (format!("/tasks/{part}"), format!("/tasks/{part}/completion"));
    let _ = team.owner.put(&completion, json!(null)).await.is(200);
    copy.learn(&team.owner, 50, 2).await;
    let counts = |copy: &Copy| {
        let of = |task: &String| {
            (copy.tasks[task]["subtask_count"].clone(), copy.tasks[task]["completed_subtask_count"].clone())
        };
        (of(&whole), of(&other))
    };
    let (none, open, done) = ((json!(0), json!(0)), (json!(1), json!(0)), (json!(1), json!(1)));
    assert_eq!(counts(&copy), (done.clone(), none.clone()));
    let _ = team.owner.delete(&completion).await.is(200);
    copy.learn(&team.owner, 50, 2).await;
    let _ = team.owner.delete(&path).await.is(204);
    copy.learn(&team.owner, 50, 2).await;
    assert_eq!(counts(&copy), (none.clone(), none.clone()));
    let _ = team.owner.delete(&format!("{path}/deletion")).await.is(200);
    copy.learn(&team.owner, 50, 2).await;
    assert_eq!(counts(&copy), (open.clone(), none.clone()));
    // From one whole to another, and away from all of them.
    let _ = team.owner.patch(&path, json!({ "parent": other })).await.is(200);
    copy.learn(&team.owner, 50, 3).await;
    assert_eq!(counts(&copy), (none.clone(), open));
    let _ = team.owner.patch(&path, json!({ "project": own })).await.is(200);
    copy.learn(&team.owner, 50, 2).await;
    assert_eq!(counts(&copy), (none.clone(), none));
    assert_eq!(copy.tasks, list(&team.owner).await);
    assert_eq!(copy.tasks[&whole], before, "neither version nor time have moved");

    // What they show of it has not changed.
    let _ = team.owner.patch(&path, json!({ "parent": null, "title": "Alone" })).await.is(200);
    copy.learn(&team.owner, 50, 1).await;
}

#[tokio::test]
async fn a_copy_that_cannot_be_brought_up_to_date_begins_anew() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let _ = team.project("OPS", "open").await;
    let mut copy = Copy::default();
    let _ = copy.follow(&team.member, 50).await;
    let since = copy.since.clone().unwrap();
    let path = format!("/tasks/changes?since={since}");
    let _ = team.member.get(&path).await.is(200);
    // The same cursor for somebody who sees other projects.
    let _ = team.project("OWN", "private").await;
    team.owner.get(&path).await.is_problem(410, "sync_again");
    let _ = team.member.get(&path).await.is(200);
    // Another project is seen now.
    let _ = team.project("NEW", "open").await;
    team.member.get(&path).await.is_problem(410, "sync_again");
    // Altered, or of a list.
    let mut altered = since.clone();
    altered.replace_range(0..1, if since.starts_with('A') { "B" } else { "A" });
    team.member.get(&format!("/tasks/changes?since={altered}")).await.is_problem(400, "invalid_query");
    app.team().await.member.get(&path).await.is_problem(400, "invalid_query");
}

#[tokio::test]
async fn a_change_that_is_not_committed_holds_back_those_after_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let create = async |title: &str| {
        team.owner.post("/tasks", json!({ "project": project, "title": title })).await.is(201).text_at("/id")
    };
    let (slow, _) = (create("Slow").await, create("Quick").await);
    let mut copy = Copy::default();
    copy.learn(&team.member, 50, 2).await;

    let mut writer = sqlx::PgConnection::connect(app.database_url.as_str()).await.unwrap();
    let mut transaction = writer.begin().await.unwrap();
    let change = "update tasks set title = 'Slow at last' where id = $1::uuid";
    sqlx::query(change).bind(&slow).execute(&mut *transaction).await.unwrap();
    let _ = create("Later").await;
    // The later one is committed, and is not told yet: the position would be past the one that is not.
    assert_eq!(copy.follow(&team.member, 50).await, 0);
    transaction.commit().await.unwrap();
    copy.learn(&team.member, 50, 2).await;
    assert_eq!(copy.titles(), ["Later", "Quick", "Slow at last"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_and_one_reader_and_no_change_is_ever_missed() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let mut ids = Vec::new();
    for number in 0..12 {
        let new = json!({ "project": project, "title": format!("Task {number}") });
        ids.push(team.owner.post("/tasks", new).await.is(201).text_at("/id"));
    }
    let pool =
        sqlx::postgres::PgPoolOptions::new().max_connections(6).connect(app.database_url.as_str()).await.unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    // Each changes its own tasks, two in a transaction, beside the others, until the reader has seen enough.
    let write = |writer: usize| {
        let (pool, ids, stop) = (pool.clone(), ids.clone(), stop.clone());
        tokio::spawn(async move {
            let mut round = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let mut transaction = pool.begin().await.unwrap();
                for step in 0..2 {
                    let change = "update tasks set title = $1, version = version + 1 where id = $2::uuid";
                    let title = format!("Writer {writer} round {round} step {step}");
                    sqlx::query(change)
                        .bind(title)
                        .bind(&ids[writer * 2 + step])
                        .execute(&mut *transaction)
                        .await
                        .unwrap();
                    tokio::task::yield_now().await;
                }
                transaction.commit().await.unwrap();
                round += 1;
            }
        })
    };
    let writers: Vec<_> = (0..6).map(write).collect();
    let mut copy = Copy::default();
    let mut told = 0;
    harness::eventually("the reader has followed the writers for a while", async || {
        told += copy.follow(&team.member, 3).await;
        (told > 60).then_some(())
    })
    .await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let last = list(&team.member).await;
    harness::eventually("the copy is what there is", async || {
        let _ = copy.follow(&team.member, 3).await;
        (copy.tasks == last).then_some(())
    })
    .await;
}
