use harness::TestApp;

use crate::each_is_told_once;

#[tokio::test]
async fn a_crash_before_the_body_costs_a_lease_and_no_mail() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Claimed by the dead", 1).await;
    // A mail server that never greets holds the worker before the body.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smtp = url::Url::parse(&format!("smtp+plain://{}", silent.local_addr().unwrap())).unwrap();
    let doomed = app.work_with(&smtp);
    harness::eventually("the mail is claimed", async || {
        app.mail_states().await.contains(&"claimed".to_owned()).then_some(())
    })
    .await;
    doomed.crash().await;
    let worker = app.work();
    // The lease takes a while; the test does not wait for the clock, it moves the lease.
    sqlx::query("update mails set lease_until = now() where state = 'claimed'").execute(&app.admin).await.unwrap();
    assert_eq!(app.all_settled().await, ["sent"]);
    assert_eq!(app.inbox.messages().len(), 1);
    worker.stop().await;
}

#[tokio::test]
async fn two_workers_send_each_mail_once() {
    let app = TestApp::start().await;
    let (one, other) = (app.work(), app.work());
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for number in 0..40 {
        team.reminded_task(&project, &format!("Task {number}"), 1).await;
    }
    each_is_told_once(&app, 40).await;
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_stop_brings_the_mails_in_hand_to_their_ends() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for number in 0..60 {
        team.reminded_task(&project, &format!("Task {number}"), 1).await;
    }
    let worker = app.work();
    harness::eventually("the first is sent", async || (!app.inbox.messages().is_empty()).then_some(())).await;
    worker.stop().await;
    let states = app.mail_states().await;
    assert!(!states.iter().any(|state| state == "claimed" || state == "sending"), "{states:?}");
    let worker = app.work();
    let states = app.all_settled().await;
    assert!(states.iter().filter(|state| *state == "sent").count() == app.inbox.messages().len(), "{states:?}");
    worker.stop().await;
}
