//! A second factor: setting it up, signing in with it, and the codes for the day it is lost.

use harness::{Actor, PASSWORD, Reply, TestApp, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{arrange, call, count, log, logged, notices, sure};

const PATH: &str = "/v1/me/second-factor";

async fn sign_in(app: &TestApp, ada: &Actor, code: Option<&str>) -> Reply {
    let claim = json!({ "email": ada.email, "password": PASSWORD, "code": code });
    app.stranger().post("/v1/sessions", claim).await
}

/// Somebody with a second factor, and their recovery codes. Its codes count from now on: the first one was long ago.
async fn protected(app: &TestApp) -> (Actor, Vec<String>) {
    let ada = app.person_with_password("ada").await;
    let _ = ada.post(PATH, sure(json!({}))).await.is(201);
    let codes = switch_on(app, &ada).await;
    time_passes(app).await;
    (ada, codes)
}

async fn switch_on(app: &TestApp, ada: &Actor) -> Vec<String> {
    let code = json!({ "code": app.code_of(ada).await });
    recovery_codes(&ada.put(&format!("{PATH}/confirmation"), code).await.is(200))
}

fn recovery_codes(reply: &Reply) -> Vec<String> {
    let codes = reply.json()["recovery_codes"].as_array().unwrap().clone();
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

/// The codes that counted did so long ago.
async fn time_passes(app: &TestApp) {
    arrange(app, "update second_factors set last_step = 0").await;
}

#[tokio::test]
async fn a_second_factor_counts_from_its_first_code_on() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    assert_eq!(ada.get(PATH).await.is(200).json()["enabled"], false);
    let enrolment = ada.post(PATH, sure(json!({}))).await.is(201).json();
    let (secret, uri) = (enrolment["secret"].as_str().unwrap(), enrolment["uri"].as_str().unwrap());
    assert_eq!(uri, format!("otpauth://totp/Taskbell:{}?secret={secret}&issuer=Taskbell", ada.email));
    let _ = sign_in(&app, &ada, None).await.is(201);

    let wrong = json!({ "code": "000000" });
    let confirmation = format!("{PATH}/confirmation");
    // One in 333,333 times this is a right one.
    ada.put(&confirmation, wrong).await.is_problem(401, "wrong_code");
    assert_eq!(ada.get(PATH).await.is(200).json()["enabled"], false);
    let code = json!({ "code": app.code_of(&ada).await });
    let codes = recovery_codes(&call(&ada, Method::PUT, &confirmation, "on-1", code).await.is(200));
    assert_eq!(codes.len(), 10);
    let factor = ada.get(PATH).await.is(200).json();
    assert_eq!((&factor["enabled"], &factor["recovery_codes_left"]), (&json!(true), &json!(10)), "{factor}");
    assert!(factor["confirmed_at"].is_string());
    let event = logged(&app, ada.id, "second_factor.enabled", "on-1").await;
    assert_eq!(event["actor_id"], json!(ada.id));
    assert_eq!(notices(&app, ada.id).await, ["second_factor_enabled"]);

    sign_in(&app, &ada, None).await.is_problem(401, "code_needed");
    // The first code is used up.
    time_passes(&app).await;
    let _ = sign_in(&app, &ada, Some(&app.code_of(&ada).await)).await.is(201);
}

#[tokio::test]
async fn a_password_alone_or_with_a_wrong_code_is_not_enough() {
    let app = TestApp::start().await;
    let (ada, _) = protected(&app).await;
    let stranger = app.stranger();
    let claim = |code: Value| json!({ "email": ada.email, "password": PASSWORD, "code": code });
    call(&stranger, Method::POST, "/v1/sessions", "none", claim(Value::Null)).await.is_problem(401, "code_needed");
    call(&stranger, Method::POST, "/v1/sessions", "wrong", claim(json!("000 000"))).await.is_problem(401, "wrong_code");
    let refused = log(&app, ada.id).await.into_iter().filter(|event| event["action"] == "session.refused");
    let requests: Vec<Value> = refused.map(|event| event["request_id"].clone()).collect();
    assert_eq!(requests, ["none", "wrong"]);
    let problem = sign_in(&app, &ada, Some("12345")).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/code", "{problem}");
    // Who does not know the password does not learn whether there is a code to know.
    let wrong = json!({ "email": ada.email, "password": "not the password" });
    stranger.post("/v1/sessions", wrong).await.is_problem(401, "wrong_password");
    assert_eq!(count(&app, "sessions").await, 1);
}

#[tokio::test]
async fn a_code_that_was_used_is_used_up() {
    let app = TestApp::start().await;
    let (ada, _) = protected(&app).await;
    let code = app.code_of(&ada).await;
    let _ = sign_in(&app, &ada, Some(&code)).await.is(201);
    sign_in(&app, &ada, Some(&code)).await.is_problem(401, "wrong_code");
    assert_eq!(count(&app, "sessions").await, 2);
}

#[tokio::test]
async fn a_code_counts_once() {
    let app = TestApp::start().await;
    let (ada, _) = protected(&app).await;
    let code = app.code_of(&ada).await;
    let mut statuses = at_once(&app, &ada, &code).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401]);
    assert_eq!(count(&app, "sessions").await, 2, "the one who failed has none");
}

#[tokio::test]
async fn a_recovery_code_counts_once_even_for_two_at_once() {
    let app = TestApp::start().await;
    let (ada, codes) = protected(&app).await;
    let mut statuses = at_once(&app, &ada, &codes[3]).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 401]);
    assert_eq!(count(&app, "sessions").await, 2, "the one who failed has none");
    assert_eq!(count(&app, "audit_events where action = 'second_factor.recovery_used'").await, 1);
}

