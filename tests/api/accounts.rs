use common::secrets::{Purpose, Token};
use harness::{PASSWORD, TestApp};
use serde_json::json;

use crate::people::{self, arrange, can_sign_in, count, logged, owed, sign_up, token_in};

/// The tokens of the verifications, oldest first.
async fn tokens(app: &TestApp) -> Vec<String> {
    people::tokens(app, Purpose::Verification).await
}

#[tokio::test]
async fn a_sign_up_leads_over_its_mail_to_a_session() {
    let app = TestApp::start().await;
    let worker = app.work();
    let ada = app.stranger();
    sign_up(&ada, "Ada@Example.org", PASSWORD).await;
    let mail = app.mail_to("ada@example.org").await;
    let token = token_in(&mail.text().unwrap());

    let claim = json!({ "email": "ada@example.org", "password": PASSWORD });
    ada.post("/v1/sessions", claim.clone()).await.is_problem(401, "wrong_password");
    let account = ada.post("/v1/verifications", json!({ "token": token })).await.is(200).json();
    assert_eq!(account["email"], "ada@example.org");

    let session = ada.post("/v1/sessions", claim).await.is(201);
    let ada = ada.with_token(Some(&session.text_at("/token")));
    assert_eq!(ada.get("/v1/me").await.is(200).json()["name"], "Ada");
    worker.stop().await;
}

#[tokio::test]
async fn a_verification_counts_once() {
    let app = TestApp::start().await;
    let ada = app.stranger();
    sign_up(&ada, "ada@example.org", PASSWORD).await;
    let token = json!({ "token": tokens(&app).await[0] });
    let _ = ada.post("/v1/verifications", token.clone()).await.is(200);
    ada.post("/v1/verifications", token).await.is_problem(404, "not_found");
    let unknown = json!({ "token": Token::random().unwrap().reveal() });
    ada.post("/v1/verifications", unknown).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_password_planted_for_somebody_elses_address_never_counts() {
    let app = TestApp::start().await;
    let (mallory, ada) = (app.stranger(), app.stranger());
    sign_up(&mallory, "ada@example.org", "planted by mallory").await;
    sign_up(&ada, "ada@example.org", PASSWORD).await;
    sign_up(&mallory, "ada@example.org", "planted once more").await;
    let tokens = tokens(&app).await;
    // Ada opens her own mail.
    let _ = ada.post("/v1/verifications", json!({ "token": tokens[1] })).await.is(200);
    for token in [&tokens[0], &tokens[2]] {
        ada.post("/v1/verifications", json!({ "token": token })).await.is_problem(404, "not_found");
    }
    let claim = |password| json!({ "email": "ada@example.org", "password": password });
    let _ = ada.post("/v1/sessions", claim(PASSWORD)).await.is(201);
    mallory.post("/v1/sessions", claim("planted by mallory")).await.is_problem(401, "wrong_password");
    mallory.post("/v1/sessions", claim("planted once more")).await.is_problem(401, "wrong_password");
}

#[tokio::test]
async fn sign_up_does_not_tell_whether_an_address_is_known() {
    let app = TestApp::start().await;
    let known = app.person("known").await;
    let sign_up = async |email: &str| {
        let new = json!({ "email": email, "name": "Somebody", "password": PASSWORD });
        app.stranger().post("/v1/accounts", new).await
    };
    let (fresh, repeated) = (sign_up("fresh@example.org").await, sign_up(&known.email).await);
    assert_eq!(fresh.appearance(), repeated.appearance());
    assert_eq!(owed(&app).await, ["verification", "already_registered"]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let app = TestApp::start().await;
    let ada = app.stranger();
    sign_up(&ada, "ada@example.org", PASSWORD).await;
    let _ = ada.post("/v1/verifications", json!({ "token": tokens(&app).await[0] })).await.is(200);
    let claim = |email: &str| json!({ "email": email, "password": "not the password" });
    let mut wrong = ada.post("/v1/sessions", claim("ada@example.org")).await.is_problem(401, "wrong_password");
    let mut unknown = ada.post("/v1/sessions", claim("nobody@example.org")).await.is_problem(401, "wrong_password");
    wrong["request_id"].take();
    unknown["request_id"].take();
    assert_eq!(wrong, unknown);
}

#[tokio::test]
async fn neither_password_nor_token_is_stored() {
    let app = TestApp::start().await;
    let ada = app.stranger();
    sign_up(&ada, "ada@example.org", PASSWORD).await;
    let mailed = tokens(&app).await.remove(0);
    let _ = ada.post("/v1/verifications", json!({ "token": mailed })).await.is(200);
    let claim = json!({ "email": "ada@example.org", "password": PASSWORD });
    let session = ada.post("/v1/sessions", claim).await.is(201).text_at("/token");
    let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
        .fetch_all(&app.admin)
        .await
        .unwrap();
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select t::text from \"{table}\" t")))
            .fetch_all(&app.admin)
            .await
            .unwrap();
        for secret in [PASSWORD, mailed.as_str(), session.trim_start_matches("tbs_")] {
            assert!(!rows.iter().any(|row| row.contains(secret)), "{table} holds a secret");
        }
    }
}

