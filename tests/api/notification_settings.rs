//! What somebody wants to hear, and when: it counts at once, for what is owed already too.

use harness::{Actor, Team, TestApp};
use serde_json::{Value, json};

use crate::people::{arrange, count};

const SETTINGS: &str = "/notification-settings";

async fn make(team: &Team, project: &str, due: Value, reminders: Value) -> Value {
    let new = json!({ "project": project, "title": "Look", "assignees": [team.member.id], "due": due, "reminders": reminders });
    team.owner.post("/tasks", new).await.is(201).json()
}

/// The share of the only person of a task's only reminder.
fn share(task: &Value) -> Value {
    task["reminders"][0]["plan"][0].clone()
}

async fn set(actor: &Actor, changes: Value) -> Value {
    actor.patch(SETTINGS, changes).await.is(200).json()
}

fn assignees(offset: &str) -> Value {
    json!([{ "when": { "offset": offset }, "to": "assignees" }])
}

/// What has become of everything that is owed, in order.
async fn fates(app: &TestApp) -> Vec<(String, Option<String>)> {
    sqlx::query_as(
        "select case when d.cancelled_at is null then m.state else 'cancelled' end, d.reason
         from deliveries d join mails m on m.id = d.mail_id order by d.id",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap()
}

#[tokio::test]
async fn settings_are_everybodys_own_and_are_as_usual_before_they_are_changed() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let usual = json!({
        "reminder_hour": "09:00", "quiet_hours": null, "days_off": [], "reminders": true, "comments": true, "digest": null,
        "default_reminders": null, "version": 0,
    });
    let reply = team.guest.get(SETTINGS).await.is(200);
    assert_eq!(reply.json(), usual);
    let tag = reply.header("etag").unwrap().to_owned();
    let wanted = json!({
        "reminder_hour": "07:45", "quiet_hours": { "from": "22:00", "until": "07:00" }, "days_off": ["sunday", "saturday"],
        "comments": false, "digest": { "hour": "07:30", "days": ["monday"] },
        "default_reminders": [{ "when": { "offset": "-PT1H" }, "to": "assignees" }, { "when": { "offset": "-P1D" }, "to": "me", "skip_after": "PT2H" }],
    });
    let changed = team.guest.patch_if(&tag, SETTINGS, wanted.clone()).await.is(200).json();
    assert_eq!((&changed["version"], &changed["days_off"]), (&json!(1), &json!(["saturday", "sunday"])));
    for field in ["reminder_hour", "quiet_hours", "comments", "digest"] {
        assert_eq!(changed[field], wanted[field], "{field}");
    }
    let defaults = json!([
        { "when": { "offset": "-PT1H" }, "to": "assignees", "skip_after": null },
        { "when": { "offset": "-P1D" }, "to": "me", "skip_after": "PT2H" },
    ]);
    assert_eq!(changed["default_reminders"], defaults);
    assert_eq!(team.guest.get(SETTINGS).await.is(200).json(), changed);
    // What is the same already makes no version; whoever has seen an older one is told.
    assert_eq!(set(&team.guest, wanted).await["version"], 1);
    team.guest.patch_if(&tag, SETTINGS, json!({ "comments": true })).await.is_problem(412, "stale");
    let cleared = json!({ "reminder_hour": null, "quiet_hours": null, "days_off": null, "digest": null, "default_reminders": null, "comments": true });
    let mut expected = usual.clone();
    expected["version"] = json!(2);
    assert_eq!(set(&team.guest, cleared).await, expected);
    // Nobody else's have changed.
    assert_eq!(team.member.get(SETTINGS).await.is(200).json(), usual);
    // A program that its owner lets read members only has nothing to do with them.
    for (scope, status) in [("members:list", 403), ("tasks:read", 200)] {
        let token = json!({ "name": "a program", "org": team.slug, "scopes": [scope] });
        let token = team.member.post("/v1/me/tokens", token).await.is(201).text_at("/token");
        let program = team.member.with_token(Some(&token));
        let _ = program.get(SETTINGS).await.is(status);
        let _ = program.patch(SETTINGS, json!({ "comments": true })).await.is(status);
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_all_at_once() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let wrong = json!({
        "reminder_hour": "9:00", "quiet_hours": { "from": "07:00", "until": "07:00" },
        "days_off": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], "reminders": null,
        "digest": { "hour": "07:30", "days": [] }, "default_reminders": [{ "when": { "at": "2031-01-01T00:00:00Z" }, "to": "us" }],
    });
    let problem = team.member.patch(SETTINGS, wrong).await.is_problem(422, "invalid");
    let mut faults: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    faults.sort_unstable();
    let expected = [
        ("/days_off", "no_day_left"),
        ("/default_reminders/0/to", "not_one_of"),
        ("/default_reminders/0/when/at", "unknown"),
        ("/default_reminders/0/when/offset", "missing"),
        ("/digest/days", "empty"),
        ("/quiet_hours", "empty_window"),
        ("/reminder_hour", "not_a_time_of_day"),
        ("/reminders", "wrong_type"),
    ];
    assert_eq!(faults, expected);
}

