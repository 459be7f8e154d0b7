//! Guessing and flooding get slower with each try. Time passes by moving rows.

use common::secrets::Purpose;
use harness::{Actor, PASSWORD, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{arrange, call, count, deeds, log, owed, personal_token, sign_up, sure, tokens};

/// Seconds that the next try must wait, as they were set by the last one.
async fn delay(app: &TestApp) -> f64 {
    sqlx::query_scalar("select max(extract(epoch from not_before - last_at))::double precision from throttles")
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

/// Whoever waits has waited.
async fn wait(app: &TestApp) {
    arrange(app, "update throttles set not_before = now() - interval '1 second'").await;
}

/// Wrong passwords, one after another and each after its wait; gives the waits.
async fn guesses(app: &TestApp, email: &str, number: usize) -> Vec<u32> {
    let mut delays = Vec::new();
    for _ in 0..number {
        wait(app).await;
        app.sign_in(email, "not the password").await.is_problem(401, "wrong_password");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds")]
        delays.push(delay(app).await.round() as u32);
    }
    delays
}

/// Asserts a refusal, and gives the seconds it asks to wait.
fn refused(reply: Reply) -> u64 {
    let wait = reply.header("retry-after").unwrap().parse().unwrap();
    reply.is_problem(429, "too_many_tries");
    wait
}

#[tokio::test]
async fn five_wrong_passwords_are_free_and_each_further_one_costs_twice_the_wait() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    assert_eq!(guesses(&app, &ada.email, 12).await, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64]);
    // The right one waits too, or guessing would cost nothing; and whoever waits is not counted.
    for _ in 0..3 {
        let seconds = refused(app.sign_in(&ada.email, PASSWORD).await);
        assert!((30..=64).contains(&seconds), "{seconds}");
    }
    wait(&app).await;
    let _ = app.sign_in(&ada.email, PASSWORD).await.is(201);
}

#[tokio::test]
async fn the_wait_never_exceeds_a_quarter_of_an_hour() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    app.sign_in(&ada.email, "not the password").await.is_problem(401, "wrong_password");
    arrange(&app, "update throttles set count = 40").await;
    assert_eq!(guesses(&app, &ada.email, 1).await, [900]);
}

#[tokio::test]
async fn success_forgives() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    assert_eq!(guesses(&app, &ada.email, 7).await.last(), Some(&2));
    wait(&app).await;
    let _ = app.sign_in(&ada.email, PASSWORD).await.is(201);
    assert_eq!(guesses(&app, &ada.email, 6).await, [0, 0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn what_is_counted_is_forgotten_in_an_hour() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    assert_eq!(guesses(&app, &ada.email, 5).await, [0; 5]);
    arrange(&app, "update throttles set last_at = now() - interval '1 hour'").await;
    assert_eq!(guesses(&app, &ada.email, 6).await, [0, 0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn an_unknown_address_is_slowed_down_alike() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let waits = guesses(&app, &ada.email, 9).await;
    wait(&app).await;
    assert_eq!(guesses(&app, "nobody@example.org", 9).await, waits);
    // Both wait for as long, in the same words.
    arrange(&app, "update throttles set not_before = now() + interval '1 hour'").await;
    let (known, unknown) = (app.sign_in(&ada.email, PASSWORD).await, app.sign_in("nobody@example.org", PASSWORD).await);
    let words = |reply: Reply| {
        let seconds = refused(reply.clone());
        assert!((3500..=3600).contains(&seconds));
        reply.appearance().replace(&seconds.to_string(), "…")
    };
    assert_eq!(words(known), words(unknown));
}

#[tokio::test]
async fn one_persons_guesser_does_not_slow_others_down_but_their_own_address() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.person_with_password("ada").await, app.person_with_password("eve").await);
    guesses(&app, &ada.email, 7).await;
    let _ = app.sign_in(&eve.email, PASSWORD).await.is(201);
    // Fifty from one address, of whomever: then the address waits, for everybody.
    let place = app.key.blind("throttle password address", "127.0.0.1").to_vec();
    let set = "update throttles set count = 51, last_at = now(), not_before = now() where key = $1";
    assert_eq!(sqlx::query(set).bind(&place).execute(&app.admin).await.unwrap().rows_affected(), 1);
    app.sign_in("nobody@example.org", "not the password").await.is_problem(401, "wrong_password");
    let waits: f64 = sqlx::query_scalar(
        "select extract(epoch from not_before - last_at)::double precision from throttles where key = $1",
    )
    .bind(&place)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert!((waits - 2.0).abs() < 0.1, "{waits}");
    sqlx::query("update throttles set not_before = now() + interval '1 minute' where key = $1")
        .bind(&place)
        .execute(&app.admin)
        .await
        .unwrap();
    refused(app.sign_in(&eve.email, PASSWORD).await);
}

#[tokio::test]
async fn the_owner_is_told_once_a_minute_that_somebody_is_slowed_down() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    app.sign_in(&ada.email, "not the password").await.is_problem(401, "wrong_password");
    arrange(&app, "update throttles set not_before = now() + interval '1 hour'").await;
    for _ in 0..5 {
        refused(app.sign_in(&ada.email, PASSWORD).await);
    }
    assert_eq!(deeds(&app, ada.id).await, ["session.refused", "throttled"]);
    refused(app.sign_in("nobody@example.org", PASSWORD).await);
    assert_eq!(count(&app, "audit_events").await, 2);
}

