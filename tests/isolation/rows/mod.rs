//! Plain connections of the application's roles: what row security shows when nobody asks nicely.

use harness::{Team, TestApp};
use sqlx::PgConnection;

const TENANT_TABLES: &[&str] = &[
    "memberships",
    "invitations",
    "projects",
    "project_grants",
    "tasks",
    "task_assignees",
    "reminders",
    "deliveries",
    "mails",
];

async fn furnish(app: &TestApp) -> Team {
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "A secret of this team", 3600).await;
    let offer = serde_json::json!({ "email": "eve@example.org", "role": "guest" });
    let _ = team.owner.post("/invitations", offer).await.is(201);
    team
}

async fn count(connection: &mut PgConnection, table: &str) -> i64 {
    let statement = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(statement).fetch_one(connection).await.unwrap()
}

async fn enter(connection: &mut PgConnection, org: &str) {
    sqlx::query("select set_config('app.org_id', $1, false)").bind(org).execute(connection).await.unwrap();
}

#[tokio::test]
async fn a_plain_connection_of_the_api_sees_nobodys_rows() {
    let app = TestApp::start().await;
    furnish(&app).await;
    let mut connection = app.connect_as("taskbell_app").await;
    for table in TENANT_TABLES {
        assert_eq!(count(&mut connection, table).await, 0, "{table}");
    }
    for table in ["accounts", "sessions"] {
        let statement = sqlx::AssertSqlSafe(format!("select count(id) from {table}"));
        let seen: i64 = sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap();
        assert_eq!(seen, 0, "{table}");
    }
}

#[tokio::test]
async fn with_one_organizations_context_only_its_rows_are_seen_and_written() {
    let app = TestApp::start().await;
    let (ours, theirs) = (furnish(&app).await, furnish(&app).await);
    for role in ["taskbell_app", "taskbell_worker"] {
        let mut connection = app.connect_as(role).await;
        enter(&mut connection, &ours.id.to_string()).await;
        for table in TENANT_TABLES {
            if role == "taskbell_worker" && matches!(*table, "deliveries" | "mails") {
                continue; // The worker sends for all.
            }
            let statement = format!("select count(*) filter (where org_id <> $1), count(*) from {table}");
            let (foreign, all): (i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(statement))
                .bind(ours.id.0)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert_eq!(foreign, 0, "{role} {table}");
            assert!(all > 0 || *table == "project_grants", "{role} {table}: the test would see nothing anyway");
        }
    }
    let mut connection = app.connect_as("taskbell_app").await;
    enter(&mut connection, &ours.id.to_string()).await;
    let stolen = sqlx::query("update tasks set title = 'stolen' where org_id = $1")
        .bind(theirs.id.0)
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(stolen.rows_affected(), 0);
    let planted = sqlx::query(
        "insert into projects (org_id, id, key, name, created_by) values ($1, gen_random_uuid(), 'EVIL', 'x', $2)",
    )
    .bind(theirs.id.0)
    .bind(theirs.owner.id.0)
    .execute(&mut connection)
    .await
    .unwrap_err();
    assert!(planted.to_string().contains("row-level security"), "{planted}");
}

#[tokio::test]
async fn the_api_cannot_read_password_hashes_or_hand_out_permissions() {
    let app = TestApp::start().await;
    let mut connection = app.connect_as("taskbell_app").await;
    for statement in [
        "select password_hash from accounts",
        "select token_hash from sessions",
        "insert into sessions (id, account_id, token_hash, expires_at) select gen_random_uuid(), gen_random_uuid(), '', now()",
        "delete from mail_steps",
        "update attempts set outcome = 'sent'",
        "alter table tasks disable row level security",
        "set role taskbell_owner",
    ] {
        let refused = sqlx::query(statement).execute(&mut connection).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{statement}: {refused}");
    }
}
