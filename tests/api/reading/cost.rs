//! What lists may cost: no look at a whole large table, whatever is asked for.

use harness::{Team, TestApp};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Tens of thousands of rows of everything that lists read, in twelve organizations of forty more people each. `TASKBELL_ROWS`
/// makes it more, for measuring (docs/performance.md).
fn load(rows: i64) -> String {
    format!(
        "set session_replication_role = replica;
         insert into accounts (id, email, name, password_hash, email_verified_at)
         select uuid_v7(), 'p' || n || '@crowd.example.org', 'One of many', 'none', now() from generate_series(1, 40) n;
         insert into organizations (id, slug, name) select uuid_v7(), 'crowd-' || n, 'Crowd' from generate_series(1, 10) n;
         insert into memberships (org_id, account_id, role)
         select o.id, a.id, case a.email when 'p1@crowd.example.org' then 'owner' else 'member' end
         from organizations o, accounts a where a.email like '%@crowd.example.org' and (o.slug like 'crowd-%' or a.email not like 'p1@%');
         insert into projects (org_id, id, key, name, visibility, created_by, task_count, last_number)
         select o.id, uuid_v7(), 'P' || n, 'Project', case when n = 9 then 'private' else 'open' end,
                (select m.account_id from memberships m where m.org_id = o.id and m.role = 'owner'), {rows} / 120, {rows} / 120
         from organizations o, generate_series(1, 10) n;
         insert into project_grants (org_id, project_id, account_id, role)
         select p.org_id, p.id, m.account_id, 'viewer' from projects p join memberships m on m.org_id = p.org_id
         where p.key = 'P9' and m.role = 'guest';
         insert into tasks (org_id, id, project_id, number, title, description, status, completed_at, completed_by, priority,
                            due_on, due_at, position, created_by, created_at, updated_at, changed_xid)
         select p.org_id, uuid_v7(), p.id, n, 'Task w' || n % 1000, 'w' || n % 7 || ' x' || n % 4000,
                case when n % 10 < 8 then 'completed' when n % 10 = 8 then 'open' else 'waiting' end,
                case when n % 10 < 8 then now() end, case when n % 10 < 8 then p.created_by end, n % 5,
                case when n % 4 = 0 then date '2026-01-01' + (n % 900)::int end,
                case when n % 4 = 1 then timestamptz '2026-01-01' + n % 900 * interval '1 day' end, n, p.created_by,
                now() - n * interval '1 minute', now() - n * interval '1 minute', 3 + n % 100
         from generate_series(1, {rows} / 120) n, projects p where p.key ~ '^P';
         insert into task_words select org_id, id, search_words(org_id, title || ' ' || description) from tasks
         on conflict do nothing;
         insert into task_assignees
         select t.org_id, t.id, m.account_id
         from tasks t join (select *, row_number() over (partition by org_id order by account_id) as seat from memberships) m
              on m.org_id = t.org_id and m.seat = 1 + t.number % 40;
         insert into labels (org_id, id, project_id, name) select org_id, uuid_v7(), id, 'Label ' || n
         from projects, generate_series(1, 5) n;
         insert into task_labels select t.org_id, t.project_id, t.id, l.id from tasks t
         join labels l on l.org_id = t.org_id and l.project_id = t.project_id and l.name = 'Label ' || t.number % 20;
         insert into mails (id, org_id, account_id, kind, state, sent_at, due_at, next_at, expires_at)
         select uuid_v7(), t.org_id, a.account_id, 'reminder', 'sent', now(), now(), now(), now() from tasks t join task_assignees a on a.task_id = t.id;
         insert into deliveries (id, org_id, account_id, mail_id, kind, task_id, reminder_id, due_at)
         select uuid_v7(), m.org_id, m.account_id, m.id, 'reminder', t.id, uuid_v7(), now()
         from mails m join lateral (select id from tasks t where t.org_id = m.org_id limit 1) t on true;
         insert into audit_events (id, org_id, action, actor_id)
         select uuid_v7(), o.id, 'member.left', null from organizations o, generate_series(1, {rows} / 2);
         insert into task_tombstones (org_id, project_id, task_id, changed_xid)
         select org_id, project_id, uuid_v7(), 3 + number % 100 from tasks where number % 5 = 0;
         set session_replication_role = origin;
         analyze;"
    )
}

