//! Plain connections of the application's roles: what row security shows, and lets be written, when nobody asks nicely. Every
//! table of the catalog, by its columns; a new one is covered without a word here.

mod attempts;
mod tables;

use harness::TestApp;
use sqlx::{AssertSqlSafe, PgConnection};

pub(crate) use attempts::attempt;
pub(crate) use tables::{Context, Limits, Table};

use crate::world::{World, run};

pub(crate) const ROLES: [&str; 2] = ["taskbell_app", "taskbell_worker"];

/// Every table with every context, as far as a role is concerned.
pub(crate) async fn plan(
    admin: &mut PgConnection,
    role: &'static str,
    contexts: &[Context],
) -> Vec<(Table, Vec<Limits>)> {
    let mut plan = Vec::new();
    for table in Table::all(admin, role).await {
        let mut limits = Vec::new();
        for context in contexts {
            limits.push(table.limits(admin, context).await);
        }
        plan.push((table, limits));
    }
    plan
}

/// References and triggers would speak before row security is done; alone, it must hold.
pub(crate) async fn silence(admin: &mut PgConnection) {
    let tables: Vec<String> =
        sqlx::query_scalar("select tab::text from furnish.tables() tab").fetch_all(&mut *admin).await.unwrap();
    for table in tables {
        run(admin, &format!("alter table {table} disable trigger all")).await;
    }
}

/// All violations on plain connections of both roles; each table must show something in some context, or nothing is shown.
async fn violations(world: &World, contexts: &[Context]) -> Vec<String> {
    let mut admin = world.database.connect().await;
    silence(&mut admin).await;
    let (mut found, mut attempts) = (Vec::new(), 0);
    for role in ROLES {
        let mut connection = world.database.connect_as(role).await;
        run(&mut connection, "begin").await;
        for (table, limits) in plan(&mut admin, role, contexts).await {
            let mut seen = 0;
            for limits in limits {
                let tried = attempt(&mut connection, &table, &limits, world).await;
                found.extend(tried.violations);
                attempts += tried.attempts;
                seen += tried.seen;
            }
            let readable = table.columns.iter().any(|column| column.select);
            assert!(
                seen > 0 || !readable || contexts.len() == 1,
                "{role} sees nothing of {}, in whatever context",
                table.name
            );
        }
    }
    println!("{attempts} attempts, {} violations", found.len());
    found
}

#[tokio::test]
async fn every_table_has_rows_of_both_tenants_and_a_canary_in_every_text_that_can_hold_one() {
    let world = World::furnish().await;
    let mut admin = world.database.connect().await;
    let tables: Vec<String> =
        sqlx::query_scalar("select tab::text from furnish.tables() tab").fetch_all(&mut admin).await.unwrap();
    for table in tables {
        let mut rows = Vec::new();
        for tenant in ["a", "b"] {
            let all = sqlx::query_scalar("select furnish.of_tenant($1, $2::regclass)");
            let of_tenant: String = all.bind(tenant).bind(&table).fetch_one(&mut admin).await.unwrap();
            let statement = format!("select t::text from {table} t where {of_tenant}");
            let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&mut admin).await.unwrap();
            assert!(!found.is_empty(), "{table} has no row of {tenant}");
            rows.push(found.concat());
        }
        assert!(!rows[0].contains("canary-b") && !rows[1].contains("canary-a"), "{table}");
    }
    // A text without a canary is one in which a check refuses it, or which means something (furnish/rest.sql).
    let texts: Vec<(String, String)> = sqlx::query_as(
        "select tab::text, attname::text from furnish.tables() tab join pg_attribute on attrelid = tab
         where attnum > 0 and not attisdropped and atttypid = 'text'::regtype and attgenerated = ''
           and attname !~ 'zone|offset|hash|secret'
           and not exists (select from pg_constraint where conrelid = tab and contype in ('c', 'f') and attnum = any (conkey))",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert!(!texts.is_empty());
    for (table, column) in texts {
        let statement = format!("select exists (select from {table} where \"{column}\" like '%canary-b%')");
        let planted: bool = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&mut admin).await.unwrap();
        assert!(planted, "{table}.{column}");
    }
}

#[tokio::test]
async fn a_plain_connection_of_the_api_sees_nobodys_rows() {
    let world = World::furnish().await;
    assert_eq!(violations(&world, &[Context::none()]).await, [] as [&str; 0]);
}

#[tokio::test]
async fn with_one_organizations_context_only_its_rows_are_seen_and_written() {
    let world = World::furnish().await;
    assert_eq!(violations(&world, &Context::all(&world)).await, [] as [&str; 0]);
}

/// A table that nobody has furnished or listed anywhere, but whose columns say whose its rows are.
const NOTES: &str = "
    create table notes (
        org_id     uuid not null,
        id         uuid not null,
        task_id    uuid not null,
        written_by uuid not null,
        tone       text not null,
        body       text not null,
        place      int generated always as identity,
        created_at timestamptz not null default now(),
        constraint notes_pkey primary key (org_id, id),
        constraint notes_task_fkey foreign key (org_id, task_id) references tasks (org_id, id),
        constraint notes_written_by_fkey foreign key (org_id, written_by) references memberships (org_id, account_id),
        constraint notes_tone_check check (tone in ('soft', 'loud')),
        constraint notes_body_check check (length(body) between 1 and 200)
    );
    grant select, insert, update, delete on notes to taskbell_app;
    grant select on notes to taskbell_worker;";

#[tokio::test]
async fn a_table_of_tomorrow_is_furnished_and_tried_without_a_word() {
    let policy = "alter table notes enable row level security;
        create policy tenant on notes to taskbell_app, taskbell_worker using (org_id = (select current_org()));";
    let world = World::furnish_after(&format!("{NOTES}{policy}")).await;
    assert_eq!(violations(&world, &Context::all(&world)).await, [] as [&str; 0]);
    // One for each kind of task, so that the matrix has a private one.
    assert!(world.find("a", "note", "private").is_some());

    let world = World::furnish_after(NOTES).await;
    let found = violations(&world, &[Context::none()]).await;
    let deeds = ["reads", "may add", "changes", "gives rows away", "deletes"];
    for deed in deeds.map(|deed| format!("taskbell_app without context {deed}")) {
        assert!(
            found.iter().any(|violation| violation.starts_with(&deed) && violation.ends_with(" notes")),
            "{found:?}"
        );
    }
    assert!(found.iter().all(|violation| violation.ends_with(" notes")), "{found:?}");
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
