//! "Tell me again later": one's own reminders, put off.

use harness::{Actor, Team, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

const SOMETIME: &str = "2031-01-01T00:00:00Z";

/// A task of the member and the admin with a reminder in an hour; the task, and the member's delivery.
async fn reminded(team: &Team, project: &str) -> (String, String) {
    let when = in_seconds(3600);
    let new = json!({
        "project": project, "title": "Look", "assignees": [team.member.id, team.admin.id],
        "reminders": [{ "when": { "at": when }, "to": "assignees" }],
    });
    let task = team.owner.post("/tasks", new).await.is(201).json();
    let plan = task["reminders"][0]["plan"].as_array().unwrap();
    let own = plan.iter().find(|share| share["account_id"] == json!(team.member.id)).unwrap();
    (task["id"].as_str().unwrap().to_owned(), own["delivery_id"].as_str().unwrap().to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a test is a client: its clock is the wall's")]
fn in_seconds(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap()
}

async fn put_off(actor: &Actor, delivery: &str, body: Value) -> harness::Reply {
    actor.post(&format!("/deliveries/{delivery}/snooze"), body).await
}

/// What somebody is owed for a task: state, reason and when, newest first.
async fn owed(actor: &Actor, task: &str) -> Vec<(String, Option<String>, String)> {
    let list = actor.get(&format!("/deliveries?task={task}")).await.is(200).json();
    let mine = list["data"].as_array().unwrap().iter().filter(|delivery| delivery["account_id"] == json!(actor.id));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    mine.map(|d| (text(&d["state"]).unwrap(), text(&d["reason"]), text(&d["due_at"]).unwrap())).collect()
}

#[tokio::test]
async fn a_reminder_that_is_put_off_comes_then_to_whoever_put_it_off_and_to_others_as_before() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (task, delivery) = reminded(&team, &project).await;
    let (before, after) = (in_seconds(7200), in_seconds(7260));
    let plan = put_off(&team.member, &delivery, json!({ "for": "PT2H" })).await.is(201).json();
    let share = &plan["plan"][0];
    assert_eq!((&share["account_id"], plan["plan"].as_array().unwrap().len()), (&json!(team.member.id), 1));
    let at: jiff::Timestamp = share["due_at"].as_str().unwrap().parse().unwrap();
    assert!(before <= at && at < after, "{plan}");
    let states = owed(&team.member, &task).await;
    assert_eq!(
        states.iter().map(|(state, why, _)| (state.as_str(), why.as_deref())).collect::<Vec<_>>(),
        [("scheduled", None), ("cancelled", Some("snoozed"))]
    );
    assert_eq!(owed(&team.admin, &task).await[0].0, "scheduled");
    // Once more: the later one takes the place of the one before it, by whichever delivery.
    let _ = put_off(&team.member, &delivery, json!({ "until": { "at": in_seconds(86400) } })).await.is(201);
    let zoned = in_seconds(2_592_000).in_tz("Europe/Berlin").unwrap().with().nanosecond(0).build().unwrap();
    let until = json!({ "until": { "local": zoned.datetime(), "time_zone": "Europe/Berlin" } });
    let plan = put_off(&team.member, share["delivery_id"].as_str().unwrap(), until).await.is(201).json();
    assert_eq!(plan["plan"][0]["due_at"], json!(zoned.timestamp()));
    let states = owed(&team.member, &task).await;
    assert_eq!(states.iter().filter(|(state, ..)| state == "scheduled").count(), 1);
    assert_eq!((states.len(), states[0].2.clone()), (4, zoned.timestamp().to_string()));
    // It is a reminder like any other: seen in the list, and taken away.
    let reminders = team.member.get(&format!("/tasks/{task}/reminders")).await.is(200).json();
    assert_eq!(reminders["data"].as_array().unwrap().len(), 2);
    let id = plan["id"].as_str().unwrap();
    let _ = team.member.delete(&format!("/tasks/{task}/reminders/{id}")).await.is(204);
    assert_eq!(owed(&team.member, &task).await[0].1.as_deref(), Some("reminder removed"));
}

#[tokio::test]
async fn a_task_that_is_completed_or_deleted_is_not_put_off() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (task, delivery) = reminded(&team, &project).await;
    let _ = team.member.put(&format!("/tasks/{task}/completion"), json!(null)).await.is(200);
    put_off(&team.member, &delivery, json!({ "for": "PT2H" })).await.is_problem(409, "task_completed");
    let _ = team.member.delete(&format!("/tasks/{task}")).await.is(204);
    put_off(&team.member, &delivery, json!({ "for": "PT2H" })).await.is_problem(409, "task_deleted");
    // Whoever wants nothing of it gets nothing of it.
    let (task, delivery) = reminded(&team, &project).await;
    let _ = team.member.put(&format!("/tasks/{task}/mute"), json!(null)).await.is(200);
    put_off(&team.member, &delivery, json!({ "for": "PT2H" })).await.is_problem(409, "not_wanted");
    assert_eq!(owed(&team.member, &task).await.len(), 1);
    // At the same moment: one of the two comes first, and nothing is owed for a completed task.
    for _ in 0..10 {
        let (task, delivery) = reminded(&team, &project).await;
        let path = format!("/tasks/{task}/completion");
        let (snoozed, completed) = tokio::join!(
            put_off(&team.member, &delivery, json!({ "for": "PT2H" })),
            team.owner.put(&path, json!(null))
        );
        let _ = completed.is(200);
        assert!([201, 409].contains(&snoozed.status()), "{}", snoozed.text());
        assert!(owed(&team.member, &task).await.iter().all(|(state, ..)| state == "cancelled"));
    }
    let (_, delivery) = reminded(&team, &project).await;
    let _ = team.owner.put(&format!("/projects/{project}/archive"), json!(null)).await.is(200);
    put_off(&team.member, &delivery, json!({ "for": "PT2H" })).await.is_problem(409, "project_archived");
}

#[tokio::test]
async fn one_puts_off_ones_own_reminders_and_nothing_else() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (task, delivery) = reminded(&team, &project).await;
    // The admin sees it, and it is not theirs.
    let _ = team.admin.get(&format!("/deliveries/{delivery}")).await.is(200);
    put_off(&team.admin, &delivery, json!({ "for": "PT2H" })).await.is_problem(404, "not_found");
    team.guest
        .post(&format!("/deliveries/{delivery}/snooze"), json!({ "for": "PT2H" }))
        .await
        .is_problem(403, "permission_missing");
    let said = json!({ "body": format!("<@{}> look", team.member.id) });
    let _ = team.owner.post(&format!("/tasks/{task}/comments"), said).await.is(201);
    let list = team.member.get(&format!("/deliveries?task={task}")).await.is(200).json();
    let comment = list["data"].as_array().unwrap().iter().find(|d| d["kind"] == "comment").unwrap()["id"].clone();
    put_off(&team.member, comment.as_str().unwrap(), json!({ "for": "PT2H" })).await.is_problem(409, "not_a_reminder");
}

