//! Sessions: what a sign-in gives, where they are seen, and what ends them.

use harness::{Actor, PASSWORD, TestApp, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{arrange, call, can_sign_in, count, deeds, log, logged};

/// Of [`PASSWORD`], with less memory and fewer passes than a new one.
const WEAK: &str = "$argon2id$v=19$m=8192,t=1,p=1$HCAGFuhdXtdJhucSd8ofBg$R737Z55sKFlZ2/IWcZnxoQulj5mmhEttICyWhT6W9s0";

async fn list(ada: &Actor) -> Vec<Value> {
    ada.get("/v1/me/sessions").await.is(200).json()["data"].as_array().unwrap().clone()
}

async fn id_of(ada: &Actor) -> String {
    let sessions = list(ada).await;
    let current = sessions.iter().find(|session| session["current"] == true).unwrap();
    current["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn sessions_are_listed_with_where_they_began_and_which_one_asks() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let claim = json!({ "email": ada.email, "password": PASSWORD });
    let stranger = app.stranger();
    let request = stranger.request(Method::POST, "/v1/sessions").header("User-Agent", "a telephone").json(&claim);
    let new = stranger.send(request, "POST /v1/sessions".to_owned()).await.is(201);
    let telephone = ada.with_token(Some(&new.text_at("/token")));
    let sessions = list(&telephone).await;
    assert_eq!(sessions.len(), 2);
    let current: Vec<&Value> = sessions.iter().map(|session| &session["current"]).collect();
    assert_eq!(current, [true, false], "the newest first");
    assert_eq!((&sessions[0]["id"], &sessions[0]["expires_at"]), (&new.json()["id"], &new.json()["expires_at"]));
    assert_eq!((&sessions[0]["address"], &sessions[0]["user_agent"]), (&json!("127.0.0.1"), &json!("a telephone")));
    let shown = serde_json::to_string(&sessions).unwrap();
    assert!(!shown.contains("token"), "{shown}");
    assert_eq!(count(&app, "sessions where expires_at = created_at + interval '30 days'").await, 1);
}

#[tokio::test]
async fn a_use_is_written_down_beside_the_request() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    arrange(&app, "update sessions set last_used_at = now() - interval '13 days'").await;
    let _ = ada.get("/v1/me").await.is(200);
    eventually("the use is written down", async || {
        let used = "sessions where last_used_at > now() - interval '1 minute' and last_used_address = '127.0.0.1'";
        (count(&app, used).await == 1).then_some(())
    })
    .await;
    assert_eq!(list(&ada).await[0]["last_used_address"], "127.0.0.1");
}

#[tokio::test]
async fn a_session_ends_by_its_id_and_with_the_next_request() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let other = app.signed_in(&ada).await;
    let id = id_of(&other).await;
    let path = format!("/v1/me/sessions/{id}");
    let _ = call(&ada, Method::DELETE, &path, "end-1", Value::Null).await.is(204);
    other.get("/v1/me").await.is_problem(401, "unauthenticated");
    assert_eq!(list(&ada).await.len(), 1);
    ada.delete(&path).await.is_problem(404, "not_found");
    let event = logged(&app, ada.id, "session.ended", "end-1").await;
    assert_eq!((&event["subject_id"], &event["actor_id"]), (&json!(id), &json!(ada.id)));
}

#[tokio::test]
async fn nobody_ends_anybody_elses_session() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.person("ada").await, app.person("eve").await);
    let path = format!("/v1/me/sessions/{}", id_of(&eve).await);
    let random = format!("/v1/me/sessions/{}", Uuid::now_v7());
    assert_eq!(ada.delete(&path).await.is(404).appearance(), ada.delete(&random).await.is(404).appearance());
    let _ = eve.get("/v1/me").await.is(200);
}

#[tokio::test]
async fn signing_out_ends_the_session_that_asks() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let other = app.signed_in(&ada).await;
    let _ = ada.delete("/v1/me/sessions/current").await.is(204);
    ada.get("/v1/me").await.is_problem(401, "unauthenticated");
    let _ = other.get("/v1/me").await.is(200);
}

#[tokio::test]
async fn all_others_end_at_once_and_the_one_that_asks_stays() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.person_with_password("ada").await, app.person("eve").await);
    let others = [app.signed_in(&ada).await, app.signed_in(&ada).await];
    let _ = ada.delete("/v1/me/sessions").await.is(204);
    for other in &others {
        other.get("/v1/me").await.is_problem(401, "unauthenticated");
    }
    for stays in [&ada, &eve] {
        let _ = stays.get("/v1/me").await.is(200);
    }
    assert_eq!(deeds(&app, ada.id).await.iter().filter(|deed| *deed == "session.ended").count(), 2);
}

#[tokio::test]
async fn a_session_that_is_not_used_for_two_weeks_or_is_a_month_old_is_none() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let other = app.signed_in(&ada).await;
    let id = id_of(&ada).await;
    let set = async |what: &str| arrange(&app, &format!("update sessions set {what} where id = '{id}'")).await;
    set("last_used_at = now() - interval '13 days 23 hours'").await;
    let _ = ada.get("/v1/me").await.is(200);
    set("last_used_at = now() - interval '14 days'").await;
    ada.get("/v1/me").await.is_problem(401, "unauthenticated");
    assert_eq!(list(&other).await.len(), 1);
    set("last_used_at = now(), expires_at = now()").await;
    ada.get("/v1/me").await.is_problem(401, "unauthenticated");
    assert_eq!(list(&other).await.len(), 1);
}

#[tokio::test]
async fn sign_ins_stand_in_the_log_of_their_account_and_refused_ones_do_too() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let claim = |password: &str| json!({ "email": ada.email, "password": password });
    let stranger = app.stranger();
    let wrong = claim("not the password");
    call(&stranger, Method::POST, "/v1/sessions", "in-1", wrong).await.is_problem(401, "wrong_password");
    let new = call(&stranger, Method::POST, "/v1/sessions", "in-2", claim(PASSWORD)).await.is(201);
    let refused = logged(&app, ada.id, "session.refused", "in-1").await;
    assert_eq!(refused["actor_id"], Value::Null, "nobody has proved to be anybody");
    let created = logged(&app, ada.id, "session.created", "in-2").await;
    assert_eq!((&created["actor_id"], &created["subject_id"]), (&json!(ada.id), &new.json()["id"]));
    assert_eq!(log(&app, ada.id).await.len(), 2);
}

#[tokio::test]
async fn a_hash_that_has_become_weak_is_replaced_at_the_sign_in_that_knows_the_password() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    arrange(&app, &format!("update accounts set password_hash = '{WEAK}'")).await;
    assert!(!can_sign_in(&app, &ada.email, "not the password").await);
    assert_eq!(hash(&app).await, WEAK);
    assert!(can_sign_in(&app, &ada.email, PASSWORD).await);
    let renewed = hash(&app).await;
    assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
    assert!(can_sign_in(&app, &ada.email, PASSWORD).await);
    assert_eq!(hash(&app).await, renewed, "once is enough");
}

async fn hash(app: &TestApp) -> String {
    sqlx::query_scalar("select password_hash from accounts").fetch_one(&app.admin).await.unwrap()
}
