//! The server key is changed: what was derived from the one before counts while the API knows it, and then no more.

use harness::{Actor, KEY, PASSWORD, TestApp};
use serde_json::{Value, json};

use crate::people::{arrange, sure};

/// The one that comes.
const NEW: (&str, &str) = ("TASKBELL_SERVER_KEY", "another key for tests, as long as the first");
/// The one that goes.
const BEFORE: (&str, &str) = ("TASKBELL_SERVER_KEY_BEFORE", KEY);

async fn sign_in(app: &TestApp, person: &Actor, code: &str) -> harness::Reply {
    let claim = json!({ "email": person.email, "password": PASSWORD, "code": code });
    app.stranger().post("/v1/sessions", claim).await
}

#[tokio::test]
async fn a_cursor_of_the_key_before_is_one_until_that_key_is_dropped() {
    let mut app = TestApp::start().await;
    let team = app.team().await;
    for name in ["ONE", "TWO"] {
        let _ = team.project(name, "open").await;
    }
    let page = team.owner.get("/audit?limit=1").await.is(200).json();
    let next = format!("/audit?limit=1&cursor={}", page["page"]["next_cursor"].as_str().unwrap());
    let expected = team.owner.get(&next).await.is(200).json()["data"].clone();

    app.restart_with(&[NEW, BEFORE]).await;
    let owner = team.owner.after_the_restart_of(&app);
    assert_eq!(owner.get(&next).await.is(200).json()["data"], expected);
    let page = owner.get("/audit?limit=1").await.is(200).json();
    let of_now = format!("/audit?limit=1&cursor={}", page["page"]["next_cursor"].as_str().unwrap());

    app.restart_with(&[NEW]).await;
    let owner = team.owner.after_the_restart_of(&app);
    let problem = owner.get(&next).await.is_problem(400, "invalid_query");
    assert_eq!(problem["errors"][0]["code"], "not_a_cursor", "{problem}");
    assert_eq!(owner.get(&of_now).await.is(200).json()["data"], expected);
}

#[tokio::test]
async fn a_second_factor_goes_on_after_the_key_has_changed_and_ends_when_the_one_before_is_dropped() {
    const PATH: &str = "/v1/me/second-factor";
    let mut app = TestApp::start().await;
    let (ada, bob) = (app.person_with_password("ada").await, app.person_with_password("bob").await);
    let _ = ada.post(PATH, sure(json!({}))).await.is(201);
    let code = json!({ "code": app.code_of(&ada).await });
    let codes = ada.put(&format!("{PATH}/confirmation"), code).await.is(200).json()["recovery_codes"].clone();
    // Begun with the key before, and finished after it.
    let _ = bob.post(PATH, sure(json!({}))).await.is(201);
    let bobs_code = json!({ "code": app.code_of(&bob).await });
    let forget = "update second_factors set last_step = 0";
    arrange(&app, forget).await;

    app.restart_with(&[NEW, BEFORE]).await;
    let _ = bob.after_the_restart_of(&app).put(&format!("{PATH}/confirmation"), bobs_code).await.is(200);
    // `code_of` is what the app shows, which knows nothing of a new key.
    let _ = sign_in(&app, &ada, &app.code_of(&ada).await).await.is(201);
    let _ = sign_in(&app, &ada, codes[0].as_str().unwrap()).await.is(201);
    sign_in(&app, &ada, codes[0].as_str().unwrap()).await.is_problem(401, "wrong_code");
    // What is shown from now on is of the key that stays.
    let ada_now = ada.after_the_restart_of(&app);
    let renewed = ada_now.post(&format!("{PATH}/recovery-codes"), sure(json!({}))).await.is(201).json();
    arrange(&app, forget).await;

    app.restart_with(&[NEW]).await;
    sign_in(&app, &ada, &app.code_of(&ada).await).await.is_problem(401, "wrong_code");
    sign_in(&app, &ada, codes[1].as_str().unwrap()).await.is_problem(401, "wrong_code");
    let codes: &Value = &renewed["recovery_codes"];
    let _ = sign_in(&app, &ada, codes[1].as_str().unwrap()).await.is(201);
}
