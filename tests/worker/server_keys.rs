//! The server key is changed: mails that wait keep their word, and the links that nobody has seen go over to the new key.

use common::secrets::{Purpose, ServerKey};
use harness::{KEY, TestApp, eventually};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

const NEW: &str = "another key for tests, as long as the first";
/// A worker's, while both are known.
const BOTH: [(&str, &str); 2] = [("TASKBELL_SERVER_KEY", NEW), ("TASKBELL_SERVER_KEY_BEFORE", KEY)];
/// And when the one before has been dropped.
const DROPPED: [(&str, &str); 1] = [("TASKBELL_SERVER_KEY", NEW)];

async fn arrange(app: &TestApp, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&app.admin).await.unwrap();
}

async fn signed_up(app: &TestApp) {
    let new = json!({ "email": "ada@example.org", "name": "Ada", "password": "correct horse battery" });
    let _ = app.stranger().post("/v1/accounts", new).await.is(202);
}

/// The pages of the links in somebody's mail.
async fn links(app: &TestApp, email: &str) -> Vec<String> {
    let mail = app.mail_to(email).await;
    let html = mail.html().unwrap().clone();
    let of_a_link = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
    let each = html.split(app.api.as_str()).skip(1).filter_map(|rest| rest.split(|c| !of_a_link(c)).next());
    let each: Vec<String> = each.filter(|path| path.starts_with("links/")).map(|path| format!("/{path}")).collect();
    assert!(!each.is_empty(), "{html}");
    each
}

fn delivery_of(task: &Value) -> Uuid {
    task["reminders"][0]["plan"][0]["delivery_id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_mail_that_was_planned_before_the_key_changed_has_a_link_that_works() {
    let app = TestApp::start().await;
    let team = app.team().await;
    signed_up(&app).await;
    let _ = team.owner.post("/invitations", json!({ "email": "eve@example.org", "role": "guest" })).await.is(201);
    let forgot = json!({ "email": team.admin.email });
    let _ = app.stranger().post("/v1/password-resets", forgot).await.is(202);
    let project = team.project("OPS", "open").await;
    let _ = team.reminded_task(&project, "Oil the gears", 1).await;

    let worker = app.work_with_settings(&BOTH);
    assert!(app.all_settled().await.iter().all(|state| state == "sent"));
    worker.stop().await;
    for reader in ["ada@example.org", "eve@example.org", &team.admin.email, &team.member.email] {
        for link in links(&app, reader).await {
            let _ = app.stranger().get(&link).await.is(200);
        }
    }
}

#[tokio::test]
async fn without_the_key_before_such_a_link_is_one_of_a_void_token() {
    let app = TestApp::start().await;
    signed_up(&app).await;
    let worker = app.work_with_settings(&DROPPED);
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
    let void = format!("/links/verify/{}", "A".repeat(43));
    let void = app.stranger().get(&void).await;
    for link in links(&app, "ada@example.org").await {
        let page = app.stranger().get(&link).await;
        assert_eq!((page.status(), page.text()), (void.status(), void.text()));
    }
}

#[tokio::test]
async fn a_reminder_of_next_year_does_not_need_the_key_before_for_so_long() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Oil the gears", 400 * 24 * 3600).await;
    let token = ServerKey::new(NEW.to_owned().into()).unwrap().mailed_token(Purpose::Delivery, delivery_of(&task));

    let worker = app.work_with_settings(&BOTH);
    eventually("the link is derived from the new key", async || {
        let hash: Vec<u8> = sqlx::query_scalar("select link_hash from deliveries").fetch_one(&app.admin).await.unwrap();
        (hash == token.hash().as_bytes()).then_some(())
    })
    .await;
    worker.stop().await;

    arrange(&app, "update deliveries set due_at = now(); update mails set due_at = now(), next_at = now(), expires_at = now() + interval '1 hour'").await;
    let worker = app.work_with_settings(&DROPPED);
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
    let links = links(&app, &team.member.email).await;
    assert!(links.iter().any(|link| link.ends_with(&token.reveal())), "{links:?}");
    for link in links {
        let _ = app.stranger().get(&link).await.is(200);
    }
}

#[tokio::test]
async fn a_mail_that_may_have_been_read_keeps_its_link_when_it_is_sent_again() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Oil the gears", 1).await;
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
    let first = app.mail_to(&team.member.email).await.text().unwrap().clone();

    // As if nobody had heard the mail server's answer.
    arrange(
        &app,
        "alter table mails disable trigger user;
         update mails set state = 'retry', sent_at = null, next_at = now(), expires_at = now() + interval '1 hour';
         alter table mails enable trigger user",
    )
    .await;
    let worker = app.work_with_settings(&BOTH);
    let again = eventually("it is sent again", async || {
        let mails = app.inbox.messages();
        (mails.len() == 2).then(|| mails[1].text().unwrap().clone())
    })
    .await;
    worker.stop().await;
    assert_eq!(again, first);
    let token = app.key.mailed_token(Purpose::Delivery, delivery_of(&task)).reveal();
    let _ = app.stranger().get(&format!("/links/mail/{token}")).await.is(200);
}
