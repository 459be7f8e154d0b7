//! Reminders follow what happens to their task: in the same transaction, and the answer tells it.

use common::ids::AccountId;
use harness::{Actor, Team, TestApp};
use serde_json::{Value, json};

use crate::people::{arrange, count};

const SOMETIME: &str = "2041-01-01T00:00:00Z";

fn offset(to: &str) -> Value {
    json!({ "when": { "offset": "-PT1H" }, "to": to })
}

fn fixed(to: &str) -> Value {
    json!({ "when": { "at": SOMETIME }, "to": to })
}

async fn make(team: &Team, project: &str, assignees: &[AccountId], reminders: Value) -> String {
    let new = json!({
        "project": project, "title": "Look", "assignees": assignees, "due": { "at": "2031-03-01T09:00:00Z" },
        "reminders": reminders,
    });
    team.owner.post("/tasks", new).await.is(201).text_at("/id")
}

/// What was owed for a task, in order: to whom, when, in which state and why.
async fn owed(app: &TestApp, task: &str) -> Vec<(AccountId, String, String, Option<String>)> {
    sqlx::query_as(
        r#"select d.account_id, to_char(d.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), m.state, d.reason
           from deliveries d join mails m on m.id = d.mail_id where d.task_id = $1::uuid order by d.generation, d.due_at, d.account_id"#,
    )
    .bind(task)
    .fetch_all(&app.admin)
    .await
    .unwrap()
}

/// The same, without the people.
async fn fates(app: &TestApp, task: &str) -> Vec<(String, String, String)> {
    let owed = owed(app, task).await;
    owed.into_iter().map(|(_, at, state, reason)| (at, state, reason.unwrap_or_default())).collect()
}

fn fate(at: &str, state: &str, reason: &str) -> (String, String, String) {
    (at.to_owned(), state.to_owned(), reason.to_owned())
}

async fn patch(actor: &Actor, task: &str, changes: Value) -> Value {
    actor.patch(&format!("/tasks/{task}"), changes).await.is(200).json()
}

#[tokio::test]
async fn another_due_value_moves_what_is_relative_to_it_and_nothing_else() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = make(&team, &project, &[team.member.id], json!([offset("assignees"), fixed("me")])).await;
    let changed = patch(&team.member, &task, json!({ "due": { "at": "2031-04-01T09:00:00Z" } })).await;
    assert_eq!(changed["reminders"].as_array().unwrap().len(), 1);
    assert_eq!(changed["reminders"][0]["plan"][0]["due_at"], "2031-04-01T08:00:00Z");
    let scheduled = |at| fate(at, "scheduled", "");
    let expected = [
        fate("2031-03-01T08:00:00Z", "cancelled", "due changed"),
        scheduled(SOMETIME),
        scheduled("2031-04-01T08:00:00Z"),
    ];
    assert_eq!(fates(&app, &task).await, expected);
    // What is past already is not owed, and the answer says so; without a due value nothing counts from it.
    let past = patch(&team.member, &task, json!({ "due": { "at": "2020-01-01T00:00:00Z" } })).await;
    assert_eq!(past["reminders"][0]["plan"][0]["skipped"], "already_past");
    let none = patch(&team.member, &task, json!({ "due": null })).await;
    assert_eq!(
        (&none["reminders"][0]["plan"][0]["skipped"], &none["reminders"][0]["plan"][0]["due_at"]),
        (&json!("no_due"), &json!(null))
    );
    let back = patch(&team.member, &task, json!({ "due": { "at": "2031-05-01T09:00:00Z" } })).await;
    let planned = back["reminders"][0]["plan"][0]["delivery_id"].as_str().unwrap();
    // The API tells the same as Postgres.
    let shown = team.member.get(&format!("/deliveries/{planned}")).await.is(200).json();
    assert_eq!((&shown["state"], &shown["due_at"]), (&json!("scheduled"), &json!("2031-05-01T08:00:00Z")));
    // A title moves nothing.
    let title = patch(&team.member, &task, json!({ "title": "Another" })).await;
    assert_eq!(title["reminders"], json!([]));
    assert_eq!(app.mail_states().await.iter().filter(|state| *state == "scheduled").count(), 2);
}

