//! What goes for good, and the mails that told of it beside something else.

use std::time::Duration;

use common::{
    db::Db,
    ids::MailId,
    mails::{self, Attempt, Claim, Outcome, Phase},
    purge::purge,
};
use harness::{Team, TestApp};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

async fn arrange(app: &TestApp, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&app.admin).await.unwrap();
}

/// What mails that came as far as `sending` say, in one.
async fn said(app: &TestApp) -> String {
    sqlx::query_scalar("select coalesce(string_agg(content::text, ' '), '') from mails")
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

/// The mail of this task is in the middle of its body, with all that is folded into it.
async fn sending(app: &TestApp, title: &str) -> (Db, Claim) {
    arrange(app, "update mails set due_at = now(), next_at = now()").await;
    let mail: Uuid =
        sqlx::query_scalar("select d.mail_id from deliveries d join tasks t on t.id = d.task_id where t.title = $1")
            .bind(title)
            .fetch_one(&app.admin)
            .await
            .unwrap();
    let (db, _) = app.worker_db().await;
    let claim = mails::claim(&db, MailId(mail), "hand").await.unwrap().unwrap();
    let scope = db.for_job(claim.org, claim.account).await.unwrap();
    let content = mails::content(scope, &claim).await.unwrap().unwrap();
    assert!(mails::mark_sending(&db, &claim, &content).await.unwrap());
    (db, claim)
}

async fn ends(db: &Db, claim: &Claim, outcome: &Outcome) {
    let reply = "550 5.1.1 <member@example.org>: gone".to_owned();
    let attempt = Attempt { worker: "hand", phase: Phase::Body, reply: Some(reply) };
    assert!(mails::finish(db, claim, outcome, &attempt).await.unwrap());
}

/// Three reminders of the member's in each of two projects, in one mail whose try ended so; the projects.
async fn folded(app: &TestApp, team: &Team, outcome: &Outcome) -> (Db, [String; 2]) {
    let projects = [team.project("OLD", "open").await, team.project("NEW", "open").await];
    for (project, key) in projects.iter().zip(["Old", "New"]) {
        for number in 1..=3 {
            team.reminded_task(project, &format!("{key} task {number}"), 3600).await;
        }
    }
    let (db, claim) = sending(app, "Old task 1").await;
    assert_eq!(claim.folded.len(), 5);
    ends(&db, &claim, outcome).await;
    (db, projects)
}

async fn erase(team: &Team, project: &str) {
    let _ = team.owner.put(&format!("/projects/{project}/archive"), json!(null)).await.is(200);
    let _ = team.owner.delete(&format!("/projects/{project}")).await.is(204);
}

/// The member's deliveries, each as it is told: its state, and the last of its steps.
async fn told(team: &Team) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for delivery in team.member.get("/deliveries").await.is(200).json()["data"].as_array().unwrap() {
        let log = team.member.get(&format!("/deliveries/{}", delivery["id"].as_str().unwrap())).await.is(200).json();
        assert!(!log["tries"].as_array().unwrap().is_empty(), "{log}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        told.push((text(&log["state"]), text(&log["steps"].as_array().unwrap().last().unwrap()["to"])));
    }
    told
}

fn sent(count: usize) -> Vec<(String, String)> {
    vec![("sent".to_owned(), "sent".to_owned()); count]
}

#[tokio::test]
async fn a_project_that_is_deleted_takes_no_reminder_of_another_one_with_it() {
    for outcome in [Outcome::Retry(Duration::ZERO), Outcome::Uncertain] {
        let app = TestApp::start().await;
        let team = app.team().await;
        let (_, [old, _]) = folded(&app, &team, &outcome).await;
        erase(&team, &old).await;
        let kept = said(&app).await;
        assert!(kept.contains("New task 1") && !kept.contains("Old task"), "{kept}");
        let worker = app.work();
        let mail = app.mail_to(&team.member.email).await;
        app.all_settled().await;
        worker.stop().await;
        assert_eq!(app.inbox.messages().len(), 1, "{outcome:?}");
        assert_eq!(mail.subject(), "3 tasks: New task 1, New task 2, New task 3");
        assert!(!mail.text().unwrap().contains("Old task"));
        assert_eq!(told(&team).await, sent(3));
    }
}

#[tokio::test]
async fn what_was_sent_beside_a_project_that_is_deleted_keeps_its_story() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (_, [old, new]) = folded(&app, &team, &Outcome::Sent).await;
    assert_eq!(told(&team).await, sent(6));
    erase(&team, &old).await;
    assert_eq!(told(&team).await, sent(3));
    let kept = said(&app).await;
    assert!(kept.contains("New task 3") && !kept.contains("Old task"), "{kept}");
    // The last of what it told of takes it along.
    erase(&team, &new).await;
    assert_eq!((told(&team).await, said(&app).await), (vec![], String::new()));
}

#[tokio::test]
async fn a_task_that_goes_for_good_is_taken_out_of_a_mail_of_many() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (db, _) = folded(&app, &team, &Outcome::Sent).await;
    for (title, left) in [("Old task 1", 5), ("New task 2", 4)] {
        let task: Uuid = sqlx::query_scalar("select id from tasks where title = $1")
            .bind(title)
            .fetch_one(&app.admin)
            .await
            .unwrap();
        let _ = team.owner.delete(&format!("/tasks/{task}")).await.is(204);
        arrange(&app, "update tasks set deleted_at = now() - interval '31 days' where deleted_at is not null").await;
        assert_eq!(purge(&db).await.unwrap().tasks, 1);
        assert_eq!(told(&team).await, sent(left));
        let kept = said(&app).await;
        assert!(kept.contains("Old task 2") && !kept.contains(title), "{kept}");
    }
}

#[tokio::test]
async fn what_mails_to_somebody_whose_account_is_erased_said_is_forgotten_at_their_end() {
    for (before, after) in [
        (None, Some(Outcome::Sent)),
        (None, Some(Outcome::Retry(Duration::from_hours(1)))),
        (None, Some(Outcome::Uncertain)),
        (Some(Outcome::Uncertain), None),
        (Some(Outcome::Sent), None),
        (Some(Outcome::Dead), None),
    ] {
        let app = TestApp::start().await;
        let team = app.team().await;
        let project = team.project("OPS", "open").await;
        team.reminded_task(&project, "Oil the gears", 3600).await;
        let (db, claim) = sending(&app, "Oil the gears").await;
        if let Some(outcome) = &before {
            ends(&db, &claim, outcome).await;
        }
        arrange(&app, &format!("update accounts set deletion_due_at = now() where id = '{}'", team.member.id)).await;
        assert_eq!(purge(&db).await.unwrap().accounts, 1);
        if let Some(outcome) = &after {
            assert!(said(&app).await.contains(&team.member.email), "it is on its way");
            ends(&db, &claim, outcome).await;
            purge(&db).await.unwrap();
        }
        assert_eq!(said(&app).await, "", "{before:?} {after:?}");
        // Nor is it in what the mail server answered.
        let answers = "select count(reply), count(*) filter (where m.reason like '%@%') from mails m join attempts a on a.mail_id = m.id";
        let answers: (i64, i64) = sqlx::query_as(answers).fetch_one(&app.admin).await.unwrap();
        assert_eq!(answers, (0, 0), "{before:?} {after:?}");
        let ended = match after.or(before) {
            Some(Outcome::Sent) => "sent",
            Some(Outcome::Dead) => "dead",
            _ => "cancelled",
        };
        assert_eq!(app.mail_states().await, [ended]);
    }
}
