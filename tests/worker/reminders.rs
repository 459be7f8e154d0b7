use std::time::SystemTime;

use common::{ids::MailId, mails};
use harness::TestApp;
use serde_json::json;

/// The instants at which the recipients of a new task will be told.
fn due_at(task: &serde_json::Value) -> SystemTime {
    let at: jiff::Timestamp = task["reminders"][0]["plan"][0]["due_at"].as_str().unwrap().parse().unwrap();
    at.into()
}

#[tokio::test]
async fn a_task_that_falls_due_is_in_the_inbox_of_the_right_person_once_and_not_early() {
    let app = TestApp::start().await;
    let worker = app.work();
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Water the plants", 2).await;
    let mail = app.mail_to(&team.member.email).await;
    assert!(mail.received_at >= due_at(&task), "early");
    assert!(mail.subject().contains("Water the plants"), "{}", mail.subject());
    assert_eq!(app.all_settled().await, ["sent"]);
    assert_eq!(app.inbox.messages().len(), 1);

    let id = team.member.get("/deliveries").await.is(200).text_at("/data/0/id");
    let log = team.member.get(&format!("/deliveries/{id}")).await.is(200).json();
    let steps: Vec<&str> = log["steps"].as_array().unwrap().iter().map(|step| step["to"].as_str().unwrap()).collect();
    assert_eq!(steps, ["claimed", "sending", "sent"]);
    assert_eq!(
        (&log["state"], &log["attempts"], &log["tries"][0]["outcome"]),
        (&json!("sent"), &json!(1), &json!("sent"))
    );
    worker.stop().await;
}

#[tokio::test]
async fn what_was_cancelled_is_not_sent() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let done = team.reminded_task(&project, "Done in time", 1).await;
    team.reminded_task(&project, "Still open", 1).await;
    let path = format!("/tasks/{}/completion", done["id"].as_str().unwrap());
    let _ = team.member.put(&path, json!(null)).await.is(200);
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["cancelled", "sent"]);
    let subjects: Vec<String> = app.inbox.messages().iter().map(|mail| mail.subject()).collect();
    assert!(subjects.len() == 1 && subjects[0].contains("Still open"), "{subjects:?}");
    worker.stop().await;
}

#[tokio::test]
async fn a_recipient_who_lost_their_membership_before_it_was_due_gets_nothing() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Not for you any more", 1).await;
    sqlx::query("update memberships set status = 'suspended' where account_id = $1")
        .bind(team.member.id.0)
        .execute(&app.admin)
        .await
        .unwrap();
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["cancelled"]);
    assert!(app.inbox.messages().is_empty());
    worker.stop().await;
}

#[tokio::test]
async fn hints_that_come_twice_or_early_or_for_nothing_send_one_mail() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Once", 2).await;
    let id: uuid::Uuid = sqlx::query_scalar("select id from mails").fetch_one(&app.admin).await.unwrap();
    let worker = app.work();
    for _ in 0..20 {
        app.queue.push(&[MailId(id), MailId::new(), MailId(id)]).await.unwrap();
    }
    assert_eq!(app.all_settled().await, ["sent"]);
    for _ in 0..20 {
        app.queue.push(&[MailId(id)]).await.unwrap();
    }
    harness::eventually("the queue is drained", async || (app.queue.len().await.unwrap() == 0).then_some(())).await;
    worker.stop().await;
    let mails = app.inbox.messages();
    assert!(mails.len() == 1 && mails[0].received_at >= due_at(&task), "{mails:?}");
}

#[tokio::test]
async fn a_worker_that_lost_its_claim_changes_nothing() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Fenced", 3600).await;
    sqlx::query("update mails set next_at = now()").execute(&app.admin).await.unwrap();
    let id: uuid::Uuid = sqlx::query_scalar("select id from mails").fetch_one(&app.admin).await.unwrap();
    let (db, _) = app.worker_db().await;
    let stale = mails::claim(&db, MailId(id), "paused").await.unwrap().unwrap();
    assert!(mails::claim(&db, MailId(id), "other").await.unwrap().is_none(), "a claimed mail was claimed again");
    // The first worker is paused beyond its lease; the sweep gives the mail back, another worker takes it.
    sqlx::query("update mails set lease_until = now() - interval '1 second'").execute(&app.admin).await.unwrap();
    let swept = mails::sweep(&db, common::config::Uncertain::Resend, 10).await.unwrap();
    assert_eq!(swept.reclaimed, 1);
    let fresh = mails::claim(&db, MailId(id), "other").await.unwrap().unwrap();
    assert_eq!(fresh.fence, stale.fence + 1);
    // Now the first one wakes up.
    let attempt = mails::Attempt { worker: "paused", phase: mails::Phase::Done, reply: None };
    assert!(!mails::renew(&db, &stale).await.unwrap());
    assert!(!mails::finish(&db, &stale, &mails::Outcome::Sent, &attempt).await.unwrap());
    assert_eq!(app.mail_states().await, ["claimed"]);
    assert!(mails::finish(&db, &fresh, &mails::Outcome::Dead, &attempt).await.unwrap());
    assert_eq!(app.mail_states().await, ["dead"]);
}

#[tokio::test]
async fn the_database_refuses_illegal_steps_and_logs_the_legal_ones() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Steps", 3600).await;
    for illegal in ["sending", "sent", "retry", "uncertain"] {
        let lease = if illegal == "sending" { "now()" } else { "null" };
        let statement = format!("update mails set state = '{illegal}', lease_until = {lease}");
        let fault = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&app.admin).await.unwrap_err();
        assert_eq!(fault.as_database_error().unwrap().constraint(), Some("mails_step"), "{illegal}");
    }
    sqlx::query("update mails set state = 'cancelled', reason = 'a test'").execute(&app.admin).await.unwrap();
    let fault = sqlx::query("update mails set state = 'retry'").execute(&app.admin).await.unwrap_err();
    assert_eq!(fault.as_database_error().unwrap().constraint(), Some("mails_step"), "terminal states never change");
    let log: Vec<(String, String)> = sqlx::query_as("select from_state, to_state from mail_steps order by step")
        .fetch_all(&app.admin)
        .await
        .unwrap();
    assert_eq!(log, [("scheduled".to_owned(), "cancelled".to_owned())]);
}

#[tokio::test]
async fn a_reminder_that_was_sent_and_put_off_comes_once_more() {
    let app = TestApp::start().await;
    let worker = app.work();
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Water the plants", 1).await;
    assert_eq!(app.all_settled().await, ["sent"]);
    let id = team.member.get("/deliveries").await.is(200).text_at("/data/0/id");
    let plan = team.member.post(&format!("/deliveries/{id}/snooze"), json!({ "for": "PT2S" })).await.is(201).json();
    let at: jiff::Timestamp = plan["plan"][0]["due_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(app.all_settled().await, ["sent", "sent"]);
    let mails = app.inbox.messages();
    assert_eq!(mails.len(), 2);
    assert!(mails[1].received_at >= SystemTime::from(at), "early");
    // What was sent stays sent.
    assert_eq!(team.member.get(&format!("/deliveries/{id}")).await.is(200).text_at("/state"), "sent");
    worker.stop().await;
}
