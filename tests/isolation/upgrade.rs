//! Migrations run over the rows of a deployment that is in use, as a role that FORCE binds too.

use common::db::MIGRATOR;
use harness::TestApp;
use sqlx::{Connection, PgConnection};

/// The schema with which the first deployments began.
const FIRST: i64 = 9;

#[tokio::test]
async fn later_migrations_keep_the_rows_of_the_first_deployments() {
    let app = TestApp::start().await;
    let name = format!("upgrade_{}", uuid::Uuid::now_v7().simple());
    let url = common::db::create_database(&app.database_url, &name).await.unwrap();
    let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
    let schema = "grant usage, create on schema public to taskbell_owner, taskbell_auth;
                  grant usage on schema public to taskbell_app, taskbell_worker; set role taskbell_owner";
    sqlx::raw_sql(schema).execute(&mut connection).await.unwrap();
    let (before, after): (Vec<_>, Vec<_>) = MIGRATOR.iter().partition(|migration| migration.version <= FIRST);
    assert!(!before.is_empty() && !after.is_empty());
    for migration in before {
        sqlx::raw_sql(migration.sql.clone()).execute(&mut connection).await.unwrap();
    }
    let rows = "
        reset role;
        insert into accounts (id, email, name, password_hash, email_verified_at)
            values ('018f0000-0000-7000-8000-000000000001', 'ada@example.org', 'Ada', 'none', now());
        insert into organizations (id, slug, name) values ('018f0000-0000-7000-8000-000000000002', 'engines', 'Engines');
        insert into memberships (org_id, account_id, role)
            values ('018f0000-0000-7000-8000-000000000002', '018f0000-0000-7000-8000-000000000001', 'owner');
        insert into sessions (id, account_id, token_hash, expires_at)
            values ('018f0000-0000-7000-8000-000000000003', '018f0000-0000-7000-8000-000000000001', '\\x01', now() + interval '1 day');
        insert into invitations (org_id, id, email, role, invited_by, token_hash, expires_at)
            values ('018f0000-0000-7000-8000-000000000002', '018f0000-0000-7000-8000-000000000004', 'eve@example.org', 'member',
                    '018f0000-0000-7000-8000-000000000001', '\\x02', now() + interval '1 day');
        insert into mails (id, org_id, kind, due_at, next_at, expires_at)
            values ('018f0000-0000-7000-8000-000000000005', '018f0000-0000-7000-8000-000000000002', 'invitation', now(), now(), now());
        set role taskbell_owner";
    sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
    for migration in after {
        let ran = sqlx::raw_sql(migration.sql.clone()).execute(&mut connection).await;
        ran.unwrap_or_else(|fault| panic!("{} {}: {fault}", migration.version, migration.description));
    }
    sqlx::raw_sql("reset role").execute(&mut connection).await.unwrap();
    let kept: (bool, bool, i64) = sqlx::query_as(
        "select (select token_id = id from invitations), (select force_ from (select relforcerowsecurity as force_
                from pg_class where relname = 'invitations') f), (select count(*) from sessions where last_used_at <= now())",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(kept, (true, true, 1), "the token of an invitation that was mailed still counts");
    connection.close().await.unwrap();
}
