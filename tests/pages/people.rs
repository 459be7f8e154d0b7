//! What the tests arrange and look up beside the browser.

use common::secrets::Purpose;
use harness::{Actor, Reply, TestApp};
use local::Message;
use reqwest::Method;
use serde_json::json;
use url::Url;
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Signs somebody up and gives the token that their mail will hold.
pub(crate) async fn sign_up(app: &TestApp, email: &str, name: &str) -> String {
    let new = json!({ "email": email, "name": name, "password": PASSWORD });
    let _ = app.stranger().post("/v1/accounts", new).await.is(202);
    let row: Uuid =
        sqlx::query_scalar("select max(id::text)::uuid from verifications").fetch_one(&app.admin).await.unwrap();
    app.key.mailed_token(Purpose::Verification, row).reveal()
}

/// Somebody who has proved their address and can sign in.
pub(crate) async fn with_account(app: &TestApp, email: &str, name: &str) {
    let token = sign_up(app, email, name).await;
    let _ = app.stranger().post("/v1/verifications", json!({ "token": token })).await.is(200);
}

/// Invites somebody and gives the token that their mail will hold.
pub(crate) async fn invite(app: &TestApp, by: &Actor, email: &str, role: &str) -> String {
    let invitation = by.post("/invitations", json!({ "email": email, "role": role })).await.is(201);
    app.key.mailed_token(Purpose::Invitation, invitation.text_at("/id").parse().unwrap()).reveal()
}

/// Signs in, if the password is the right one.
pub(crate) async fn signed_in(app: &TestApp, email: &str, password: &str) -> Option<Actor> {
    let stranger = app.stranger();
    let session = stranger.post("/v1/sessions", json!({ "email": email, "password": password })).await;
    (session.status() == 201).then(|| stranger.with_token(Some(&session.text_at("/token"))))
}

/// Sends what a form holds.
pub(crate) async fn send_form(app: &TestApp, page: &str, token: &str, fields: &[(&str, &str)]) -> Reply {
    let stranger = app.stranger();
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = stranger.request(Method::POST, &format!("/links/{page}/{token}"));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
    stranger.send(request, format!("POST /links/{page} {fields:?}")).await
}

/// The page of a token.
pub(crate) fn link(app: &TestApp, page: &str, token: &str) -> Url {
    app.url(&format!("/links/{page}/{token}"))
}

/// The link to a page that somebody finds in their mail.
pub(crate) async fn mailed_link(app: &TestApp, email: &str, page: &str) -> Url {
    let link = |mail: &Message| {
        let html = mail.html()?;
        let link = html.split("href=\"").nth(1)?.split('"').next()?.to_owned();
        link.contains(&format!("/links/{page}/")).then_some(link)
    };
    let wanted = |mail: &Message| mail.to.iter().any(|to| to == email) && link(mail).is_some();
    let mail = app.inbox.wait_for(wanted, harness::PATIENCE).await.unwrap();
    Url::parse(&link(&mail).unwrap()).unwrap()
}

/// Every row of every table, but for what is written behind the scenes: hints to the queue, and when credentials were used.
pub(crate) async fn everything(app: &TestApp) -> Vec<String> {
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' order by 1")
            .fetch_all(&app.admin)
            .await
            .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let statement = format!(
            "select '{table} ' || (to_jsonb(t) - array['queued_at', 'last_used_at', 'last_used_address'])::text from \"{table}\" t order by 1"
        );
        let of_table: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_all(&app.admin).await.unwrap();
        rows.extend(of_table);
    }
    rows
}

/// Asserts that nothing has happened since.
pub(crate) async fn assert_unchanged(app: &TestApp, before: &[String]) {
    let after = everything(app).await;
    let new: Vec<&String> = after.iter().filter(|row| !before.contains(row)).collect();
    let gone: Vec<&String> = before.iter().filter(|row| !after.contains(row)).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}, gone: {gone:#?}");
}