#[tokio::test]
async fn who_is_assigned_gets_reminded_and_who_is_not_any_more_does_not() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let reminders = json!([offset("assignees"), fixed("assignees"), fixed(&team.member.id.to_string())]);
    let task = make(&team, &project, &[team.member.id], reminders).await;
    let changed = patch(&team.owner, &task, json!({ "assignees": [team.admin.id, team.guest.id] })).await;
    let plan: Vec<_> =
        changed["reminders"].as_array().unwrap().iter().flat_map(|r| r["plan"].as_array().unwrap()).collect();
    assert_eq!(plan.len(), 4, "two reminders for two people: {changed}");
    assert!(plan.iter().all(|p| p["account_id"] != json!(team.member.id)));
    assert!(plan.iter().any(|p| p["account_id"] == json!(team.guest.id) && p["skipped"] == "cannot_see_the_project"));
    let owed = owed(&app, &task).await;
    let of = |id: AccountId| {
        owed.iter()
            .filter(|(who, ..)| *who == id)
            .map(|(_, _, state, why)| (state.as_str(), why.as_deref()))
            .collect::<Vec<_>>()
    };
    let of = |id| {
        let mut of = of(id);
        of.sort_unstable();
        of
    };
    // Their own reminder is theirs, assigned or not.
    assert_eq!(
        of(team.member.id),
        [("cancelled", Some("unassigned")), ("cancelled", Some("unassigned")), ("scheduled", None)]
    );
    assert_eq!(of(team.admin.id), [("scheduled", None), ("scheduled", None)]);
    // And once more: one reminder owes a person something in each generation.
    let _ = patch(&team.owner, &task, json!({ "assignees": [team.member.id] })).await;
    let again = patch(&team.owner, &task, json!({ "assignees": [team.member.id, team.admin.id] })).await;
    assert_eq!(again["reminders"][0]["plan"].as_array().unwrap().len(), 1);
    let live = format!("deliveries where cancelled_at is null and task_id = '{task}'");
    assert_eq!(count(&app, &live).await, 5);
    assert_eq!(count(&app, &format!("task_watches where state = 'watching' and task_id = '{task}'")).await, 3);
}

#[tokio::test]
async fn a_completed_task_owes_nothing_whatever_is_changed_and_an_open_one_owes_again() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = make(&team, &project, &[team.member.id], json!([offset("assignees"), fixed("me")])).await;
    let path = format!("/tasks/{task}/completion");
    let _ = team.owner.put(&path, json!(null)).await.is(200);
    let changes = json!({ "due": { "at": "2031-04-01T09:00:00Z" }, "assignees": [team.admin.id] });
    assert_eq!(patch(&team.owner, &task, changes).await["reminders"], json!([]));
    let cancelled = |at| fate(at, "cancelled", "task completed");
    assert_eq!(fates(&app, &task).await, [cancelled("2031-03-01T08:00:00Z"), cancelled(SOMETIME)]);
    let open = team.owner.delete(&path).await.is(200).json();
    assert_eq!(open["reminders"].as_array().unwrap().len(), 2);
    assert_eq!(
        fates(&app, &task).await[2..],
        [fate("2031-04-01T08:00:00Z", "scheduled", ""), fate(SOMETIME, "scheduled", "")]
    );
    assert_eq!(owed(&app, &task).await[2].0, team.admin.id);
}

#[tokio::test]
async fn who_has_muted_a_task_is_owed_nothing_by_a_change() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = make(&team, &project, &[team.member.id, team.admin.id], json!([offset("assignees")])).await;
    arrange(&app, &format!("update task_watches set state = 'muted' where account_id = '{}'", team.member.id)).await;
    let changed = patch(&team.owner, &task, json!({ "due": { "at": "2031-04-01T09:00:00Z" } })).await;
    let plan = changed["reminders"][0]["plan"].as_array().unwrap();
    let of = |id: AccountId| plan.iter().find(|p| p["account_id"] == json!(id)).unwrap();
    assert_eq!((&of(team.member.id)["skipped"], &of(team.admin.id)["skipped"]), (&json!("muted"), &json!(null)));
}