#[tokio::test]
async fn it_is_put_off_into_the_future_and_by_no_more_than_a_year() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (task, delivery) = reminded(&team, &project).await;
    for (body, pointer, code) in [
        (json!({ "for": "PT0S" }), "/for", "already_past"),
        (json!({ "for": "-P1D" }), "/for", "already_past"),
        (json!({ "for": "P366DT1H" }), "/for", "out_of_range"),
        (json!({ "for": "tomorrow" }), "/for", "not_a_duration"),
        (json!({ "until": { "at": "2020-01-01T00:00:00Z" } }), "/until", "already_past"),
        (json!({ "until": { "at": "2099-01-01T00:00:00Z" } }), "/until", "out_of_range"),
        (json!({ "until": { "local": "2099-01-01T09:00", "time_zone": "UTC" } }), "/until", "out_of_range"),
        (json!({ "until": { "offset": "P1D" } }), "/until", "one_form"),
        (json!({ "until": { "date": "2027-01-01" } }), "/until", "one_form"),
        (json!({ "until": { "local": "2027-01-01T09:00" } }), "/until", "local_needs_zone"),
        (json!({ "for": "PT1H", "until": { "at": "2027-01-01T00:00:00Z" } }), "", "one_form"),
        (json!({}), "", "one_form"),
    ] {
        let problem = put_off(&team.member, &delivery, body.clone()).await.is_problem(422, "invalid");
        let fault = &problem["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!(pointer), &json!(code)), "{body}: {problem}");
    }
    assert_eq!(
        owed(&team.member, &task).await.iter().map(|(state, ..)| state.as_str()).collect::<Vec<_>>(),
        ["scheduled"]
    );
}