#[tokio::test]
async fn a_reminder_waits_for_the_end_of_its_readers_quiet_hours_and_days_off() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    set(
        &team.member,
        json!({ "quiet_hours": { "from": "22:00", "until": "07:00" }, "days_off": ["saturday", "sunday"] }),
    )
    .await;
    // Friday, 7 March 2031, 23:30 in Berlin: after the night comes a weekend, and another night.
    let task = make(&team, &project, json!({ "at": "2031-03-07T22:30:00Z" }), assignees("PT0S")).await;
    assert_eq!(
        (&share(&task)["due_at"], &share(&task)["moved_from"]),
        (&json!("2031-03-10T06:00:00Z"), &json!("2031-03-07T22:30:00Z"))
    );
    assert_eq!(count(&app, "mails where due_at = '2031-03-10T06:00:00Z' and next_at = due_at").await, 1);
    let task = make(&team, &project, json!({ "at": "2031-03-07T12:00:00Z" }), assignees("PT0S")).await;
    assert_eq!((&share(&task)["due_at"], &share(&task)["moved_from"]), (&json!("2031-03-07T12:00:00Z"), &json!(null)));
}

#[tokio::test]
async fn a_date_counts_from_its_readers_reminder_hour() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    set(&team.member, json!({ "reminder_hour": "06:15" })).await;
    let task = make(&team, &project, json!({ "date": "2031-01-10" }), assignees("-P1D")).await;
    assert_eq!(share(&task)["due_at"], "2031-01-09T05:15:00Z");
}

#[tokio::test]
async fn a_reminder_says_how_late_it_is_still_of_use() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let reminders = json!([
        { "when": { "offset": "PT0S" }, "to": "assignees", "skip_after": "PT90M" },
        { "when": { "offset": "-PT1H" }, "to": "assignees" },
    ]);
    let task = make(&team, &project, json!({ "at": "2031-03-07T12:00:00Z" }), reminders).await;
    assert_eq!(
        (&task["reminders"][0]["skip_after"], &task["reminders"][1]["skip_after"]),
        (&json!("PT90M"), &json!(null))
    );
    assert_eq!(count(&app, "mails where expires_at - due_at = interval '90 minutes'").await, 1);
    assert_eq!(count(&app, "mails where expires_at - due_at = interval '12 hours'").await, 1);
    let path = format!("/tasks/{}/reminders", task["id"].as_str().unwrap());
    let listed = team.member.get(&path).await.is(200).json();
    assert_eq!((&listed["data"][0]["skip_after"], &listed["data"][1]["skip_after"]), (&json!("PT90M"), &json!(null)));
    // It follows each planning.
    let changes = json!({ "due": { "at": "2031-04-07T12:00:00Z" } });
    let _ = team.owner.patch(&format!("/tasks/{}", task["id"].as_str().unwrap()), changes).await.is(200);
    assert_eq!(count(&app, "mails where state = 'scheduled' and expires_at - due_at = interval '90 minutes'").await, 1);
    for (wrong, code) in
        [("PT59S", "out_of_range"), ("P31D", "out_of_range"), ("-PT1H", "not_a_duration"), ("P1M", "not_a_duration")]
    {
        let new = json!({ "when": { "offset": "PT0S" }, "to": "me", "skip_after": wrong });
        let problem = team.member.post(&path, new).await.is_problem(422, "invalid");
        assert_eq!(
            (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
            (&json!("/skip_after"), &json!(code))
        );
    }
}

#[tokio::test]
async fn whoever_wants_no_reminders_is_owed_none_from_that_moment() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let due = json!({ "at": "2031-03-07T12:00:00Z" });
    let reminders =
        json!([{ "when": { "offset": "PT0S" }, "to": "assignees" }, { "when": { "offset": "PT0S" }, "to": "me" }]);
    make(&team, &project, due.clone(), reminders).await;
    set(&team.member, json!({ "reminders": false })).await;
    let (live, gone) = (("scheduled".to_owned(), None), ("cancelled".to_owned(), Some("unsubscribed".to_owned())));
    let mut fates_now = fates(&app).await;
    fates_now.sort_unstable();
    assert_eq!(fates_now, [gone, live]);
    let task = make(&team, &project, due, assignees("PT0S")).await;
    assert_eq!((&share(&task)["skipped"], &share(&task)["delivery_id"]), (&json!("unsubscribed"), &json!(null)));
    // Wanting them again is planned by a worker (tests/worker/replans.rs).
    assert_eq!(count(&app, "replans").await, 0);
    set(&team.member, json!({ "reminders": true })).await;
    assert_eq!(count(&app, &format!("replans where account_id = '{}'", team.member.id)).await, 1);
}

