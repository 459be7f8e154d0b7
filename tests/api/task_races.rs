//! What two people do to one task at the same moment.

use common::{
    access::Role,
    mails::{self, Attempt, Outcome, Phase},
};
use futures::future::join_all;
use harness::{Actor, Reply, TestApp};
use serde_json::{Value, json};

use crate::{
    people::{arrange, count},
    races::{interleaved, post, row},
};

async fn patch(actor: Actor, path: String, body: Value) -> Reply {
    actor.patch(&path, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_changes_of_one_version_one_is_made() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for round in 0..10 {
        let made = team.owner.post("/tasks", json!({ "project": project, "title": "Race" })).await.is(201);
        let (tag, path) = (made.header("etag").unwrap().to_owned(), format!("/tasks/{}", made.text_at("/id")));
        let (one, other) = tokio::join!(
            team.member.patch_if(&tag, &path, json!({ "title": "One" })),
            team.admin.patch_if(&tag, &path, json!({ "description": "Other" })),
        );
        let mut statuses = [one.status(), other.status()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{round}");
        assert_eq!(team.owner.get(&path).await.is(200).json()["version"], 2);
    }
}

#[tokio::test]
async fn who_waited_for_a_change_of_the_people_does_not_undo_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({
        "project": project, "title": "Look", "due": { "date": "2041-01-01" }, "assignees": [team.member.id],
        "reminders": [{ "when": { "offset": "-P1D" }, "to": "assignees" }],
    });
    let id = team.owner.post("/tasks", new).await.is(201).text_at("/id");
    let path = format!("/tasks/{id}");
    // Both wait for the task; then the second one finds what the first one has made of it, its people too.
    let people = patch(team.owner.clone(), path.clone(), json!({ "assignees": [team.admin.id] }));
    let title = patch(team.admin.clone(), path.clone(), json!({ "title": "Looked" }));
    let (one, two) = interleaved(&app, row("tasks", "id", &id), people, title).await;
    assert_eq!((one.status(), two.status()), (200, 200));
    let shown = team.owner.get(&path).await.is(200).json();
    assert_eq!(
        (&shown["assignees"], &shown["title"], &shown["version"]),
        (&json!([team.admin.id]), &json!("Looked"), &json!(3))
    );
    let owed = "deliveries where cancelled_at is null";
    assert_eq!(count(&app, owed).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_completed_and_deleted_at_once_owes_nothing_either_way() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for _ in 0..10 {
        let task = team.reminded_task(&project, "Race", 3600).await;
        let path = format!("/tasks/{}", task["id"].as_str().unwrap());
        let completion = format!("{path}/completion");
        let (done, gone) = tokio::join!(team.member.put(&completion, json!(null)), team.admin.delete(&path));
        assert_eq!(gone.status(), 204);
        assert!(matches!(done.status(), 200 | 409), "{done:?}");
        assert!(team.owner.get(&path).await.is(200).json()["deleted_at"].is_string());
    }
    assert_eq!(app.mail_states().await, ["cancelled"; 10]);
    assert_eq!(count(&app, "projects where task_count = 0").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_and_new_tasks_at_once_give_each_a_number_of_its_own() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (ops, dev) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    for round in 0..6 {
        let new = |project: &str| json!({ "project": project, "title": "Race" });
        let id = team.owner.post("/tasks", new(&ops)).await.is(201).text_at("/id");
        let back = team.owner.post("/tasks", new(&dev)).await.is(201).text_at("/id");
        let (there, here) = (format!("/tasks/{id}"), format!("/tasks/{back}"));
        let (moved, returned, made, other) = tokio::join!(
            team.member.patch(&there, json!({ "project": dev })),
            team.admin.patch(&here, json!({ "project": ops })),
            join_all((0..3).map(|_| team.owner.post("/tasks", new(&dev)))),
            join_all((0..3).map(|_| team.member.post("/tasks", new(&ops)))),
        );
        assert_eq!((moved.status(), returned.status()), (200, 200), "{round}: {moved:?} {returned:?}");
        assert!(made.iter().chain(&other).all(|reply| reply.status() == 201), "{round}");
    }
    let wrong = "projects p where task_count <> (select count(*) from tasks t where t.project_id = p.id)";
    assert_eq!(count(&app, wrong).await, 0);
    assert_eq!(count(&app, "projects where task_count = 24").await, 2);
}

#[tokio::test]
async fn who_was_removed_at_that_moment_is_assigned_and_owed_nothing_by_a_change() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({
        "project": project, "title": "Look", "due": { "date": "2041-01-01" },
        "reminders": [{ "when": { "offset": "-P1D" }, "to": "assignees" }],
    });
    let id = team.owner.post("/tasks", new).await.is(201).text_at("/id");
    for change in
        [json!({ "due": { "date": "2042-01-01" } }), json!({ "project": project, "due": { "date": "2043-01-01" } })]
    {
        let hand = app.join(&team, "hand", Role::Member).await;
        let mut change = change;
        change["assignees"] = json!([hand.id]);
        let changing = patch(team.owner.clone(), format!("/tasks/{id}"), change);
        let (admin, member) = (team.admin.clone(), format!("/members/{}", hand.id));
        let removing = async move { admin.delete(&member).await };
        let (answer, removed) = interleaved(&app, row("tasks", "id", &id), changing, removing).await;
        assert!(matches!(answer.status(), 200 | 409), "{answer:?}");
        assert_eq!(removed.status(), 204);
        assert_eq!(count(&app, &format!("task_assignees where account_id = '{}'", hand.id)).await, 0);
        let owed = format!("deliveries where cancelled_at is null and account_id = '{}'", hand.id);
        assert_eq!(count(&app, &owed).await, 0);
    }
}

#[tokio::test]
async fn a_mail_in_a_workers_hands_is_not_sent_after_its_task_has_changed() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (worker, _) = app.worker_db().await;
    for change in ["", "due", "assignees", "deleted", "completed", "muted", "project muted", "unsubscribed", "archived"]
    {
        let task = team.reminded_task(&project, "Held", 3600).await;
        let path = format!("/tasks/{}", task["id"].as_str().unwrap());
        let reminded = format!("deliveries where task_id = '{}'", task["id"].as_str().unwrap());
        let mail = format!("id in (select mail_id from {reminded})");
        arrange(&app, &format!("update mails set next_at = now() where {mail}")).await;
        let id: uuid::Uuid = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select id from mails where {mail}")))
            .fetch_one(&app.admin)
            .await
            .unwrap();
        let claim = mails::claim(&worker, id.into(), "hand").await.unwrap().unwrap();
        let scope = worker.for_job(claim.org, claim.account).await.unwrap();
        let content = mails::content(scope, &claim).await.unwrap().unwrap();
        match change {
            "" => {}
            "due" => drop(team.owner.patch(&path, json!({ "due": { "date": "2041-01-01" } })).await.is(200)),
            "assignees" => drop(team.owner.patch(&path, json!({ "assignees": [] })).await.is(200)),
            "deleted" => drop(team.owner.delete(&path).await.is(204)),
            "completed" => drop(team.member.put(&format!("{path}/completion"), json!(null)).await.is(200)),
            "muted" => drop(team.member.put(&format!("{path}/mute"), json!(null)).await.is(200)),
            "project muted" => {
                let mute = format!("/projects/{project}/mute");
                let _ = team.member.put(&mute, json!(null)).await.is(200);
                let _ = team.member.delete(&mute).await.is(204);
            }
            "unsubscribed" => {
                let _ = team.member.patch("/notification-settings", json!({ "reminders": false })).await.is(200);
                let _ = team.member.patch("/notification-settings", json!({ "reminders": true })).await.is(200);
            }
            _ => drop(team.owner.put(&format!("/projects/{project}/archive"), json!(null)).await.is(200)),
        }
        arrange(&app, "delete from replans").await;
        let marked = mails::mark_sending(&worker, &claim, &content).await.unwrap();
        let attempt = Attempt { worker: "hand", phase: Phase::Envelope, reply: None };
        let ended = mails::finish(&worker, &claim, &Outcome::Sent, &attempt).await.unwrap();
        // The first: nothing has changed, and it goes out.
        assert_eq!((marked, ended), (change.is_empty(), change.is_empty()), "{change}");
        let state = if change.is_empty() { "sent" } else { "cancelled" };
        assert_eq!(count(&app, &format!("mails where state = '{state}' and {mail}")).await, 1, "{change}");
    }
}

#[tokio::test]
async fn what_slipped_through_is_asked_again_before_it_is_sent() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for (what, reason) in [
        ("update tasks set deleted_at = now(), deleted_by = created_by", "task deleted"),
        ("update projects set archived_at = now()", "project archived"),
        ("delete from task_assignees", "unassigned"),
        ("update task_watches set state = 'muted'", "muted"),
        ("update reminders set removed_at = now()", "reminder removed"),
    ] {
        let task = team.reminded_task(&project, "Not any more", 3600).await;
        arrange(&app, what).await;
        arrange(&app, "update mails set next_at = now()  where state = 'scheduled'").await;
        let worker = app.work();
        assert!(app.all_settled().await.iter().all(|state| state == "cancelled"), "{reason}");
        worker.stop().await;
        let id = task["reminders"][0]["plan"][0]["delivery_id"].as_str().unwrap();
        assert_eq!(team.member.get(&format!("/deliveries/{id}")).await.is(200).json()["reason"], reason);
        arrange(&app, "update projects set archived_at = null").await;
    }
    assert!(app.inbox.messages().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_are_completed_while_their_whole_is_deleted_and_nobody_waits_for_each_other() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for _ in 0..20 {
        let create = async |new: Value| team.owner.post("/tasks", new).await.is(201).text_at("/id");
        let whole = create(json!({ "project": project, "title": "Whole" })).await;
        let mut parts = Vec::new();
        for _ in 0..3 {
            parts.push(create(json!({ "project": project, "title": "Part", "parent": whole })).await);
        }
        let complete = async |part: String| team.member.put(&format!("/tasks/{part}/completion"), json!(null)).await;
        let path = format!("/tasks/{whole}");
        let (done, gone) = tokio::join!(join_all(parts.into_iter().map(complete)), team.admin.delete(&path));
        assert_eq!(gone.status(), 204);
        assert!(done.iter().all(|done| matches!(done.status(), 200 | 409)), "{done:?}");
    }
}

#[tokio::test]
async fn who_comes_too_late_to_a_task_that_is_being_deleted_is_told_what_whoever_comes_later_is_told() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let reminder = json!({ "when": { "at": "2041-01-01T00:00:00Z" }, "to": "me" });
    for (path, body) in [("comments", json!({ "body": "Well?" })), ("reminders", reminder)] {
        let new = json!({ "project": project, "title": "Look" });
        let task = team.owner.post("/tasks", new).await.is(201).text_at("/id");
        // Has found the task, and waits to be kept as a member.
        let hold = row("memberships", "account_id", team.member.id);
        let late = post(team.member.clone(), format!("/tasks/{task}/{path}"), body);
        let (owner, gone) = (team.owner.clone(), format!("/tasks/{task}"));
        let (late, gone) = interleaved(&app, hold, late, async move { owner.delete(&gone).await }).await;
        assert_eq!(gone.status(), 204);
        late.is_problem(409, "task_deleted");
    }
}