#[tokio::test]
async fn guessing_inside_of_a_session_is_slowed_down_with_guessing_outside() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    guesses(&app, &ada.email, 4).await;
    let wrong = json!({ "password": "not the password" });
    for path in ["/v1/me/second-factor", "/v1/me/second-factor/recovery-codes"] {
        wait(&app).await;
        ada.post(path, wrong.clone()).await.is_problem(401, "wrong_password");
    }
    assert!((delay(&app).await - 1.0).abs() < 0.1, "four outside, two inside");
    arrange(&app, "update throttles set not_before = now() + interval '1 minute'").await;
    for (method, path, body) in [
        (Method::POST, "/v1/me/second-factor", json!({})),
        (Method::DELETE, "/v1/me/second-factor", json!({})),
        (Method::PUT, "/v1/me/deletion", json!({})),
        (Method::PUT, "/v1/me/password", json!({ "new_password": "a whole new sentence" })),
        (Method::POST, "/v1/me/email", json!({ "email": "countess@example.net" })),
    ] {
        refused(call(&ada, method, path, "right", sure(body)).await);
    }
    // What needs no password needs no patience.
    let _ = ada.get("/v1/me").await.is(200);
    wait(&app).await;
    let _ = ada.post("/v1/me/second-factor", sure(json!({}))).await.is(201);
}

#[tokio::test]
async fn a_wrong_second_factor_is_a_guess_too() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let _ = ada.post("/v1/me/second-factor", sure(json!({}))).await.is(201);
    let code = json!({ "code": app.code_of(&ada).await });
    let _ = ada.put("/v1/me/second-factor/confirmation", code).await.is(200);
    let claim = json!({ "email": ada.email, "password": PASSWORD, "code": "000000" });
    for _ in 0..6 {
        app.stranger().post("/v1/sessions", claim.clone()).await.is_problem(401, "wrong_code");
    }
    assert!((delay(&app).await - 1.0).abs() < 0.1);
}

/// The three doors that send mail to strangers, by turns.
async fn ask(app: &TestApp, email: &str, turn: usize) -> Reply {
    let stranger = app.stranger();
    match turn % 3 {
        0 => stranger.post("/v1/password-resets", json!({ "email": email })).await,
        1 => stranger.post("/v1/verifications/resends", json!({ "email": email })).await,
        _ => {
            let new = json!({ "email": email, "name": "Somebody", "password": PASSWORD });
            stranger.post("/v1/accounts", new).await
        }
    }
}

#[tokio::test]
async fn nobodys_mailbox_is_flooded_and_nobody_learns_whose_it_is() {
    let app = TestApp::start().await;
    let known = app.person("known").await;
    sign_up(&app.stranger(), "waiting@example.org", PASSWORD).await;
    arrange(&app, "delete from throttles").await;
    let mut looks = Vec::new();
    for email in [known.email.as_str(), "waiting@example.org", "nobody@example.org"] {
        for turn in 0..6 {
            let _ = ask(&app, email, turn).await.is(202);
        }
        assert!((delay(&app).await - 60.0).abs() < 0.1, "the sixth costs a minute");
        let before = owed(&app).await.len();
        for turn in 0..3 {
            let reply = ask(&app, email, turn).await;
            let seconds = refused(reply.clone());
            assert!((1..=60).contains(&seconds), "{seconds}");
            looks.push(reply.appearance().replace(&seconds.to_string(), "…"));
        }
        assert_eq!(owed(&app).await.len(), before);
    }
    assert!(looks.iter().all(|look| *look == looks[0]), "{looks:?}");
    // Another mailbox is not concerned.
    let _ = ask(&app, "another@example.org", 0).await.is(202);
}

#[tokio::test]
async fn asking_for_another_address_floods_neither_mailbox() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let ask = async |email: String| ada.post("/v1/me/email", sure(json!({ "email": email }))).await;
    for turn in 0..6 {
        let _ = ask(format!("countess-{turn}@example.net")).await.is(202);
    }
    refused(ask("countess@example.net".to_owned()).await);
    assert_eq!(tokens(&app, Purpose::EmailNew).await.len(), 6);
    refused(app.stranger().post("/v1/password-resets", json!({ "email": ada.email })).await);

    arrange(&app, "delete from throttles").await;
    for turn in 0..6 {
        let _ = self::ask(&app, "countess@example.net", turn).await.is(202);
    }
    refused(ask("countess@example.net".to_owned()).await);
    assert_eq!(tokens(&app, Purpose::EmailNew).await.len(), 6);
}

#[tokio::test]
async fn who_is_refused_before_the_password_guesses_nothing() {
    let app = TestApp::start().await;
    let team = app.team().await;
    app.give_password(&team.member).await;
    let program: Actor = personal_token(&team.member, &team.slug).await;
    let wrong = json!({ "password": "not the password" });
    for _ in 0..3 {
        program.post("/v1/me/second-factor", wrong.clone()).await.is_problem(403, "session_needed");
        app.stranger().post("/v1/me/second-factor", wrong.clone()).await.is_problem(401, "unauthenticated");
        team.member.post("/v1/me/second-factor", json!({})).await.is_problem(422, "invalid");
    }
    assert_eq!(count(&app, "throttles").await, 0);
    let refused: Vec<Value> = log(&app, team.member.id).await;
    assert!(refused.iter().all(|event| event["action"] != "session.refused"), "{refused:?}");
}
