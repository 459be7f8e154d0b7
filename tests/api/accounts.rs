use common::secrets::{Purpose, Token};
use harness::{Actor, TestApp};
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

async fn sign_up(stranger: &Actor, email: &str, password: &str) {
    let new = json!({ "email": email, "name": "Ada", "password": password });
    let _ = stranger.post("/v1/accounts", new).await.is(202);
}

/// The tokens of the verifications of an address, oldest first: derived as the worker does.
async fn tokens(app: &TestApp) -> Vec<String> {
    let rows: Vec<uuid::Uuid> =
        sqlx::query_scalar("select id from verifications order by id").fetch_all(&app.admin).await.unwrap();
    rows.into_iter().map(|row| app.key.mailed_token(Purpose::Verification, row).reveal()).collect()
}

#[tokio::test]
async fn a_sign_up_leads_over_its_mail_to_a_session() {
    let app = TestApp::start().await;
    let worker = app.work();
    let ada = app.stranger();
    sign_up(&ada, "Ada@Example.org", PASSWORD).await;
    let mail = app.mail_to("ada@example.org").await;
    let text = mail.text().unwrap();
    let token = text.lines().map(str::trim).find(|line| line.parse::<Token>().is_ok()).unwrap();

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
    assert_eq!((fresh.status(), fresh.text()), (repeated.status(), repeated.text()));
    let kinds: Vec<String> =
        sqlx::query_scalar("select kind from mails order by id").fetch_all(&app.admin).await.unwrap();
    assert_eq!(kinds, ["verification", "already_registered"]);
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