#[tokio::test]
async fn two_verifications_of_one_address_at_once_make_one_account() {
    let app = TestApp::start().await;
    let ada = app.stranger();
    for _ in 0..3 {
        sign_up(&ada, "ada@example.org", PASSWORD).await;
    }
    let tokens = tokens(&app).await;
    // The first row is held by somebody else, so that both stand in the middle of their work when it is let go.
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("select id from verifications order by id limit 1 for update").fetch_one(&mut *held).await.unwrap();
    let verify = |token: &String| ada.post("/v1/verifications", json!({ "token": token }));
    let let_go = async {
        harness::eventually("both wait", async || (app.waiting().await == 2).then_some(())).await;
        held.rollback().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(verify(&tokens[1]), verify(&tokens[2]), let_go);
    let mut statuses = [one.status(), other.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404], "{one:?} {other:?}");
}

#[tokio::test]
async fn an_account_begins_with_an_entry_in_its_log() {
    let app = TestApp::start().await;
    let ada = app.stranger();
    sign_up(&ada, "ada@example.org", PASSWORD).await;
    let token = json!({ "token": tokens(&app).await[0] });
    let account = people::call(&ada, reqwest::Method::POST, "/v1/verifications", "first-1", token).await.is(200);
    let id = account.text_at("/id").parse().unwrap();
    let event = logged(&app, id, "account.created", "first-1").await;
    assert_eq!((&event["subject_id"], &event["actor_id"]), (&json!(id), &json!(null)), "a link is nobody");
}