#[tokio::test]
async fn a_reminder_is_added_to_a_task_and_taken_away_again() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    let task = make(&team, &project, &[team.member.id], json!([])).await;
    let path = format!("/tasks/{task}/reminders");
    // Whoever sees a task may be reminded of it; to remind others is to write it.
    let own = team.guest.post(&path, offset("me")).await.is(201).json();
    assert_eq!(
        (&own["plan"][0]["account_id"], &own["plan"][0]["due_at"]),
        (&json!(team.guest.id), &json!("2031-03-01T08:00:00Z"))
    );
    let _ = team.guest.post(&path, fixed(&team.guest.id.to_string())).await.is(201);
    team.guest.post(&path, offset("assignees")).await.is_problem(403, "permission_missing");
    team.guest.post(&path, fixed(&team.owner.id.to_string())).await.is_problem(403, "permission_missing");
    let others = team.owner.post(&path, offset("assignees")).await.is(201).json();
    let listed = team.guest.get(&path).await.is(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["account_id"]), (&own["id"], &json!(team.guest.id)));
    assert_eq!(
        (&listed["data"][2]["account_id"], &listed["data"][2]["deliveries"][0]["state"]),
        (&json!(null), &json!("scheduled"))
    );
    let of = |reminder: &Value| format!("{path}/{}", reminder["id"].as_str().unwrap());
    team.guest.delete(&of(&others)).await.is_problem(403, "permission_missing");
    let _ = team.guest.delete(&of(&own)).await.is(204);
    team.guest.delete(&of(&own)).await.is_problem(404, "not_found");
    let _ = team.member.delete(&of(&others)).await.is(204);
    assert_eq!(team.guest.get(&path).await.is(200).json()["data"].as_array().unwrap().len(), 1);
    // What it owed is still told, with the reason.
    let log = team
        .guest
        .get(&format!("/deliveries/{}", own["plan"][0]["delivery_id"].as_str().unwrap()))
        .await
        .is(200)
        .json();
    assert_eq!((&log["state"], &log["reason"]), (&json!("cancelled"), &json!("reminder removed")));
    // It comes back by no change.
    let changed = patch(&team.owner, &task, json!({ "due": { "at": "2031-04-01T09:00:00Z" } })).await;
    assert_eq!(changed["reminders"], json!([]));
    let problem =
        team.owner.post(&path, json!({ "when": { "offset": "-P900D" }, "to": "us" })).await.is_problem(422, "invalid");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    let _ = patch(&team.owner, &task, json!({ "due": null })).await;
    let problem = team.owner.post(&path, offset("me")).await.is_problem(422, "invalid");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/when"), &json!("offset_without_due"))
    );
    let stranger = app.person("stranger").await;
    team.owner.post(&path, fixed(&stranger.id.to_string())).await.is_problem(409, "not_a_member");
}

#[tokio::test]
async fn a_task_has_so_many_reminders_and_no_more() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_REMINDERS", "2")]).await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = make(&team, &project, &[], json!([fixed("me")])).await;
    let path = format!("/tasks/{task}/reminders");
    // Both are let go when both wait: for this lock, or for each other.
    let mut held = app.admin.begin().await.unwrap();
    let row = sqlx::query("select from tasks where id = $1::text::uuid for no key update").bind(&task);
    row.execute(&mut *held).await.unwrap();
    let add = |person: Actor, path: String| tokio::spawn(async move { person.post(&path, fixed("me")).await });
    let both = [add(team.member.clone(), path.clone()), add(team.admin.clone(), path.clone())];
    harness::eventually("both wait", async || (app.waiting().await == 2).then_some(())).await;
    held.commit().await.unwrap();
    let mut statuses =
        futures::future::join_all(both).await.into_iter().map(|reply| reply.unwrap().status()).collect::<Vec<_>>();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let new = json!({ "project": project, "title": "Look", "reminders": [fixed("me"), fixed("me"), fixed("me")] });
    team.owner.post("/tasks", new).await.is_problem(409, "quota_reached");
}