/// Two sign-ins with one code, both past the look at it when the row is let go.
async fn at_once(app: &TestApp, ada: &Actor, code: &str) -> [u16; 2] {
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("select id from second_factors for update").fetch_one(&mut *held).await.unwrap();
    let let_go = async {
        eventually("both wait", async || (app.waiting().await == 2).then_some(())).await;
        held.rollback().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(sign_in(app, ada, Some(code)), sign_in(app, ada, Some(code)), let_go);
    [one.status(), other.status()]
}

#[tokio::test]
async fn a_recovery_code_stands_for_the_app_once() {
    let app = TestApp::start().await;
    let (ada, codes) = protected(&app).await;
    let spoken = codes[7].to_uppercase().replace('-', " ");
    let claim = json!({ "email": ada.email, "password": PASSWORD, "code": spoken });
    let _ = call(&app.stranger(), Method::POST, "/v1/sessions", "lost-1", claim).await.is(201);
    let _ = logged(&app, ada.id, "second_factor.recovery_used", "lost-1").await;
    sign_in(&app, &ada, Some(&codes[7])).await.is_problem(401, "wrong_code");
    assert_eq!(ada.get(PATH).await.is(200).json()["recovery_codes_left"], 9);
    let _ = sign_in(&app, &ada, Some(&codes[0])).await.is(201);
}

#[tokio::test]
async fn new_recovery_codes_void_the_old_ones() {
    let app = TestApp::start().await;
    let (ada, old) = protected(&app).await;
    let _ = sign_in(&app, &ada, Some(&old[0])).await.is(201);
    let renewed = call(&ada, Method::POST, &format!("{PATH}/recovery-codes"), "new-1", sure(json!({}))).await.is(201);
    let new = recovery_codes(&renewed);
    assert!(new.len() == 10 && new.iter().all(|code| !old.contains(code)));
    sign_in(&app, &ada, Some(&old[1])).await.is_problem(401, "wrong_code");
    let _ = sign_in(&app, &ada, Some(&new[0])).await.is(201);
    let _ = logged(&app, ada.id, "second_factor.renewed", "new-1").await;
}

#[tokio::test]
async fn a_second_factor_is_switched_off_and_another_one_has_another_secret() {
    let app = TestApp::start().await;
    let (ada, codes) = protected(&app).await;
    ada.post(PATH, sure(json!({}))).await.is_problem(409, "second_factor_enabled");
    let before = app.code_of(&ada).await;
    let _ = call(&ada, Method::DELETE, PATH, "off-1", sure(json!({}))).await.is(204);
    let _ = sign_in(&app, &ada, None).await.is(201);
    let _ = logged(&app, ada.id, "second_factor.disabled", "off-1").await;
    assert_eq!(notices(&app, ada.id).await, ["second_factor_enabled", "second_factor_disabled"]);
    ada.delete_with(PATH, sure(json!({}))).await.is_problem(404, "not_found");
    let _ = ada.post(PATH, sure(json!({}))).await.is(201);
    let new = switch_on(&app, &ada).await;
    time_passes(&app).await;
    assert!(new.iter().all(|code| !codes.contains(code)));
    sign_in(&app, &ada, Some(&before)).await.is_problem(401, "wrong_code");
}

#[tokio::test]
async fn until_it_is_confirmed_each_beginning_is_a_new_one() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let code = json!({ "code": "123456" });
    ada.put(&format!("{PATH}/confirmation"), code).await.is_problem(404, "not_found");
    ada.post(&format!("{PATH}/recovery-codes"), sure(json!({}))).await.is_problem(404, "not_found");
    let first = ada.post(PATH, sure(json!({}))).await.is(201).text_at("/secret");
    let second = ada.post(PATH, sure(json!({}))).await.is(201).text_at("/secret");
    assert_ne!(first, second);
    ada.post(&format!("{PATH}/recovery-codes"), sure(json!({}))).await.is_problem(404, "not_found");
    let _ = switch_on(&app, &ada).await;
}

#[tokio::test]
async fn what_protects_an_account_is_changed_with_its_password() {
    let app = TestApp::start().await;
    let (ada, _) = protected(&app).await;
    let wrong = json!({ "password": "not the password" });
    ada.post(&format!("{PATH}/recovery-codes"), wrong.clone()).await.is_problem(401, "wrong_password");
    ada.delete_with(PATH, wrong.clone()).await.is_problem(401, "wrong_password");
    assert_eq!(ada.get(PATH).await.is(200).json()["enabled"], true);
    let eve = app.person_with_password("eve").await;
    eve.post(PATH, wrong).await.is_problem(401, "wrong_password");
    assert_eq!(count(&app, "second_factors").await, 1);
}

#[tokio::test]
async fn the_database_helps_nobody_to_a_code() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let secret = ada.post(PATH, sure(json!({}))).await.is(201).text_at("/secret");
    let codes = switch_on(&app, &ada).await;
    let rows: Vec<String> =
        sqlx::query_scalar("select f::text from second_factors f union all select e::text from audit_events e")
            .fetch_all(&app.admin)
            .await
            .unwrap();
    assert!(rows.len() > 1);
    for hidden in codes.iter().chain([&secret]) {
        assert!(!rows.iter().any(|row| row.contains(hidden.as_str())), "{rows:?}");
    }
}
