//! What people change of themselves: name, zone, language and password.

use common::secrets::Purpose;
use harness::{Actor, PASSWORD, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{
    arrange, call, can_sign_in, count, deeds, log, logged, notices, owed, personal_token, sure, tokens,
};

const NEW: &str = "a whole new sentence";

async fn change(ada: &Actor, new: &str) -> Reply {
    ada.put("/v1/me/password", sure(json!({ "new_password": new }))).await
}

#[tokio::test]
async fn what_is_absent_stays_and_null_clears() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let zone = json!({ "time_zone": "Europe/Vienna", "locale": "de-AT" });
    let account = ada.patch("/v1/me", zone).await.is(200).json();
    assert_eq!(
        (&account["name"], &account["time_zone"], &account["locale"]),
        (&json!("ada"), &json!("Europe/Vienna"), &json!("de-AT"))
    );
    let body = json!({ "name": " Ada Lovelace ", "time_zone": null });
    let account = call(&ada, Method::PATCH, "/v1/me", "patch-2", body).await.is(200).json();
    assert_eq!(
        (&account["name"], &account["time_zone"], &account["locale"]),
        (&json!("Ada Lovelace"), &Value::Null, &json!("de-AT"))
    );
    assert_eq!(account, ada.get("/v1/me").await.is(200).json());
    arrange(&app, "delete from audit_events where request_id <> 'patch-2'").await;
    let event = logged(&app, ada.id, "account.updated", "patch-2").await;
    assert_eq!(event["before"], json!({ "name": "ada", "time_zone": "Europe/Vienna", "locale": "de-AT" }));
    assert_eq!(event["after"], json!({ "name": "Ada Lovelace", "time_zone": null, "locale": "de-AT" }));
    assert_eq!(event["actor_id"], json!(ada.id));
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_no_event() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let before = ada.get("/v1/me").await.is(200).json();
    for nothing in [json!({}), json!({ "name": "ada" }), json!({ "locale": null, "time_zone": null })] {
        assert_eq!(ada.patch("/v1/me", nothing).await.is(200).json(), before);
    }
    assert_eq!(deeds(&app, ada.id).await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_person_has_a_name_a_known_zone_and_nothing_to_slip_in() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    for (body, pointer, code) in [
        (json!({ "name": null }), "/name", "wrong_type"),
        (json!({ "name": "a\nb" }), "/name", "control_characters"),
        (json!({ "time_zone": "Mars/Olympus" }), "/time_zone", "not_a_time_zone"),
        (json!({ "locale": "Klingon!" }), "/locale", "not_a_locale"),
        (json!({ "email": "eve@example.org" }), "/email", "unknown"),
        (json!({ "version": 7 }), "/version", "unknown"),
        (json!({ "email_verified_at": null }), "/email_verified_at", "unknown"),
    ] {
        let problem = ada.patch("/v1/me", body).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
}

#[tokio::test]
async fn a_changed_password_ends_all_sessions_but_the_one_that_changed_it() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let other = app.signed_in(&ada).await;
    let body = sure(json!({ "new_password": NEW }));
    let _ = call(&ada, Method::PUT, "/v1/me/password", "change-1", body).await.is(204);
    other.get("/v1/me").await.is_problem(401, "unauthenticated");
    let _ = ada.get("/v1/me").await.is(200);
    assert!(can_sign_in(&app, &ada.email, NEW).await);
    assert!(!can_sign_in(&app, &ada.email, PASSWORD).await);
    let event = logged(&app, ada.id, "password.changed", "change-1").await;
    assert_eq!(event["actor_id"], json!(ada.id));
    assert!(event["credential_id"].is_string(), "{event}");
    let _ = logged(&app, ada.id, "session.ended", "change-1").await;
    assert_eq!(notices(&app, ada.id).await, ["password_changed"]);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let body = json!({ "password": "not the password", "new_password": NEW });
    call(&ada, Method::PUT, "/v1/me/password", "wrong-1", body).await.is_problem(401, "wrong_password");
    let _ = logged(&app, ada.id, "session.refused", "wrong-1").await;
    assert!(can_sign_in(&app, &ada.email, PASSWORD).await);
    assert_eq!(owed(&app).await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_new_password_is_not_made_of_the_address_the_name_or_an_organizations_name() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let _ = ada.patch("/v1/me", json!({ "name": "Augusta Byron" })).await.is(200);
    let _ = ada.post("/v1/orgs", json!({ "slug": "engines", "name": "Analytical Engines" })).await.is(201);
    for made_of in [&ada.email, "Byron-Augusta-1815", "analyticalengines7"] {
        let problem = change(&ada, made_of).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/new_password", "{problem}");
        assert_eq!(problem["errors"][0]["code"], "password_guessable", "{problem}");
    }
    // Of what she does not belong to she may take the name.
    let eve = app.person("eve").await;
    let _ = eve.post("/v1/orgs", json!({ "slug": "other", "name": "Difference Machinery" })).await.is(201);
    let _ = change(&ada, "difference machinery").await.is(204);
}

#[tokio::test]
async fn a_changed_password_voids_links_for_a_lost_one() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let _ = app.stranger().post("/v1/password-resets", json!({ "email": ada.email })).await.is(202);
    let token = tokens(&app, Purpose::PasswordReset).await.remove(0);
    let _ = change(&ada, NEW).await.is(204);
    let body = json!({ "token": token, "password": "yet another sentence" });
    app.stranger().post("/v1/password-resets/completions", body).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn an_account_that_ends_while_its_password_is_changed_stays_as_it_was() {
    let app = TestApp::start().await;
    let ada = app.person_with_password("ada").await;
    let mut reset = app.admin.begin().await.unwrap();
    sqlx::query("select id from accounts where id = $1 for update")
        .bind(ada.id.0)
        .fetch_one(&mut *reset)
        .await
        .unwrap();
    let end = async {
        harness::eventually("the change waits", async || (app.waiting().await == 1).then_some(())).await;
        sqlx::query("update accounts set deleted_at = now() where id = $1")
            .bind(ada.id.0)
            .execute(&mut *reset)
            .await
            .unwrap();
        reset.commit().await.unwrap();
    };
    let (reply, ()) = tokio::join!(change(&ada, NEW), end);
    reply.is_problem(401, "unauthenticated");
    assert_eq!((deeds(&app, ada.id).await.len(), owed(&app).await.len()), (0, 0));
}

#[tokio::test]
async fn a_personal_token_manages_no_account() {
    let app = TestApp::start().await;
    let team = app.team().await;
    app.give_password(&team.member).await;
    let program = personal_token(&team.member, &team.slug).await;
    let before = log(&app, team.member.id).await.len();
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);
    for (method, path, body) in [
        (Method::PATCH, "/v1/me", json!({ "name": "Mallory" })),
        (put.clone(), "/v1/me/password", sure(json!({ "new_password": NEW }))),
        (post.clone(), "/v1/me/email", sure(json!({ "email": "mallory@example.org" }))),
        (get.clone(), "/v1/me/deletion", Value::Null),
        (put.clone(), "/v1/me/deletion", sure(json!({}))),
        (delete.clone(), "/v1/me/deletion", Value::Null),
        (get.clone(), "/v1/me/export", Value::Null),
        (get.clone(), "/v1/me/audit", Value::Null),
        (get.clone(), "/v1/me/sessions", Value::Null),
        (delete.clone(), "/v1/me/sessions", Value::Null),
        (delete.clone(), "/v1/me/sessions/current", Value::Null),
        (get.clone(), "/v1/me/tokens", Value::Null),
        (get, "/v1/me/second-factor", Value::Null),
        (post.clone(), "/v1/me/second-factor", sure(json!({}))),
        (put, "/v1/me/second-factor/confirmation", json!({ "code": "123456" })),
        (post, "/v1/me/second-factor/recovery-codes", sure(json!({}))),
        (delete, "/v1/me/second-factor", sure(json!({}))),
    ] {
        call(&program, method, path, "a-program", body).await.is_problem(403, "session_needed");
    }
    let _ = program.get("/v1/me").await.is(200);
    assert_eq!(log(&app, team.member.id).await.len(), before);
    assert_eq!(count(&app, "throttles").await, 0, "no guess either");
}