#[tokio::test]
async fn whoever_mutes_a_project_is_owed_nothing_of_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (muted, other) = (team.project("OPS", "open").await, team.project("DEV", "open").await);
    let due = json!({ "at": "2031-03-07T12:00:00Z" });
    for project in [&muted, &other] {
        make(&team, project, due.clone(), assignees("PT0S")).await;
    }
    let path = format!("/projects/{muted}/mute");
    for _ in 0..2 {
        assert_eq!(team.member.put(&path, json!(null)).await.is(200).json(), json!({ "muted": true }));
    }
    let gone = ("cancelled".to_owned(), Some("project muted".to_owned()));
    assert_eq!(fates(&app).await, [gone, ("scheduled".to_owned(), None)]);
    let task = make(&team, &muted, due, assignees("PT0S")).await;
    assert_eq!(share(&task)["skipped"], "project_muted");
    let private = team.project("HID", "private").await;
    team.member.put(&format!("/projects/{private}/mute"), json!(null)).await.is_problem(404, "not_found");
    for _ in 0..2 {
        let _ = team.member.delete(&path).await.is(204);
    }
    assert_eq!((count(&app, "project_mutes").await, count(&app, "replans").await), (0, 1));
}

#[tokio::test]
async fn the_plan_of_a_task_tells_who_gets_what_when_and_why_not() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let reminders = json!([
        { "when": { "offset": "PT0S" }, "to": "assignees" },
        { "when": { "at": "2020-01-01T00:00:00Z" }, "to": "me" },
        { "when": { "at": "2041-01-01T00:00:00Z" }, "to": team.guest.id },
    ]);
    let task = make(&team, &project, json!({ "at": "2031-03-07T23:00:00Z" }), reminders).await;
    let path = format!("/tasks/{}/reminder-plan", task["id"].as_str().unwrap());
    let plan = team.admin.get(&path).await.is(200).json();
    let share = |plan: &Value, reminder: usize| plan["data"][reminder]["plan"][0].clone();
    let member = share(&plan, 0);
    assert_eq!(
        (&member["account_id"], &member["due_at"], &member["skipped"]),
        (&json!(team.member.id), &json!("2031-03-07T23:00:00Z"), &json!(null))
    );
    assert_eq!(
        (&member["delivery"]["state"], &member["delivery"]["delivery_id"]),
        (&json!("scheduled"), &task["reminders"][0]["plan"][0]["delivery_id"])
    );
    assert_eq!((&share(&plan, 1)["skipped"], &share(&plan, 1)["delivery"]), (&json!("already_past"), &json!(null)));
    assert_eq!(share(&plan, 2)["skipped"], "cannot_see_the_project");
    // What would happen now, beside what is owed still: the worker has not been here yet.
    set(&team.member, json!({ "quiet_hours": { "from": "22:00", "until": "07:00" } })).await;
    let member = share(&team.admin.get(&path).await.is(200).json(), 0);
    assert_eq!(
        (&member["due_at"], &member["moved_from"], &member["delivery"]["due_at"]),
        (&json!("2031-03-08T06:00:00Z"), &json!("2031-03-07T23:00:00Z"), &json!("2031-03-07T23:00:00Z"))
    );
    for (statement, why) in [
        ("update project_mutes set since = now()", None),
        (
            "insert into project_mutes (org_id, project_id, account_id) select org_id, id, 'MEMBER' from projects",
            Some("project_muted"),
        ),
        ("update task_watches set state = 'muted'", Some("muted")),
        ("update memberships set status = 'suspended' where account_id = 'MEMBER'", Some("cannot_see_the_project")),
        ("update projects set archived_at = now()", Some("project_archived")),
    ] {
        arrange(&app, &statement.replace("MEMBER", &team.member.id.to_string())).await;
        assert_eq!(share(&team.admin.get(&path).await.is(200).json(), 0)["skipped"], json!(why), "{statement}");
    }
    // Whoever does not see the task sees no plan.
    let private = team.project("HID", "private").await;
    let hidden =
        team.owner.post("/tasks", json!({ "project": private, "title": "Hidden" })).await.is(201).text_at("/id");
    let path = format!("/tasks/{hidden}/reminder-plan");
    team.admin.get(&path).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_task_that_says_nothing_of_reminders_gets_those_of_its_creator_else_of_the_organization() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let org = format!("/v1/orgs/{}", team.slug);
    let usual = json!([{ "when": { "offset": "-P1D" }, "to": "assignees", "skip_after": "PT3H" }]);
    let changed = team.owner.patch(&org, json!({ "default_reminders": usual })).await.is(200).json();
    assert_eq!((&changed["default_reminders"], &changed["version"]), (&usual, &json!(2)));
    assert_eq!(team.owner.get("/v1/orgs").await.is(200).json()["data"][0]["default_reminders"], usual);
    assert_eq!(team.owner.patch(&org, json!({ "default_reminders": usual })).await.is(200).json()["version"], 2);
    let new = |more: Value| {
        let mut new = json!({ "project": project, "title": "Look", "assignees": [team.member.id], "due": { "at": "2031-03-07T12:00:00Z" } });
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        new
    };
    let made = team.owner.post("/tasks", new(json!({}))).await.is(201).json();
    assert_eq!(
        (&share(&made)["account_id"], &share(&made)["due_at"]),
        (&json!(team.member.id), &json!("2031-03-06T12:00:00Z"))
    );
    assert_eq!(count(&app, "reminders where skip_after = 'PT3H'").await, 1);
    // Whoever says that there is none means it, and nothing counts from no due value.
    for more in [json!({ "reminders": [] }), json!({ "due": null })] {
        assert_eq!(team.owner.post("/tasks", new(more)).await.is(201).json()["reminders"], json!([]));
    }
    let own =
        json!([{ "when": { "offset": "-PT1H" }, "to": "me" }, { "when": { "offset": "-PT2H" }, "to": "assignees" }]);
    set(&team.admin, json!({ "default_reminders": own })).await;
    let made = team.admin.post("/tasks", new(json!({}))).await.is(201).json();
    assert_eq!(made["reminders"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&share(&made)["account_id"], &share(&made)["due_at"]),
        (&json!(team.admin.id), &json!("2031-03-07T11:00:00Z"))
    );
    // None of one's own is not those of the organization.
    set(&team.admin, json!({ "default_reminders": [] })).await;
    assert_eq!(team.admin.post("/tasks", new(json!({}))).await.is(201).json()["reminders"], json!([]));
    // What cannot be computed stops no task that has not named it.
    set(&team.admin, json!({ "default_reminders": [{ "when": { "offset": "P365D" }, "to": "me" }] })).await;
    let far = new(json!({ "due": { "at": "9998-12-31T12:00:00Z" } }));
    assert_eq!(share(&team.admin.post("/tasks", far).await.is(201).json())["skipped"], "out_of_range");
    team.member.patch(&org, json!({ "default_reminders": [] })).await.is_problem(403, "permission_missing");
    let many = json!({ "default_reminders": vec![json!({ "when": { "offset": "-PT1H" }, "to": "me" }); 11] });
    let problem = team.admin.patch(SETTINGS, many).await.is_problem(422, "invalid");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]),
        (&json!("/default_reminders"), &json!("too_many"))
    );
}

