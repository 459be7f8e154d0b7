//! A lost password, and the mailed link that replaces it.

use common::secrets::{Purpose, Token};
use harness::{Actor, PASSWORD, Reply, TestApp, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{
    arrange, call, can_sign_in, count, deeds, logged, notices, owed, personal_token, sign_up, token_in, tokens,
};

const NEW: &str = "a whole new sentence";

async fn ask(app: &TestApp, email: &str) -> Reply {
    app.stranger().post("/v1/password-resets", json!({ "email": email })).await
}

async fn complete(app: &TestApp, token: &str, password: &str) -> Reply {
    let body = json!({ "token": token, "password": password });
    app.stranger().post("/v1/password-resets/completions", body).await
}

/// Somebody who has asked for a link, and the token in it.
async fn forgetful(app: &TestApp) -> (Actor, String) {
    let ada = app.person_with_password("ada").await;
    let _ = ask(app, &ada.email).await.is(202);
    let token = tokens(app, Purpose::PasswordReset).await.pop().unwrap();
    (ada, token)
}

#[tokio::test]
async fn a_lost_password_is_replaced_over_its_mail_and_the_owner_is_told() {
    let app = TestApp::start().await;
    let worker = app.work();
    let ada = app.person_with_password("ada").await;
    let _ = ask(&app, &ada.email.to_uppercase()).await.is(202);
    let mail = app.mail_to(&ada.email).await;
    let _ = complete(&app, &token_in(&mail.text().unwrap()), NEW).await.is(204);
    assert!(can_sign_in(&app, &ada.email, NEW).await);
    assert!(!can_sign_in(&app, &ada.email, PASSWORD).await);
    let told = app.inbox.wait_for(|mail| mail.subject().contains("password was reset"), harness::PATIENCE).await;
    assert!(told.unwrap().to.contains(&ada.email));
    worker.stop().await;
}

#[tokio::test]
async fn asking_for_a_reset_does_not_tell_whether_an_address_is_known() {
    let app = TestApp::start().await;
    let (known, gone) = (app.person("known").await, app.person("gone").await);
    sign_up(&app.stranger(), "unproved@example.org", PASSWORD).await;
    arrange(&app, &format!("update accounts set deleted_at = now() where id = '{}'", gone.id)).await;
    let mut looks = Vec::new();
    for email in ["nobody@example.org", "unproved@example.org", &gone.email, &known.email] {
        looks.push(ask(&app, email).await.appearance());
    }
    assert!(looks[0].starts_with("202") && looks.iter().all(|look| *look == looks[0]), "{looks:?}");
    assert_eq!(owed(&app).await, ["verification", "password_reset"]);
    let to: Vec<_> = sqlx::query_scalar::<_, uuid::Uuid>("select account_id from mails where kind = 'password_reset'")
        .fetch_all(&app.admin)
        .await
        .unwrap();
    assert_eq!(to, [known.id.0]);
}

#[tokio::test]
async fn a_reset_counts_once_and_for_an_hour() {
    let app = TestApp::start().await;
    let (ada, token) = forgetful(&app).await;
    let _ = complete(&app, &token, NEW).await.is(204);
    complete(&app, &token, "yet another sentence").await.is_problem(404, "not_found");
    complete(&app, &Token::random().unwrap().reveal(), NEW).await.is_problem(404, "not_found");
    assert!(can_sign_in(&app, &ada.email, NEW).await);

    let _ = ask(&app, &ada.email).await.is(202);
    let token = tokens(&app, Purpose::PasswordReset).await.pop().unwrap();
    assert_eq!(count(&app, "password_resets where expires_at = created_at + interval '1 hour'").await, 2);
    arrange(&app, "update password_resets set expires_at = now()").await;
    complete(&app, &token, "yet another sentence").await.is_problem(404, "not_found");
    assert!(can_sign_in(&app, &ada.email, NEW).await);
}

#[tokio::test]
async fn the_newest_link_voids_those_before() {
    let app = TestApp::start().await;
    let (ada, first) = forgetful(&app).await;
    let _ = ask(&app, &ada.email).await.is(202);
    let second = tokens(&app, Purpose::PasswordReset).await.pop().unwrap();
    complete(&app, &first, NEW).await.is_problem(404, "not_found");
    let _ = complete(&app, &second, NEW).await.is(204);
}

#[tokio::test]
async fn a_token_of_another_purpose_resets_nothing() {
    let app = TestApp::start().await;
    let (_, _) = forgetful(&app).await;
    sign_up(&app.stranger(), "eve@example.org", PASSWORD).await;
    let verification = tokens(&app, Purpose::Verification).await.remove(0);
    complete(&app, &verification, NEW).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_reset_ends_every_session_and_nothing_else() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ada = &team.member;
    app.give_password(ada).await;
    let (other, program) = (app.signed_in(ada).await, personal_token(ada, &team.slug).await);
    let _ = ask(&app, &ada.email).await.is(202);
    let token = tokens(&app, Purpose::PasswordReset).await.remove(0);
    let body = json!({ "token": token, "password": NEW });
    let _ = call(&app.stranger(), Method::POST, "/v1/password-resets/completions", "reset-1", body).await.is(204);
    for session in [ada, &other] {
        session.get("/v1/me").await.is_problem(401, "unauthenticated");
    }
    let _ = program.get("/v1/me").await.is(200);
    let _ = team.owner.get("/v1/me").await.is(200);
    let event = logged(&app, ada.id, "password.reset", "reset-1").await;
    assert_eq!((&event["subject_id"], &event["actor_id"]), (&json!(ada.id), &Value::Null), "a link is nobody");
    assert_eq!(deeds(&app, ada.id).await.iter().filter(|deed| *deed == "session.ended").count(), 2);
    assert_eq!(notices(&app, ada.id).await, ["password_reset"]);
}

#[tokio::test]
async fn a_password_made_of_names_is_refused_and_the_link_stays_good() {
    let app = TestApp::start().await;
    let (ada, token) = forgetful(&app).await;
    let _ = ada.post("/v1/orgs", json!({ "slug": "engines", "name": "Analytical Engines" })).await.is(201);
    for password in ["AnalyticalEngines!", &ada.email] {
        let problem = complete(&app, &token, password).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/password", "{problem}");
        assert_eq!(problem["errors"][0]["code"], "password_guessable", "{problem}");
    }
    let _ = complete(&app, &token, NEW).await.is(204);
}

#[tokio::test]
async fn who_has_no_link_is_not_told_what_a_password_must_not_be() {
    let app = TestApp::start().await;
    let body = json!({ "token": Token::random().unwrap().reveal(), "password": "stranger@example.org" });
    app.stranger().post("/v1/password-resets/completions", body).await.is_problem(404, "not_found");
    let body = json!({ "token": "short", "password": "short" });
    let problem = app.stranger().post("/v1/password-resets/completions", body).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
}

#[tokio::test]
async fn of_two_who_use_one_link_at_once_one_sets_the_password() {
    let app = TestApp::start().await;
    let (ada, token) = forgetful(&app).await;
    // The account is held by somebody else, so that both stand in the middle of their work when it is let go.
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("select id from accounts where id = $1 for update").bind(ada.id.0).fetch_one(&mut *held).await.unwrap();
    let let_go = async {
        eventually("both wait", async || (app.waiting().await == 2).then_some(())).await;
        held.rollback().await.unwrap();
    };
    let passwords = ["the password of the one", "the password of the other"];
    let (one, other, ()) =
        tokio::join!(complete(&app, &token, passwords[0]), complete(&app, &token, passwords[1]), let_go);
    let mut statuses = [one.status(), other.status()];
    let first_won = statuses[0] == 204;
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404], "{one:?} {other:?}");
    assert_eq!(can_sign_in(&app, &ada.email, passwords[0]).await, first_won);
    assert_eq!(can_sign_in(&app, &ada.email, passwords[1]).await, !first_won);
}

