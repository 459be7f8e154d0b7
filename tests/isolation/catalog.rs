//! Every table is classed here. A new one fails until somebody has thought about it.

use common::{
    access::{GrantRole, Role},
    db,
};
use harness::{Database, TestApp};
use sqlx::Connection;

use crate::expected::assert_committed;

/// `org_id` leads the primary key, and every unique key.
const TENANT: &[&str] = &[
    "comment_mentions",
    "comments",
    "invitations",
    "labels",
    "memberships",
    "notification_settings",
    "project_grants",
    "project_mutes",
    "projects",
    "reminders",
    "replans",
    "roles",
    "task_assignees",
    "task_events",
    "task_labels",
    "task_tombstones",
    "task_watches",
    "task_words",
    "tasks",
    "tokens",
];
/// May belong to an organization, to an account, or to both: keyed by id, and one of the two must be set.
const OWED: &[&str] = &["attempts", "audit_events", "deliveries", "idempotency_keys", "mail_steps", "mails"];
/// The tenant itself, and what belongs to a person.
const GLOBAL: &[&str] = &[
    "accounts",
    "calendar_links",
    "email_changes",
    "former_slugs",
    "organizations",
    "password_resets",
    "second_factors",
    "sessions",
    "throttles",
    "verifications",
];
/// Holds nobody's rows.
pub(crate) const NOBODYS: &[&str] = &["_sqlx_migrations", "timetable"];
/// The worker's role sees everybody's: it sends for all.
pub(crate) const SENT: &[&str] = &["attempts", "deliveries", "mail_steps", "mails"];
/// A person's own in an organization, which they may write without entering it: references to memberships keep strangers out.
pub(crate) const HELD: &[&str] = &["tokens"];
/// What happened, for good: the application's roles may read it and add to it, no more.
const APPEND_ONLY: &[&str] = &["attempts", "audit_events", "mail_steps", "task_events"];

#[tokio::test]
async fn every_table_is_classed_and_its_row_security_is_forced() {
    let app = TestApp::start().await;
    let tables: Vec<(String, bool, bool)> = sqlx::query_as(
        "select relname::text, relrowsecurity, relforcerowsecurity from pg_class
         where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace order by 1",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let mut classed: Vec<&str> = [TENANT, OWED, GLOBAL, NOBODYS].concat();
    classed.sort_unstable();
    assert_eq!(tables.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), classed);
    for (name, enabled, forced) in tables {
        let expected = !NOBODYS.contains(&name.as_str());
        assert_eq!((enabled, forced), (expected, expected), "{name}");
    }
}

#[tokio::test]
async fn every_key_of_a_tenant_table_begins_with_its_organization() {
    let app = TestApp::start().await;
    let keys: Vec<(String, String, String)> = sqlx::query_as(
        "select i.indrelid::regclass::text, i.indexrelid::regclass::text, a.attname::text
         from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
         where i.indisunique and i.indrelid::regclass::text = any($1)",
    )
    .bind(TENANT)
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert!(keys.len() >= TENANT.len());
    for (table, key, first) in keys {
        // A random hash of 256 bits tells nothing of other tenants.
        if !key.ends_with("_token_hash_key") {
            assert_eq!(first, "org_id", "{key} of {table}");
        }
    }
    // And so does every reference from one tenant table to another: foreign keys do not obey row security.
    let references: Vec<(String, String, i32)> = sqlx::query_as(
        "select c.conname::text, a.attname::text, cardinality(c.conkey)
         from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
         where c.contype = 'f' and c.conrelid::regclass::text = any($1) and c.confrelid::regclass::text = any($1)",
    )
    .bind(TENANT)
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert!(!references.is_empty());
    for (name, first, columns) in references {
        assert!(first == "org_id" && columns > 1, "{name}");
    }
    // People are referred to through their memberships, or a stranger could be assigned, granted, reminded.
    let past_memberships: Vec<String> = sqlx::query_scalar(
        "select conname::text from pg_constraint where contype = 'f' and conrelid::regclass::text = any($1)
           and confrelid = 'accounts'::regclass and conname <> 'memberships_account_fkey'",
    )
    .bind(TENANT)
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert_eq!(past_memberships, [] as [&str; 0]);
}

