//! Secrets are planted everywhere and looked for in everything that is written: logs at every level, those of Postgres, Redis,
//! answers, and the database itself.

use common::secrets::Purpose;
use harness::{Actor, Log, TestApp};
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// What nobody but its owner may ever read.
struct Planted(Vec<String>);

impl Planted {
    fn plant(&mut self, secret: impl Into<String>) -> String {
        self.0.push(secret.into());
        self.0.last().cloned().unwrap_or_default()
    }

    /// A new password that only this test has.
    fn password(&mut self) -> String {
        self.plant(format!("planted {} canary", Uuid::now_v7().simple()))
    }

    fn found_in(&self, text: &str) -> Vec<&String> {
        self.0.iter().filter(|secret| text.contains(secret.as_str())).collect()
    }
}

#[tokio::test]
async fn no_secret_is_written_anywhere() {
    let log = Log::listen();
    let app = TestApp::start().await;
    let mut planted = Planted(app.credentials());
    let answers = live(&app, &mut planted).await;
    assert!(planted.0.len() >= 50, "{}", planted.0.len());

    let heard = log.text();
    assert!(heard.contains("/v1/sessions") && heard.len() > 10_000, "the log is listened to");
    assert_eq!(planted.found_in(&heard), [] as [&String; 0], "in the log");
    assert_eq!(planted.found_in(&answers), [] as [&String; 0], "in a refusal");
    if let Some(postgres) = app.postgres_log() {
        assert_eq!(planted.found_in(&postgres), [] as [&String; 0], "in Postgres' log");
    }
    let mut redis =
        redis::Client::open(app.redis_url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis.keys("*").await.unwrap();
    assert_eq!(planted.found_in(&keys.join("\n")), [] as [&String; 0], "in a key of Redis");
    assert_eq!(planted.found_in(&app.queued().await.join("\n")), [] as [&String; 0], "in Redis");
    let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
        .fetch_all(&app.admin)
        .await
        .unwrap();
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select t::text from \"{table}\" t")))
            .fetch_all(&app.admin)
            .await
            .unwrap();
        assert_eq!(planted.found_in(&rows.join("\n")), [] as [&String; 0], "in {table}");
    }
}

/// A life with secrets in their places and out of them. Gives the refusals.
async fn live(app: &TestApp, planted: &mut Planted) -> String {
    let worker = app.work();
    let stranger = app.stranger();
    let mut refused = Vec::new();
    let mut refuse = |reply: harness::Reply| {
        assert!(reply.status() >= 400, "{}", reply.text());
        refused.push(reply.text().to_owned());
    };
    let password = planted.password();
    let new = json!({ "email": "ada@example.org", "name": "Ada", "password": password });
    let _ = stranger.post("/v1/accounts", new).await.is(202);
    let verification = mailed(app, planted, "verifications", Purpose::Verification).await;
    let _ = app.mail_to("ada@example.org").await;
    let _ = stranger.post("/v1/verifications", json!({ "token": verification })).await.is(200);
    refuse(stranger.post("/v1/verifications", json!({ "token": verification })).await);
    for _ in 0..28 {
        // The last ones are throttled.
        let claim = json!({ "email": "ada@example.org", "password": planted.password() });
        refuse(stranger.post("/v1/sessions", claim).await);
    }
    sqlx::query("delete from throttles").execute(&app.admin).await.unwrap();
    let session = sign_in(&stranger, &password, None).await.is(201).text_at("/token");
    let ada = stranger.with_token(Some(&planted.plant(session)));

    let _ = ada.post("/v1/orgs", json!({ "slug": "engines", "name": "Engines" })).await.is(201);
    let token = json!({ "name": "a program", "org": "engines", "scopes": ["tasks:read"] });
    let token = planted.plant(ada.post_once("a-key", "/v1/me/tokens", token).await.is(201).text_at("/token"));
    let program = ada.with_token(Some(&token)).within("engines");
    let _ = program.get("/tasks").await.is(200);
    refuse(program.get("/audit").await);
    refuse(program.get(&format!("/tasks?token={token}")).await);
    refuse(stranger.with_token(Some(&format!("{token}x"))).get("/v1/me").await);
    let calendar = ada.post_once("a-calendar", "/v1/me/calendar", json!(null)).await.is(201).text_at("/url");
    let calendar = planted.plant(&calendar[calendar.len() - 47..calendar.len() - 4]);
    let _ = stranger.get(&format!("/calendars/{calendar}.ics")).await.is(200);
    refuse(stranger.post(&format!("/calendars/{calendar}.ics"), json!(null)).await);
    let _ = ada.delete("/v1/me/calendar").await.is(204);
    refuse(stranger.get(&format!("/calendars/{calendar}")).await);
    let wrong_place = json!({ "name": planted.password(), "slug": 7, "password": planted.password() });
    refuse(ada.post("/v1/orgs", wrong_place).await);
    let broken = format!("{{\"password\": \"{}\"", planted.password());
    let broken = ada.request(Method::POST, "/v1/orgs").header("Content-Type", "application/json").body(broken);
    refuse(ada.send(broken, "broken JSON".into()).await);

    let invited =
        ada.within("engines").post("/invitations", json!({ "email": "eve@example.org", "role": "guest" })).await;
    let _ = invited.is(201);
    let invitation = mailed(app, planted, "invitations", Purpose::Invitation).await;
    refuse(ada.post("/v1/me/memberships", json!({ "invitation": invitation })).await);
    let _ = app.mail_to("eve@example.org").await;

    let enrolment = ada.post_once("a-key", "/v1/me/second-factor", json!({ "password": password })).await.is(201);
    planted.plant(enrolment.text_at("/secret"));
    refuse(ada.put("/v1/me/second-factor/confirmation", json!({ "code": "000000" })).await);
    let code = app.code_of(&ada).await;
    let codes = ada.put("/v1/me/second-factor/confirmation", json!({ "code": code })).await.is(200).json();
    let codes: Vec<String> = codes["recovery_codes"].as_array().unwrap().iter().map(text).collect();
    let codes: Vec<String> = codes.into_iter().map(|code| planted.plant(code)).collect();
    refuse(sign_in(&stranger, &password, None).await);
    let second = sign_in(&stranger, &password, Some(&codes[0])).await.is(201).text_at("/token");
    planted.plant(second);
    refuse(sign_in(&stranger, &password, Some(&codes[0])).await);
    let wrong = json!({ "password": planted.password() });
    let deletion = ada.within("engines").request(Method::DELETE, "").json(&wrong);
    refuse(ada.send(deletion, "DELETE".into()).await);

    app.all_settled().await;
    worker.stop().await;
    refused.join("\n")
}

async fn sign_in(stranger: &Actor, password: &str, code: Option<&str>) -> harness::Reply {
    let mut claim = json!({ "email": "ada@example.org", "password": password });
    if let Some(code) = code {
        claim["code"] = json!(code);
    }
    stranger.post("/v1/sessions", claim).await
}

/// The token that the mail of the newest row carries.
async fn mailed(app: &TestApp, planted: &mut Planted, table: &str, purpose: Purpose) -> String {
    let statement = sqlx::AssertSqlSafe(format!("select id from {table} order by id desc limit 1"));
    let row: Uuid = sqlx::query_scalar(statement).fetch_one(&app.admin).await.unwrap();
    planted.plant(app.key.mailed_token(purpose, row).reveal())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