#[tokio::test]
async fn of_two_who_ask_at_once_one_link_counts() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("select id from accounts where id = $1 for update").bind(ada.id.0).fetch_one(&mut *held).await.unwrap();
    let let_go = async {
        eventually("both wait", async || (app.waiting().await == 2).then_some(())).await;
        held.rollback().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(ask(&app, &ada.email), ask(&app, &ada.email), let_go);
    assert_eq!((one.status(), other.status()), (202, 202));
    assert_eq!(count(&app, "password_resets where used_at is null and expires_at > now()").await, 1);
}

/// The password is compared while no row is locked; what becomes of the session is decided when it begins.
#[tokio::test]
async fn whoever_signs_in_with_the_old_password_while_it_is_reset_stays_out() {
    let app = TestApp::start().await;
    let (ada, _) = forgetful(&app).await;
    arrange(&app, "delete from sessions").await;
    let another = common::passwords::hash(NEW.parse().unwrap()).await.unwrap();
    let mut reset = app.admin.begin().await.unwrap();
    sqlx::query("update accounts set password_hash = $2 where id = $1")
        .bind(ada.id.0)
        .bind(another)
        .execute(&mut *reset)
        .await
        .unwrap();
    let commit = async {
        eventually("the sign-in waits", async || (app.waiting().await == 1).then_some(())).await;
        reset.commit().await.unwrap();
    };
    let (sign_in, ()) = tokio::join!(app.sign_in(&ada.email, PASSWORD), commit);
    sign_in.is_problem(503, "busy");
    assert_eq!(count(&app, "sessions").await, 0);
    assert!(!can_sign_in(&app, &ada.email, PASSWORD).await);
}