/// What is deleted asks each table that refers to it, row by row: without an index a project of 100,000 tasks would never go.
/// Members, accounts and organizations are not among it: their rows stay, or go last (docs/adr/0010, 0014).
#[tokio::test]
async fn what_a_deletion_asks_for_has_an_index() {
    let app = TestApp::start().await;
    let slow: Vec<String> = sqlx::query_scalar(
        // The last column is what tells rows apart; the organization and the project stand before it.
        "select c.conname::text from pg_constraint c
         where c.contype = 'f' and c.connamespace = 'public'::regnamespace
           and c.confrelid::regclass::text in ('projects', 'tasks', 'labels', 'comments', 'reminders', 'mails')
           and not exists (
               select from pg_index i, cardinality(c.conkey) columns
               where i.indrelid = c.conrelid
                 and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
                 and case c.conkey[columns]
                         when i.indkey[0] then true
                         when i.indkey[1] then i.indkey[0] = any (c.conkey)
                         when i.indkey[2] then i.indkey[0] = any (c.conkey) and i.indkey[1] = any (c.conkey)
                         else false end)",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert_eq!(slow, [] as [&str; 0]);
}

#[tokio::test]
async fn the_application_owns_nothing_and_is_bound_by_row_security() {
    let app = TestApp::start().await;
    let roles: Vec<(String, bool, bool, bool, bool, i64)> = sqlx::query_as(
        "select r.rolname::text, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb,
                (select count(*) from pg_class c where c.relowner = r.oid)
                + (select count(*) from pg_proc p where p.proowner = r.oid)
         from pg_roles r where r.rolname in ('taskbell_app', 'taskbell_worker') order by 1",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert_eq!(roles.len(), 2);
    for (name, superuser, bypass, roles, databases, owned) in roles {
        assert_eq!((superuser, bypass, roles, databases, owned), (false, false, false, false, 0), "{name}");
    }
}

#[tokio::test]
async fn definer_functions_are_the_named_list_with_a_pinned_search_path() {
    let app = TestApp::start().await;
    let functions: Vec<(String, String, bool)> = sqlx::query_as(
        "select p.proname::text, p.proowner::regrole::text, coalesce(array_to_string(p.proconfig, ',') like 'search_path=%', false)
         from pg_proc p where p.prosecdef and p.pronamespace = 'public'::regnamespace order by 1",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let names: Vec<&str> = functions.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "accept_invitation",
            "admin_deliveries",
            "admin_delivery",
            "admin_hold",
            "admin_lateness",
            "admin_release",
            "admin_retry",
            "admin_waiting",
            "ask_replans",
            "begin_account",
            "begin_calendar",
            "begin_joining",
            "begin_link",
            "begin_mail",
            "begin_mailbox",
            "begin_offer",
            "begin_request",
            "begin_session",
            "begin_sign_up",
            "calendar_tasks",
            "change_email",
            "credential_of",
            "deletion_plan",
            "digests_due",
            "end_calendar",
            "end_membership",
            "enter_mine",
            "erase_account",
            "erase_organization",
            "erase_project",
            "forget_answers",
            "forget_erased",
            "forget_tries",
            "forgive",
            "found_organization",
            "held_in",
            "is_expected",
            "my_organizations",
            "my_tasks",
            "note_change",
            "note_refusals",
            "password_of",
            "personal_export",
            "personal_wishes",
            "purge",
            "purge_tasks",
            "replan_returned",
            "replans_waiting",
            "require_active_owner",
            "sign_in_claims",
            "slug_is_free",
            "stamp_uses",
            "take_due",
            "take_replan",
            "take_turns",
            "tasks_with",
            "throttle",
            "why_not_owed",
        ]
    );
    for (name, owner, pinned) in functions {
        assert_eq!((owner.as_str(), pinned), ("taskbell_auth", true), "{name}");
    }
}

#[tokio::test]
async fn nothing_is_granted_to_everybody() {
    let app = TestApp::start().await;
    let open: Vec<String> = sqlx::query_scalar(
        "select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
           and has_function_privilege('public', p.oid, 'execute')",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert_eq!(open, [] as [&str; 0]);
}

#[tokio::test]
async fn the_database_and_the_code_grant_the_same_permissions() {
    let app = TestApp::start().await;
    for role in Role::ALL {
        let bits: i64 =
            sqlx::query_scalar("select role_permissions($1)").bind(role.as_str()).fetch_one(&app.admin).await.unwrap();
        assert_eq!(bits, role.permissions(), "{role:?}");
    }
    for role in GrantRole::ALL {
        let bits: i64 =
            sqlx::query_scalar("select grant_permissions($1)").bind(role.as_str()).fetch_one(&app.admin).await.unwrap();
        assert_eq!(bits, role.permissions(), "{role:?}");
    }
}

#[tokio::test]
async fn a_role_that_inherits_power_is_refused_like_one_that_has_it() {
    let app = TestApp::start().await;
    let role = format!("deploy_{}", uuid::Uuid::now_v7().simple());
    let make = format!("create role {role} login; grant taskbell_owner, taskbell_app to {role}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&app.admin).await.unwrap();
    for (role, refused) in [(role.as_str(), true), ("taskbell_app", false), ("taskbell_worker", false)] {
        let pool = sqlx::PgPool::connect(db::url_as(&app.database_url, role, None).as_str()).await.unwrap();
        assert_eq!(db::refuse_powerful_role(&pool).await.is_err(), refused, "{role}");
        pool.close().await;
    }
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("drop role {role}"))).execute(&app.admin).await.unwrap();
}

/// The text of a catalog, one line for each row.
async fn listed(statement: &'static str) -> String {
    let mut admin = Database::new().await.connect().await;
    let mut lines: Vec<String> = sqlx::query_scalar(statement).fetch_all(&mut admin).await.unwrap();
    admin.close().await.unwrap();
    lines.sort_unstable();
    // Postgres breaks long predicates into lines.
    lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[tokio::test]
async fn each_policy_says_what_was_reviewed() {
    let policies = listed(
        "select format('%s.%s %s (%s, %s, for %s)%s%s', schemaname, tablename, policyname, lower(permissive), cmd,
                       array_to_string(roles, ' and '), ' using ' || qual, ' with check ' || with_check)
         from pg_policies",
    );
    assert_committed("policies.expected", &policies.await);
}

#[tokio::test]
async fn each_grant_is_one_that_was_reviewed() {
    // Who: relation, column, function, schema: may do what. Owners' own rights are left out.
    let grants = listed(
        "with granted as (
             select acl.grantee, format('%s %s', case c.relkind when 'S' then 'sequence' else 'table' end, c.relname) as what,
                    acl.privilege_type as may, c.relowner as owner
             from pg_class c, aclexplode(c.relacl) acl where c.relnamespace = 'public'::regnamespace
             union all
             select acl.grantee, format('table %s', c.relname), format('%s(%s)', acl.privilege_type, a.attname), c.relowner
             from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) acl
             where c.relnamespace = 'public'::regnamespace
             union all
             select acl.grantee, format('function %s', p.oid::regprocedure), acl.privilege_type, p.proowner
             from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) acl
             where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype
             union all
             select acl.grantee, format('schema %s', n.nspname), acl.privilege_type, n.nspowner
             from pg_namespace n, aclexplode(n.nspacl) acl where n.nspname = 'public'
         )
         select format('%s %s: %s', case grantee when 0 then 'everybody' else grantee::regrole::text end, what,
                       string_agg(lower(may), ' ' order by may))
         from granted where grantee <> owner group by grantee, what",
    );
    assert_committed("grants.expected", &grants.await);
}

#[tokio::test]
async fn what_is_append_only_can_be_read_and_added_to_and_no_more() {
    let app = TestApp::start().await;
    for table in APPEND_ONLY {
        let more: Vec<String> = sqlx::query_scalar(
            "select format('%s may %s', role, may)
             from unnest(array['taskbell_app', 'taskbell_worker']) role,
                  unnest(array['update', 'delete', 'truncate', 'references', 'trigger']) may
             where case when may in ('update', 'references') then has_any_column_privilege(role, $1::regclass, may)
                        else has_table_privilege(role, $1::regclass, may) end",
        )
        .bind(table)
        .fetch_all(&app.admin)
        .await
        .unwrap();
        assert_eq!(more, [] as [&str; 0], "{table}");
    }
}