const LISTS: [&str; 46] = [
    "/tasks",
    "/tasks?status=open",
    "/tasks?status=waiting&sort=due",
    "/tasks?completed=false",
    "/tasks?completed=true",
    "/tasks?sort=due",
    "/tasks?completed=false&sort=due",
    "/tasks?sort=-due",
    "/tasks?sort=-updated",
    "/tasks?sort=updated",
    "/tasks?sort=-priority",
    "/tasks?completed=false&sort=-priority,due",
    "/tasks?sort=title",
    "/tasks?sort=position",
    "/tasks?sort=number",
    "/tasks?sort=title,-updated",
    "/tasks?project=P3",
    "/tasks?project=P3&sort=position",
    "/tasks?project=P3,P4&sort=due&completed=false",
    "/tasks?project=P3&sort=-updated",
    "/tasks?assignee=me",
    "/tasks?assignee=me&completed=false&sort=due",
    "/tasks?assignee=none",
    "/tasks?label=label%203",
    "/tasks?label=label%203&completed=false&sort=due",
    "/tasks?priority=4",
    "/tasks?priority=3,4&completed=false&sort=due",
    "/tasks?overdue=true",
    "/tasks?overdue=true&assignee=me&sort=due",
    "/tasks?due_before=2026-02-01",
    "/tasks?due_after=2028-01-01",
    "/tasks?updated_since=2026-11-01T00:00:00Z",
    "/tasks?created_by=me",
    "/tasks?parent=P3-7",
    "/tasks?parent=none",
    "/tasks?deleted=true",
    "/tasks?q=w3",
    "/tasks?q=w3%20x17&sort=due",
    "/tasks?q=-w3",
    "/tasks?q=task",
    "/tasks?include=total",
    "/tasks?include=total&q=x12",
    "/tasks?expand=assignees,project,parent,created_by",
    "/tasks/changes",
    "/v1/me/tasks?sort=due",
    "/deliveries",
];

/// Who asks: of few projects, of many, of all.
fn people(team: &Team) -> [&harness::Actor; 4] {
    [&team.guest, &team.member, &team.admin, &team.owner]
}

async fn sequential(app: &TestApp) -> Vec<(String, i64)> {
    let large = "select relname::text, coalesce(seq_scan, 0) from pg_stat_user_tables
                 where relname = any(array['tasks', 'task_words', 'task_assignees', 'task_labels', 'mails', 'deliveries',
                                           'audit_events', 'comments', 'task_events', 'task_tombstones']) order by 1";
    sqlx::query_as(large).fetch_all(&app.admin).await.unwrap()
}

#[tokio::test]
async fn no_list_looks_at_a_whole_large_table() {
    let app = TestApp::start().await;
    let rows = harness::variable("TASKBELL_ROWS").map_or(40_000, |rows| rows.parse().unwrap());
    let (team, _) = (app.team().await, app.team().await);
    // A backend tells what it has done when it ends.
    let mut loader = PgConnection::connect(app.database_url.as_str()).await.unwrap();
    // Each by itself: whoever follows changes, in whatever database of the cluster, hears of them when all that began before is over.
    for statement in load(rows).split(";\n") {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut loader).await.unwrap();
    }
    let told = "select coalesce(n_tup_ins, 0) >= $1 from pg_stat_user_tables where relname = 'tasks'";
    loader.close().await.unwrap();
    harness::eventually("the loader has told what it did", async || {
        sqlx::query_scalar::<_, bool>(told).bind(rows / 2).fetch_one(&app.admin).await.unwrap().then_some(())
    })
    .await;
    let before = sequential(&app).await;
    for path in LISTS {
        for actor in people(&team) {
            let start = tokio::time::Instant::now();
            let reply = actor.get(path).await;
            if !(reply.status() == 403 && path == "/deliveries") {
                let reply = reply.is(200);
                if rows > 40_000 {
                    println!("{:>9.1?} {:>3} {path}", start.elapsed(), reply.json()["data"].as_array().unwrap().len());
                }
            }
        }
    }
    for path in ["/audit", "/audit?action=member.left&since=2026-01-01T00:00:00Z"] {
        let _ = team.owner.get(path).await.is(200);
    }
    app.lose_the_database().await;
    let walked = "select (select count(*) from pg_stat_activity where datname = current_database() and usename = 'taskbell_app') = 0
                     and coalesce((select idx_scan from pg_stat_user_tables where relname = 'tasks'), 0) > 100";
    harness::eventually("the backends have told what they did", async || {
        sqlx::query_scalar::<_, bool>(walked).fetch_one(&app.admin).await.unwrap().then_some(())
    })
    .await;
    assert_eq!(sequential(&app).await, before, "a whole table was looked at");
}
