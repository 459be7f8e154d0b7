//! Everything that is kept of a person, for themselves.

use common::{
    access::Role,
    ids::MailId,
    mails::{self, Attempt, Outcome, Phase},
};
use harness::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{call, deeds, logged, personal_token};

fn list<'a>(export: &'a Value, what: &str) -> &'a Vec<Value> {
    export[what].as_array().unwrap_or_else(|| panic!("no {what} in {export}"))
}

/// One field of each.
fn each<'a>(export: &'a Value, what: &str, field: &str) -> Vec<&'a str> {
    list(export, what).iter().map(|item| item[field].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_export_holds_what_is_kept_of_a_person_and_no_secret() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ada = &team.member;
    app.give_password(ada).await;
    let program = personal_token(ada, &team.slug).await;
    let _ = ada.patch("/v1/me", json!({ "time_zone": "Europe/Vienna" })).await.is(200);
    let project = team.project("OPS", "open").await;
    let assigned = team.reminded_task(&project, "Assigned to her", 3600).await;
    let new = json!({ "project": project, "title": "Made by her" });
    let made = ada.post("/tasks", new).await.is(201).json();
    let _ = team.owner.post("/tasks", json!({ "project": project, "title": "Not hers" })).await.is(201);
    let gone =
        ada.post("/tasks", json!({ "project": project, "title": "Not hers any more" })).await.is(201).text_at("/id");
    let _ = ada.delete(&format!("/tasks/{gone}")).await.is(204);
    let _ = ada.post("/tasks/OPS-3/comments", json!({ "body": "Said by her" })).await.is(201);
    let _ = team.owner.post("/tasks/OPS-3/comments", json!({ "body": "Not hers either" })).await.is(201);
    let grant = format!("/projects/{project}/grants/{}", ada.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);

    let calendar = ada.post("/v1/me/calendar", json!(null)).await.is(201).text_at("/url");

    let reply = call(ada, Method::GET, "/v1/me/export", "export-1", Value::Null).await.is(200);
    assert_eq!(reply.header("content-disposition"), Some("attachment; filename=\"taskbell.json\""));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let export = reply.json();
    assert_eq!(
        (&export["account"]["email"], &export["account"]["time_zone"]),
        (&json!(ada.email), &json!("Europe/Vienna"))
    );
    assert_eq!(export["second_factor"]["enabled"], false);
    assert_eq!(list(&export, "sessions").len(), 1);
    assert_eq!(export["tokens"][0]["scopes"], json!(["members:list", "me:read"]));
    assert_eq!(each(&export, "memberships", "slug"), [&team.slug]);
    assert_eq!((&export["grants"][0]["key"], &export["grants"][0]["role"]), (&json!("OPS"), &json!("viewer")));
    assert_eq!(each(&export, "tasks", "id"), [assigned["id"].as_str().unwrap(), made["id"].as_str().unwrap()]);
    assert_eq!(each(&export, "tasks", "key"), ["OPS-1", "OPS-2"]);
    assert_eq!((&export["tasks"][0]["assigned"], &export["tasks"][0]["created"]), (&json!(true), &json!(false)));
    assert_eq!(each(&export, "reminders", "id"), [assigned["reminders"][0]["id"].as_str().unwrap()]);
    assert_eq!(
        (&export["deliveries"][0]["kind"], &export["deliveries"][0]["state"]),
        (&json!("reminder"), &json!("scheduled"))
    );
    assert_eq!(each(&export, "events", "action"), ["token.created", "account.updated", "calendar.linked"]);
    assert_eq!((&export["calendar"]["linked"], &export["calendar"]["last_used_at"]), (&json!(true), &json!(null)));
    assert!(!reply.text().contains(&calendar[calendar.len() - 47..calendar.len() - 4]));
    assert_eq!(each(&export, "comments", "body"), ["Said by her"]);
    assert_eq!(each(&export, "watches", "state"), ["watching", "watching"]);

    let _ = logged(&app, ada.id, "account.exported", "export-1").await;
    let secrets: Vec<String> = sqlx::query_scalar(
        "select password_hash from accounts where password_hash <> 'none'
         union select encode(token_hash, 'hex') from sessions union select encode(token_hash, 'hex') from tokens
         union select encode(token_hash, 'hex') from calendar_links",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert!(secrets.len() > 3);
    for secret in secrets {
        assert!(!reply.text().contains(&secret), "{secret}");
    }
    assert!(!reply.text().contains("Not hers"));
    program.get("/v1/me/export").await.is_problem(403, "session_needed");
}

#[tokio::test]
async fn an_export_shows_of_organizations_what_the_person_sees_there_today() {
    let app = TestApp::start().await;
    let (team, gone, doomed, own) = (app.team().await, app.team().await, app.team().await, app.team().await);
    let ada = &team.member;
    for (place, role, status) in
        [(&gone, Role::Admin, "removed"), (&doomed, Role::Admin, "active"), (&own, Role::Owner, "active")]
    {
        sqlx::query("insert into memberships (org_id, account_id, role, status) values ($1, $2, $3, $4)")
            .bind(place.id.0)
            .bind(ada.id.0)
            .bind(role.as_str())
            .bind(status)
            .execute(&app.admin)
            .await
            .unwrap();
    }
    let (open, private) = (team.project("OPS", "open").await, team.project("SEC", "private").await);
    let (left, closed) = (gone.project("OLD", "open").await, doomed.project("END", "open").await);
    let owned = own.project("OWN", "open").await;
    for (place, project) in [(&team, open), (&team, private), (&gone, left), (&doomed, closed), (&own, owned)] {
        // As if she had been assigned while she could see it.
        let task = json!({ "project": project, "title": "Hers once" });
        let task = place.owner.post("/tasks", task).await.is(201).text_at("/id");
        sqlx::query("insert into task_assignees (org_id, task_id, account_id) values ($1, $2::uuid, $3)")
            .bind(place.id.0)
            .bind(task)
            .bind(ada.id.0)
            .execute(&app.admin)
            .await
            .unwrap();
    }
    sqlx::query("update organizations set deletion_due_at = now() + interval '1 day' where id = any($1)")
        .bind([doomed.id.0, own.id.0])
        .execute(&app.admin)
        .await
        .unwrap();
    let export = ada.get("/v1/me/export").await.is(200);
    assert_eq!(each(&export.json(), "tasks", "key"), ["OPS-1"]);
    let export = export.json();
    let memberships = list(&export, "memberships");
    assert_eq!(memberships.len(), 4, "that she was a member is about her");
    for membership in memberships {
        let named = [json!(team.id), json!(own.id)].contains(&membership["org_id"]);
        assert_eq!(membership["slug"].is_string() && membership["name"].is_string(), named, "{membership}");
    }
}

#[tokio::test]
async fn nobody_elses_rows_are_in_an_export() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.team().await, app.team().await);
    for team in [&ours, &theirs] {
        let project = team.project("OPS", "open").await;
        team.reminded_task(&project, "A task", 3600).await;
        personal_token(&team.member, &team.slug).await;
    }
    let export = ours.member.get("/v1/me/export").await.is(200);
    for foreign in [&theirs.id.to_string(), &theirs.member.id.to_string(), &theirs.slug, &theirs.member.email] {
        assert!(!export.text().contains(foreign.as_str()), "{}", export.text());
    }
    for other in [&ours.owner, &ours.admin, &ours.guest] {
        assert!(!export.text().contains(&other.email), "{}", export.text());
    }
    assert_eq!(list(&export.json(), "deliveries").len(), 1);
    assert!(!deeds(&app, ours.owner.id).await.contains(&"account.exported".to_owned()));
}

#[tokio::test]
async fn an_export_calls_sent_what_was_cancelled_too_late() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Look", 3600).await;
    let mail: Uuid = sqlx::query_scalar("update mails set due_at = now(), next_at = now() returning id")
        .fetch_one(&app.admin)
        .await
        .unwrap();
    let (db, _) = app.worker_db().await;
    let claim = mails::claim(&db, MailId(mail), "hand").await.unwrap().unwrap();
    let scope = db.for_job(claim.org, claim.account).await.unwrap();
    let content = mails::content(scope, &claim).await.unwrap().unwrap();
    assert!(mails::mark_sending(&db, &claim, &content).await.unwrap());
    let done = format!("/tasks/{}/completion", task["id"].as_str().unwrap());
    let _ = team.member.put(&done, json!(null)).await.is(200);
    let attempt = Attempt { worker: "hand", phase: Phase::Done, reply: None };
    assert!(mails::finish(&db, &claim, &Outcome::Sent, &attempt).await.unwrap());
    let export = team.member.get("/v1/me/export").await.is(200).json();
    assert_eq!(export["deliveries"][0]["state"], "sent", "{export}");
}