#[tokio::test]
async fn no_quota_of_reminders_stands_in_the_way() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_REMINDERS", "2")]).await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (task, delivery) = reminded(&team, &project).await;
    let add = json!({ "when": { "at": SOMETIME }, "to": "me" });
    let path = format!("/tasks/{task}/reminders");
    let _ = put_off(&team.member, &delivery, json!({ "for": "P1D" })).await.is(201);
    // Nor does it stand in theirs.
    let _ = team.member.post(&path, add.clone()).await.is(201);
    team.member.post(&path, add).await.is_problem(409, "quota_reached");
    let _ = put_off(&team.member, &delivery, json!({ "for": "P1D" })).await.is(201);
}

#[tokio::test]
async fn what_an_assignee_put_off_comes_only_while_they_are_one() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (task, delivery) = reminded(&team, &project).await;
    let plan = put_off(&team.member, &delivery, json!({ "for": "PT2H" })).await.is(201).json();
    // Put off once more: it is still what was for the assignees.
    let again = plan["plan"][0]["delivery_id"].as_str().unwrap();
    let _ = put_off(&team.member, again, json!({ "for": "PT3H" })).await.is(201);
    let own = json!({ "when": { "at": SOMETIME }, "to": "me" });
    let _ = team.member.post(&format!("/tasks/{task}/reminders"), own).await.is(201);
    let path = format!("/tasks/{task}");
    let _ = team.owner.patch(&path, json!({ "assignees": [team.admin.id] })).await.is(200);
    let live = async || {
        let states = owed(&team.member, &task).await;
        let live = states.into_iter().filter(|(state, ..)| state == "scheduled");
        live.map(|(.., at)| at).collect::<Vec<_>>()
    };
    // Their own one is nobody else's business.
    assert_eq!(live().await, [SOMETIME]);
    let states = owed(&team.member, &task).await;
    assert_eq!(states.iter().filter(|(_, why, _)| why.as_deref() == Some("unassigned")).count(), 1, "{states:?}");
    // What slips through is asked again, and whoever is assigned again gets it again.
    let outlook = team.owner.get(&format!("{path}/reminder-plan")).await.is(200).json();
    let refused = outlook["data"].as_array().unwrap().iter().flat_map(|reminder| reminder["plan"].as_array().unwrap());
    let refused: Vec<_> = refused.filter(|share| share["account_id"] == json!(team.member.id)).collect();
    assert_eq!(refused.iter().filter(|share| share["skipped"] == "unassigned").count(), 1, "{outlook}");
    let _ = team.owner.patch(&path, json!({ "assignees": [team.admin.id, team.member.id] })).await.is(200);
    assert_eq!(live().await.len(), 3);
}

#[tokio::test]
async fn what_was_put_off_of_a_task_that_comes_round_goes_with_its_time() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({
        "project": project, "title": "Look", "assignees": [team.member.id], "due": { "date": "2031-05-01" },
        "recurrence": { "rule": "FREQ=DAILY", "from": "schedule" },
        "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }],
    });
    let made = team.owner.post("/tasks", new).await.is(201);
    let (tag, task) = (made.header("etag").unwrap().to_owned(), made.text_at("/id"));
    let delivery = made.json()["reminders"][0]["plan"][0]["delivery_id"].as_str().unwrap().to_owned();
    let _ = put_off(&team.member, &delivery, json!({ "for": "PT2H" })).await.is(201);
    let request = team.owner.bare(Method::PUT, &format!("/tasks/{task}/completion")).header("If-Match", tag);
    let done = team.owner.send(request, "PUT completion".into()).await.is(200).json();
    assert_eq!((&done["occurrence"], &done["status"]), (&json!(2), &json!("open")));
    let states = owed(&team.member, &task).await;
    let now: Vec<_> = states.iter().map(|(state, why, _)| (state.as_str(), why.as_deref())).collect();
    let expected = [("scheduled", None), ("cancelled", Some("task completed")), ("cancelled", Some("snoozed"))];
    assert_eq!(now, expected);
    assert_eq!(states[0].2, "2031-05-02T07:00:00Z");
    // It is gone: the task has the rule that it was made with.
    let reminders = team.member.get(&format!("/tasks/{task}/reminders")).await.is(200).json();
    assert_eq!(reminders["data"].as_array().unwrap().len(), 1);
}