#[tokio::test]
async fn a_verification_is_good_for_a_day() {
    let app = TestApp::start().await;
    let ada = app.stranger();
    sign_up(&ada, "ada@example.org", PASSWORD).await;
    let token = json!({ "token": tokens(&app).await[0] });
    assert_eq!(count(&app, "verifications where expires_at = created_at + interval '1 day'").await, 1);
    arrange(&app, "update verifications set expires_at = now()").await;
    ada.post("/v1/verifications", token).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_resend_lets_the_newest_sign_up_wait_for_another_day_and_mails_it_again() {
    let app = TestApp::start().await;
    let ada = app.stranger();
    sign_up(&ada, "ada@example.org", "an older password").await;
    sign_up(&ada, "ada@example.org", PASSWORD).await;
    arrange(&app, "update verifications set expires_at = now() - interval '1 hour'").await;
    arrange(&app, "update mails set state = 'cancelled', reason = 'a test'").await;
    let tokens = tokens(&app).await;
    let _ = ada.post("/v1/verifications/resends", json!({ "email": "ADA@example.org" })).await.is(202);
    let worker = app.work();
    let mail = app.mail_to("ada@example.org").await;
    assert_eq!(token_in(&mail.text().unwrap()), tokens[1]);
    ada.post("/v1/verifications", json!({ "token": tokens[0] })).await.is_problem(404, "not_found");
    let _ = ada.post("/v1/verifications", json!({ "token": tokens[1] })).await.is(200);
    assert!(can_sign_in(&app, "ada@example.org", PASSWORD).await);
    worker.stop().await;
}

#[tokio::test]
async fn a_resend_does_not_tell_whether_a_sign_up_waits() {
    let app = TestApp::start().await;
    sign_up(&app.stranger(), "waiting@example.org", PASSWORD).await;
    let known = app.person("known").await;
    // A sign-up that waits beside it was made void when the account was verified.
    arrange(
        &app,
        &format!(
            "insert into verifications (id, account_id, name, password_hash, token_hash, expires_at)
             values (gen_random_uuid(), '{}', 'x', 'x', 'x', now() - interval '1 hour')",
            known.id
        ),
    )
    .await;
    let before = owed(&app).await.len();
    let mut looks = Vec::new();
    for email in ["nobody@example.org", &known.email, "waiting@example.org"] {
        let reply = app.stranger().post("/v1/verifications/resends", json!({ "email": email })).await;
        looks.push((reply.appearance(), owed(&app).await.len() - before));
    }
    assert!(looks[0].0.starts_with("202") && looks.iter().all(|look| look.0 == looks[0].0), "{looks:?}");
    assert_eq!(looks.iter().map(|look| look.1).collect::<Vec<_>>(), [0, 0, 1]);
    let revived = format!("verifications where account_id = '{}' and expires_at > now()", known.id);
    assert_eq!(count(&app, &revived).await, 0);
}

#[tokio::test]
async fn a_new_password_is_not_made_of_the_address_or_the_name() {
    let app = TestApp::start().await;
    for password in ["ada.lovelace@example.org", "Countess-Augusta 1815"] {
        let new = json!({ "email": "ada.lovelace@example.org", "name": "Augusta, Countess", "password": password });
        let problem = app.stranger().post("/v1/accounts", new).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/password", "{problem}");
        assert_eq!(problem["errors"][0]["code"], "password_guessable", "{problem}");
    }
    assert_eq!(count(&app, "accounts").await, 0);
}

#[tokio::test]
async fn a_closed_deployment_takes_nobody_and_says_so() {
    let app = TestApp::with_settings(&[("TASKBELL_REGISTRATION", "closed")]).await;
    let known = app.person("known").await;
    for email in ["ada@example.org", &known.email] {
        let new = json!({ "email": email, "name": "Ada", "password": PASSWORD });
        app.stranger().post("/v1/accounts", new).await.is_problem(403, "registration_closed");
    }
    assert_eq!((count(&app, "accounts").await, count(&app, "mails").await), (1, 0));
}

#[tokio::test]
async fn where_one_must_be_invited_nobody_else_gets_an_account_and_nobody_is_told() {
    let app = TestApp::with_settings(&[("TASKBELL_REGISTRATION", "invited")]).await;
    let team = app.team().await;
    for email in ["eve@example.org", "late@example.org"] {
        let _ = team.owner.post("/invitations", json!({ "email": email, "role": "guest" })).await.is(201);
    }
    arrange(&app, "update invitations set expires_at = now() where email = 'late@example.org'").await;
    arrange(&app, "delete from mails").await;
    let mut looks = Vec::new();
    for email in ["eve@example.org", "late@example.org", "mallory@example.org", &team.member.email] {
        let new = json!({ "email": email, "name": "Somebody", "password": PASSWORD });
        looks.push(app.stranger().post("/v1/accounts", new).await.appearance());
    }
    assert!(looks[0].starts_with("202") && looks.iter().all(|look| *look == looks[0]), "{looks:?}");
    assert_eq!(owed(&app).await, ["verification", "already_registered"], "eve's, and the member's");
    let _ = app.stranger().post("/v1/verifications", json!({ "token": tokens(&app).await[0] })).await.is(200);
    assert!(can_sign_in(&app, "eve@example.org", PASSWORD).await);
    assert_eq!(count(&app, "accounts where email in ('late@example.org', 'mallory@example.org')").await, 0);
}
