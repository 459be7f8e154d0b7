//! What the tests arrange and look up beside the API.

use common::{
    ids::AccountId,
    secrets::{Purpose, Token},
};
use harness::{Actor, PASSWORD, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

pub(crate) async fn sign_up(stranger: &Actor, email: &str, password: &str) {
    let new = json!({ "email": email, "name": "Ada", "password": password });
    let _ = stranger.post("/v1/accounts", new).await.is(202);
}

/// The tokens of all rows that mails were sent for, oldest first: derived as the worker does.
pub(crate) async fn tokens(app: &TestApp, purpose: Purpose) -> Vec<String> {
    let table = match purpose {
        Purpose::Verification => "verifications",
        Purpose::Invitation => "invitations",
        Purpose::PasswordReset => "password_resets",
        Purpose::EmailOld | Purpose::EmailNew => "email_changes",
        Purpose::Delivery => "deliveries",
    };
    let rows: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(format!("select id from {table} order by id")))
        .fetch_all(&app.admin)
        .await
        .unwrap();
    rows.into_iter().map(|row| app.key.mailed_token(purpose, row).reveal()).collect()
}

/// The token that stands on a line of its own in the text of a mail.
pub(crate) fn token_in(mail: &str) -> String {
    mail.lines().map(str::trim).find(|line| line.parse::<Token>().is_ok()).unwrap().to_owned()
}

/// Makes time pass, or anything else that only somebody behind the curtain can do.
pub(crate) async fn arrange(app: &TestApp, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&app.admin).await.unwrap();
}

/// One number.
pub(crate) async fn count(app: &TestApp, what: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {what}"))).fetch_one(&app.admin).await.unwrap()
}

/// Which kinds of mail are owed, in the order in which they were written.
pub(crate) async fn owed(app: &TestApp) -> Vec<String> {
    sqlx::query_scalar("select kind from mails order by id").fetch_all(&app.admin).await.unwrap()
}

/// What the notices tell that are owed.
pub(crate) async fn notices(app: &TestApp, account: AccountId) -> Vec<String> {
    sqlx::query_scalar("select notice->>'notice' from deliveries where kind = 'notice' and account_id = $1 order by id")
        .bind(account.0)
        .fetch_all(&app.admin)
        .await
        .unwrap()
}

/// The audit log of an account, oldest first.
pub(crate) async fn log(app: &TestApp, account: AccountId) -> Vec<Value> {
    sqlx::query_scalar("select to_jsonb(e) from audit_events e where account_id = $1 order by id")
        .bind(account.0)
        .fetch_all(&app.admin)
        .await
        .unwrap()
}

/// What has happened to an account, oldest first.
pub(crate) async fn deeds(app: &TestApp, account: AccountId) -> Vec<String> {
    log(app, account).await.iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that an account's log has one event of a kind, of the request `id`, from this machine; gives it.
pub(crate) async fn logged(app: &TestApp, account: AccountId, action: &str, id: &str) -> Value {
    let log = log(app, account).await;
    let mut found = log.iter().filter(|event| event["action"] == action);
    let event = found.next().unwrap_or_else(|| panic!("no {action} in {log:?}"));
    assert!(found.next().is_none(), "{action} stands twice in {log:?}");
    assert_eq!((&event["request_id"], &event["address"]), (&json!(id), &json!("127.0.0.1")), "{event}");
    event.clone()
}

/// A request with an id, so that it is found again in the log.
pub(crate) async fn call(actor: &Actor, method: Method, path: &str, id: &str, body: Value) -> Reply {
    let request = actor.request(method.clone(), path).header("X-Request-Id", id).json(&body);
    actor.send(request, format!("{method} {path} {body}")).await
}

/// A personal token of somebody, for their own organization, with every scope there is for them.
pub(crate) async fn personal_token(person: &Actor, org: &str) -> Actor {
    let new = json!({ "name": "a program", "org": org, "scopes": ["me:read", "members:list"] });
    let token = person.post("/v1/me/tokens", new).await.is(201).text_at("/token");
    person.with_token(Some(&token))
}

/// Whether somebody can sign in.
pub(crate) async fn can_sign_in(app: &TestApp, email: &str, password: &str) -> bool {
    let reply = app.sign_in(email, password).await;
    assert!(matches!(reply.status(), 201 | 401), "{}", reply.text());
    reply.status() == 201
}

/// A body with [`PASSWORD`] and some more.
pub(crate) fn sure(mut body: Value) -> Value {
    body["password"] = json!(PASSWORD);
    body
}
