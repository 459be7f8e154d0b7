//! What the tests arrange and look up beside the browser.

use common::secrets::Purpose;
use harness::TestApp;
use serde_json::json;
use url::Url;
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Signs somebody up and gives the token that their mail will hold.
pub(crate) async fn sign_up(app: &TestApp, email: &str, name: &str) -> String {
    let new = json!({ "email": email, "name": name, "password": PASSWORD });
    let _ = app.stranger().post("/v1/accounts", new).await.is(202);
    let row: Uuid =
        sqlx::query_scalar("select max(id::text)::uuid from verifications").fetch_one(&app.admin).await.unwrap();
    app.key.mailed_token(Purpose::Verification, row).reveal()
}

/// The page of a token.
pub(crate) fn link(app: &TestApp, page: &str, token: &str) -> Url {
    app.url(&format!("/links/{page}/{token}"))
}

/// The link that a mail's reader clicks on.
pub(crate) async fn mailed_link(app: &TestApp, email: &str) -> Url {
    let html = app.mail_to(email).await.html().unwrap();
    let link = html.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    Url::parse(link).unwrap()
}

/// Every row of every table, as text: what nothing has happened to stays the same.
pub(crate) async fn everything(app: &TestApp) -> Vec<String> {
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public' order by 1")
            .fetch_all(&app.admin)
            .await
            .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let statement = format!("select '{table} ' || xmin || ' ' || t::text from \"{table}\" t order by 1");
        let of_table: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_all(&app.admin).await.unwrap();
        rows.extend(of_table);
    }
    rows
}
