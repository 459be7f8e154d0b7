//! Somebody who has a reminder in their mailbox.

use common::secrets::Purpose;
use harness::{Reply, Team, TestApp};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::people::send_form;

/// A team, its project, a task of the member's, and the token of the mail that reminds them of it, which was sent.
pub(crate) struct Reminded {
    pub(crate) team: Team,
    pub(crate) project: String,
    pub(crate) task: Value,
    pub(crate) token: String,
}

pub(crate) async fn reminded(app: &TestApp, title: &str) -> Reminded {
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, title, 1).await;
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
    let token = token_of(app, &task);
    Reminded { team, project, task, token }
}

/// The token that is derived from the delivery of a task's only reminder.
pub(crate) fn token_of(app: &TestApp, task: &Value) -> String {
    let delivery: Uuid = task["reminders"][0]["plan"][0]["delivery_id"].as_str().unwrap().parse().unwrap();
    app.key.mailed_token(Purpose::Delivery, delivery).reveal()
}

pub(crate) async fn post(app: &TestApp, token: &str, deed: &str, fields: &[(&str, &str)]) -> Reply {
    send_form(app, "mail", &format!("{token}/{deed}"), fields).await
}

pub(crate) async fn count(app: &TestApp, what: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {what}"))).fetch_one(&app.admin).await.unwrap()
}

pub(crate) async fn run(app: &TestApp, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&app.admin).await.unwrap();
}
