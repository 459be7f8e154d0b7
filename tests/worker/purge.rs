//! What is due to disappear: organizations, accounts and sign-ups whose time has come. Time passes by moving rows.

use common::{
    access::Role,
    purge::{Purged, purge},
};
use harness::{Actor, PASSWORD, Team, TestApp, eventually};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

async fn arrange(app: &TestApp, statement: &str) {
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&app.admin).await.unwrap();
}

async fn count(app: &TestApp, what: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {what}"))).fetch_one(&app.admin).await.unwrap()
}

/// Somebody's account is due.
async fn due(app: &TestApp, person: &Actor) {
    arrange(app, &format!("update accounts set deletion_due_at = now() where id = '{}'", person.id)).await;
}

async fn round(app: &TestApp) -> Purged {
    let (db, _) = app.worker_db().await;
    purge(&db).await.unwrap()
}

/// A team with something in every table of its own.
async fn furnished(app: &TestApp) -> (Team, String) {
    let team = app.team().await;
    let project = team.project("OPS", "private").await;
    let grant = format!("/projects/{project}/grants/{}", team.member.id);
    let _ = team.owner.put(&grant, json!({ "role": "manager" })).await.is(200);
    let task = team.reminded_task(&project, "To do", 3600).await;
    let id = task["id"].as_str().unwrap().to_owned();
    let _ = team.owner.post(&format!("/projects/{project}/labels"), json!({ "name": "urgent" })).await.is(201);
    let _ = team.owner.patch(&format!("/tasks/{id}"), json!({ "labels": ["urgent"] })).await.is(200);
    let said = json!({ "body": format!("Well, <@{}>?", team.member.id) });
    let _ = team.owner.post(&format!("/tasks/{id}/comments"), said).await.is(201);
    // One that has gone elsewhere.
    let moved = json!({ "project": project, "title": "Elsewhere" });
    let moved = team.owner.post("/tasks", moved).await.is(201).text_at("/id");
    let elsewhere = team.project("ELSE", "open").await;
    let _ = team.owner.patch(&format!("/tasks/{moved}"), json!({ "project": elsewhere })).await.is(200);
    let role = json!({ "key": "night", "name": "Night shift", "permissions": ["tasks:read"] });
    let _ = team.owner.post_once("a-key", "/roles", role).await.is(201);
    let _ = team.owner.put(&format!("/members/{}/role", team.guest.id), json!({ "role": "night" })).await.is(200);
    let _ = team.owner.post("/invitations", json!({ "email": "eve@example.org", "role": "night" })).await.is(201);
    for table in ["notification_settings (org_id, account_id)", "replans (org_id, account_id)"] {
        arrange(app, &format!("insert into {table} values ('{}', '{}')", team.id, team.owner.id)).await;
    }
    let muted = format!("('{}', '{elsewhere}', '{}')", team.id, team.owner.id);
    arrange(app, &format!("insert into project_mutes (org_id, project_id, account_id) values {muted}")).await;
    let token = json!({ "name": "x", "org": team.slug, "scopes": ["tasks:read"] });
    let _ = team.owner.post("/v1/me/tokens", token).await.is(201);
    let slug = format!("{}-b", team.slug);
    let _ = team.owner.patch("", json!({ "slug": slug })).await.is(200);
    (Team { owner: team.owner.within(&slug), slug, ..team }, id)
}

/// The rows of an organization, table by table.
async fn rows_of(app: &TestApp, team: &Team) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns
         where table_schema = 'public' and column_name = 'org_id' order by 1",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        rows.push((table.clone(), count(app, &format!("{table} where org_id = '{}'", team.id)).await));
    }
    rows.push(("organizations".to_owned(), count(app, &format!("organizations where id = '{}'", team.id)).await));
    rows
}

#[tokio::test]
async fn an_organization_that_is_due_is_gone_with_everything_in_it() {
    let app = TestApp::start().await;
    let ((gone, _), (stays, _)) = (furnished(&app).await, furnished(&app).await);
    let before = rows_of(&app, &gone).await;
    let untouched = ["attempts", "mail_steps"];
    for (table, rows) in &before {
        assert!(*rows > 0 || untouched.contains(&table.as_str()), "{table}: the test would see nothing anyway");
    }
    let kept = rows_of(&app, &stays).await;
    arrange(
        &app,
        &format!("update organizations set deletion_due_at = now() - interval '1 second' where id = '{}'", gone.id),
    )
    .await;
    arrange(
        &app,
        &format!("update organizations set deletion_due_at = now() + interval '1 hour' where id = '{}'", stays.id),
    )
    .await;
    assert_eq!(round(&app).await, Purged { organizations: 1, ..Purged::default() });
    for (table, rows) in rows_of(&app, &gone).await {
        assert_eq!(rows, 0, "{table}");
    }
    assert_eq!(rows_of(&app, &stays).await, kept);
    assert_eq!(round(&app).await, Purged::default());
}