#[tokio::test]
async fn what_somebody_wants_goes_with_them_and_is_in_their_export() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    set(&team.member, json!({ "days_off": ["sunday"] })).await;
    let _ = team.member.put(&format!("/projects/{project}/mute"), json!(null)).await.is(200);
    let export = team.member.get("/v1/me/export").await.is(200).json();
    assert_eq!(
        (&export["notification_settings"][0]["days_off"], &export["muted_projects"][0]["project_id"]),
        (&json!(64), &json!(project))
    );
    let _ = team.owner.put(&format!("/members/{}/suspension", team.member.id), json!(null)).await.is(200);
    assert_eq!((count(&app, "notification_settings").await, count(&app, "replans").await), (1, 0));
    let _ = team.owner.delete(&format!("/members/{}", team.member.id)).await.is(204);
    assert_eq!((count(&app, "notification_settings").await, count(&app, "project_mutes").await), (0, 0));
}

#[tokio::test]
async fn whoever_wants_no_mail_of_comments_or_of_a_project_gets_none() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let people = [team.member.id, team.admin.id, team.owner.id];
    let _ =
        team.owner.post("/tasks", json!({ "project": project, "title": "Look", "assignees": people })).await.is(201);
    let say = async || {
        let _ = team.owner.post("/tasks/OPS-1/comments", json!({ "body": "Hear me" })).await.is(201);
    };
    say().await;
    set(&team.member, json!({ "comments": false })).await;
    let _ = team.admin.put(&format!("/projects/{project}/mute"), json!(null)).await.is(200);
    let mut reasons: Vec<String> =
        fates(&app).await.into_iter().map(|(state, why)| format!("{state}: {}", why.unwrap())).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["cancelled: project muted", "cancelled: unsubscribed"]);
    say().await;
    assert_eq!(fates(&app).await.len(), 2);
}