#[tokio::test]
async fn whoever_hears_again_of_a_task_that_is_put_off_at_that_moment_is_told_at_its_new_time() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({
        "project": project, "title": "Look", "due": { "at": "2041-01-01T09:00:00Z" },
        "assignees": [team.member.id, team.admin.id],
        "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }],
    });
    let id = team.owner.post("/tasks", new).await.is(201).text_at("/id");
    let (task, mute) = (format!("/tasks/{id}"), format!("/tasks/{id}/mute"));
    let mut day = 1;
    for again in ["unmute", "watch"] {
        let _ = team.member.put(&mute, json!(null)).await.is(200);
        day += 1;
        let due = format!("2041-01-0{day}T09:00:00Z");
        // The change has the task already, and is stopped at a mail that it cancels.
        let changing = patch(team.owner.clone(), task.clone(), json!({ "due": { "at": due } }));
        let (member, path) = (team.member.clone(), task.clone());
        let hearing = async move {
            if again == "watch" {
                member.put(&format!("{path}/watch"), json!(null)).await
            } else {
                member.delete(&format!("{path}/mute")).await
            }
        };
        let held: uuid::Uuid =
            sqlx::query_scalar("select m.id from mails m where m.account_id = $1 and m.state = 'scheduled'")
                .bind(team.admin.id.0)
                .fetch_one(&app.admin)
                .await
                .unwrap();
        let (changed, heard) = interleaved(&app, row("mails", "id", held), changing, hearing).await;
        assert_eq!((changed.status(), heard.status() / 100), (200, 2));
        let live =
            format!("deliveries where account_id = '{}' and cancelled_at is null and due_at = '{due}'", team.member.id);
        assert_eq!(count(&app, &live).await, 1, "{again}");
        assert_eq!(
            count(&app, &format!("deliveries where account_id = '{}' and cancelled_at is null", team.member.id)).await,
            1
        );
    }
}

#[tokio::test]
async fn a_move_that_begins_before_a_reminder_goes_out_and_ends_after_it_sends_no_second_one() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (from, to) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    let task = team.reminded_task(&from, "Look", 3).await;
    let mut holder = app.admin.begin().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(row("projects", "id", &to))).execute(&mut *holder).await.unwrap();
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    let moving = tokio::spawn(patch(team.owner.clone(), path, json!({ "project": to })));
    harness::eventually("the move waits", async || (app.waiting().await == 1).then_some(())).await;
    let before: bool =
        sqlx::query_scalar("select clock_timestamp() < due_at from mails").fetch_one(&app.admin).await.unwrap();
    assert!(before, "too slow a machine: the move began too late to tell anything");
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["sent"]);
    holder.rollback().await.unwrap();
    let moved = moving.await.unwrap().is(200).json();
    assert_eq!(moved["reminders"][0]["plan"][0]["skipped"], "already_past", "{moved}");
    assert_eq!(app.mail_states().await, ["sent"]);
    worker.stop().await;
}