#[tokio::test]
async fn an_account_that_is_due_leaves_its_organizations_and_is_emptied() {
    let app = TestApp::start().await;
    let (team, task) = furnished(&app).await;
    let ada = &team.member;
    app.give_password(ada).await;
    let _ = ada.patch("/v1/me", json!({ "time_zone": "Europe/Vienna", "locale": "de" })).await.is(200);
    let _ = app.stranger().post("/v1/password-resets", json!({ "email": ada.email })).await.is(202);
    // How she had come in, and two mails that name her.
    arrange(&app, &format!("update invitations set email = '{}', accepted_at = now()", ada.email)).await;
    let project = team.project("DEV", "open").await;
    team.reminded_task(&project, "Done by then", 1).await;
    let worker = app.work();
    eventually("two mails to her are sent", async || {
        let sent = format!("mails where state = 'sent' and content->>'to' = '{}'", ada.email);
        (count(&app, &sent).await == 2).then_some(())
    })
    .await;
    worker.stop().await;
    due(&app, ada).await;
    assert_eq!(round(&app).await, Purged { accounts: 1, ..Purged::default() });

    ada.get("/v1/me").await.is_problem(401, "unauthenticated");
    let (email, name): (String, String) = sqlx::query_as(
        "select email, name from accounts where id = $1 and password_hash is null and email_verified_at is null
           and time_zone is null and locale is null and deletion_due_at is null and deleted_at is not null",
    )
    .bind(ada.id.0)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert_eq!((email, name.as_str()), (format!("{}@deleted.invalid", ada.id), "Deleted account"));
    let everything = everything(&app).await;
    let named: Vec<&String> = everything.iter().filter(|row| row.contains(&ada.email)).collect();
    assert!(named.is_empty(), "{named:?}");

    // Her part in the organization is over; what she wrote, and that she left, stays.
    let members = team.owner.get("/members").await.is(200).text().to_owned();
    assert!(!members.contains(&ada.id.to_string()), "{members}");
    let task = team.owner.get(&format!("/tasks/{task}")).await.is(200).json();
    assert_eq!(task["assignees"], json!([]));
    let reasons: Vec<String> =
        sqlx::query_scalar("select reason from deliveries where account_id = $1 and cancelled_at is not null")
            .bind(ada.id.0)
            .fetch_all(&app.admin)
            .await
            .unwrap();
    assert_eq!(reasons, ["account deleted"; 2], "what she was owed is not sent, and the organization knows why");
    let left = team.owner.get("/audit?action=member.left").await.is(200).json();
    assert_eq!(
        (&left["data"][0]["actor_id"], &left["data"][0]["actor_name"]),
        (&json!(ada.id), &json!("Deleted account"))
    );
    assert_eq!(log(&app, ada.id.0).await, ["account.deleted"]);
}

#[tokio::test]
async fn the_owners_inherit_projects_that_lose_their_last_manager() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let other = app.join(&team, "other", Role::Owner).await;
    let ada = team.member.within(&team.slug);
    let mut projects = Vec::new();
    for (key, also) in [("OPS", None), ("DEV", Some(&team.admin))] {
        let new = json!({ "key": key, "name": "A project", "visibility": "private" });
        let project = ada.post("/projects", new).await.is(201).text_at("/id");
        if let Some(also) = also {
            let grant = format!("/projects/{project}/grants/{}", also.id);
            let _ = ada.put(&grant, json!({ "role": "manager" })).await.is(200);
        }
        projects.push(project);
    }
    due(&app, &ada).await;
    assert_eq!(round(&app).await.accounts, 1);
    for owner in [&team.owner, &other] {
        let _ = owner.get(&format!("/projects/{}", projects[0])).await.is(200);
        owner.get(&format!("/projects/{}", projects[1])).await.is_problem(404, "not_found");
    }
    let events = team.owner.get("/audit?action=project.inherited").await.is(200).json();
    assert_eq!(events["data"].as_array().unwrap().len(), 1, "{events}");
    assert_eq!(events["data"][0]["subject_id"], json!(projects[0]));
    assert_eq!(events["data"][0]["actor_id"], Value::Null, "it was nobody's deed");
}

#[tokio::test]
async fn an_address_that_is_free_again_can_sign_up_again() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    due(&app, &ada).await;
    assert_eq!(round(&app).await.accounts, 1);
    let new = json!({ "email": ada.email, "name": "Ada", "password": PASSWORD });
    let _ = app.stranger().post("/v1/accounts", new).await.is(202);
    let row: Uuid = sqlx::query_scalar("select id from verifications").fetch_one(&app.admin).await.unwrap();
    let token = app.key.mailed_token(common::secrets::Purpose::Verification, row).reveal();
    let account = app.stranger().post("/v1/verifications", json!({ "token": token })).await.is(200);
    assert_ne!(account.text_at("/id"), ada.id.to_string(), "another person, as far as anybody knows");
    assert_eq!(app.sign_in(&ada.email, PASSWORD).await.status(), 201);
}

