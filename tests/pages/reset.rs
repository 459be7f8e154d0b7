use common::secrets::Purpose;
use harness::{Browser, TestApp, Window};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::{
    people::{PASSWORD, assert_unchanged, everything, link, mailed_link, send_form, signed_in, with_account},
    standards,
};

const NEW: &str = "another good password";

/// A reset of somebody's password, as asking for one writes it; the token that the mail will hold.
async fn lost(app: &TestApp, email: &str) -> String {
    let row = Uuid::now_v7();
    let token = app.key.mailed_token(Purpose::PasswordReset, row);
    sqlx::query(
        "insert into password_resets (id, account_id, token_hash, expires_at)
         select $1, id, $2, now() + interval '1 hour' from accounts where email = $3",
    )
    .bind(row)
    .bind(token.hash().as_bytes())
    .bind(email)
    .execute(&app.admin)
    .await
    .unwrap();
    token.reveal()
}

#[tokio::test]
async fn a_lost_password_is_set_on_a_phone_without_scripts_and_ends_every_session() {
    let app = TestApp::start().await;
    let worker = app.work();
    with_account(&app, "ada@example.org", "Ada").await;
    let ada = signed_in(&app, "ada@example.org", PASSWORD).await.unwrap();
    let _ = app.stranger().post("/v1/password-resets", json!({ "email": "ada@example.org" })).await.is(202);
    let link = mailed_link(&app, "ada@example.org", "reset").await;
    let mut browser = Browser::start().await;
    browser.resize(Window::PHONE).await;
    browser.forbid_scripts().await;
    assert_eq!(browser.open(&link).await, 200);
    standards::hold(&mut browser, "reset").await;
    browser.fill("#password", "too short").await;
    assert_eq!(browser.follow("button").await, 422);
    standards::hold(&mut browser, "reset-faults").await;
    browser.fill("#password", NEW).await;
    assert_eq!(browser.follow("button").await, 200);
    standards::hold(&mut browser, "reset-done").await;
    ada.get("/v1/me").await.is_problem(401, "unauthenticated");
    assert!(signed_in(&app, "ada@example.org", PASSWORD).await.is_none());
    assert!(signed_in(&app, "ada@example.org", NEW).await.is_some());
    assert_eq!(browser.open(&link).await, 404);
    worker.stop().await;
}

#[tokio::test]
async fn a_password_is_set_by_keyboard() {
    let app = TestApp::start().await;
    with_account(&app, "ada@example.org", "Ada").await;
    let token = lost(&app, "ada@example.org").await;
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "reset", &token)).await;
    assert_eq!(standards::walk(&mut browser).await.len(), 3);
    browser.tab().await;
    browser.tab().await;
    browser.type_text(NEW).await;
    assert_eq!(browser.enter().await, 200);
    assert!(signed_in(&app, "ada@example.org", NEW).await.is_some());
}

#[tokio::test]
async fn looking_at_a_reset_changes_nothing() {
    let app = TestApp::start().await;
    with_account(&app, "ada@example.org", "Ada").await;
    let token = lost(&app, "ada@example.org").await;
    let before = everything(&app).await;
    let scanner = app.stranger();
    let path = format!("/links/reset/{token}?password=planted+by+a+scanner");
    for method in [Method::GET, Method::GET, Method::HEAD] {
        let _ = scanner.send(scanner.request(method.clone(), &path), method.to_string()).await.is(200);
    }
    for fields in [&[][..], &[("password", "ada@example.org")], &[("password", NEW), ("email", "eve@example.org")]] {
        let _ = send_form(&app, "reset", &token, fields).await.is(422);
    }
    assert_unchanged(&app, &before).await;
    let _ = send_form(&app, "reset", &token, &[("password", NEW)]).await.is(200);
}