#[tokio::test]
async fn whoever_has_become_the_last_owner_meanwhile_waits_until_they_are_not() {
    let app = TestApp::start().await;
    let team = app.team().await;
    due(&app, &team.owner).await;
    assert_eq!(round(&app).await, Purged::default());
    let _ = team.owner.get("/members").await.is(200);
    let role = format!("/members/{}/role", team.admin.id);
    let _ = team.owner.put(&role, json!({ "role": "owner" })).await.is(200);
    assert_eq!(round(&app).await.accounts, 1);
    let _ = team.admin.get("/audit").await.is(200);
}

#[tokio::test]
async fn an_organization_goes_with_its_last_member() {
    let app = TestApp::start().await;
    let (team, _) = furnished(&app).await;
    for member in [&team.admin, &team.member, &team.guest] {
        let _ = team.owner.delete(&format!("/members/{}", member.id)).await.is(204);
    }
    due(&app, &team.owner).await;
    assert_eq!(round(&app).await, Purged { organizations: 1, accounts: 1, ..Purged::default() });
    for (table, rows) in rows_of(&app, &team).await {
        assert_eq!(rows, 0, "{table}");
    }
}

#[tokio::test]
async fn sign_ups_that_nobody_confirmed_for_a_week_are_gone() {
    let app = TestApp::start().await;
    for email in ["old@example.org", "renewed@example.org", "young@example.org"] {
        let new = json!({ "email": email, "name": "Somebody", "password": PASSWORD });
        let _ = app.stranger().post("/v1/accounts", new).await.is(202);
    }
    app.person("known").await;
    let week = "update accounts set created_at = now() - interval '8 days' where email not like 'young%'";
    arrange(&app, week).await;
    arrange(&app, "update verifications set expires_at = now() - interval '7 days'").await;
    let _ = app.stranger().post("/v1/verifications/resends", json!({ "email": "renewed@example.org" })).await.is(202);
    assert_eq!(round(&app).await, Purged { sign_ups: 1, ..Purged::default() });
    let left: Vec<String> =
        sqlx::query_scalar("select split_part(email, '@', 1) from accounts where email_verified_at is null order by 1")
            .fetch_all(&app.admin)
            .await
            .unwrap();
    assert_eq!(left, ["renewed", "young"]);
    assert_eq!(count(&app, "accounts").await, 3);
    assert_eq!(count(&app, "mails").await, 3, "what was owed to it went along");
}

#[tokio::test]
async fn two_purges_at_once_do_it_once() {
    let app = TestApp::start().await;
    let (doomed, _) = furnished(&app).await;
    let (team, _) = furnished(&app).await;
    arrange(&app, &format!("update organizations set deletion_due_at = now() where id = '{}'", doomed.id)).await;
    due(&app, &team.member).await;
    // Its row is held by somebody else, so that both rounds stand in the middle of their work when it is let go.
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("select id from organizations where id = $1 for update")
        .bind(team.id.0)
        .fetch_one(&mut *held)
        .await
        .unwrap();
    let let_go = async {
        eventually("one waits and the other has passed by", async || {
            let waiting: i64 = sqlx::query_scalar(
                "select count(*) from pg_stat_activity where datname = current_database() and usename = 'taskbell_worker'
                   and wait_event_type = 'Lock'",
            )
            .fetch_one(&app.admin)
            .await
            .unwrap();
            (waiting == 1).then_some(())
        })
        .await;
        let other = round(&app).await;
        held.rollback().await.unwrap();
        other
    };
    let (one, other) = tokio::join!(round(&app), let_go);
    assert_eq!((one.organizations + other.organizations, one.accounts + other.accounts), (1, 1), "{one:?} {other:?}");
    assert_eq!(other, Purged::default(), "it takes nothing that another has in hand, and does not wait for it");
    assert_eq!(log(&app, team.member.id.0).await, ["account.deleted"]);
    let left = team.owner.get("/audit?action=member.left").await.is(200).json();
    assert_eq!(left["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_worker_purges_by_itself() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    due(&app, &ada).await;
    let worker = app.work();
    eventually("the account is gone", async || {
        (count(&app, "accounts where deleted_at is not null").await == 1).then_some(())
    })
    .await;
    worker.stop().await;
}

async fn log(app: &TestApp, account: Uuid) -> Vec<String> {
    sqlx::query_scalar("select action from audit_events where account_id = $1 order by id")
        .bind(account)
        .fetch_all(&app.admin)
        .await
        .unwrap()
}

/// Every row of every table, as text.
async fn everything(app: &TestApp) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
        .fetch_all(&app.admin)
        .await
        .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let statement = format!("select '{table} ' || t::text from \"{table}\" t");
        let of_table: Vec<String> = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&app.admin).await.unwrap();
        rows.extend(of_table);
    }
    rows
}
