//! Planning somebody's reminders anew, when they live by another clock or want something else.

use common::{ids::AccountId, reminders};
use harness::{Actor, Team, TestApp};
use serde_json::{Value, json};

/// A task for the member with one reminder for its assignees; when the member is told.
pub(crate) async fn make(team: &Team, project: &str, due: Value) -> Value {
    let new = json!({
        "project": project, "title": "Look", "assignees": [team.member.id], "due": due,
        "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }],
    });
    team.owner.post("/tasks", new).await.is(201).json()
}

/// Everything that somebody is owed, in order: when, what has become of it, and why.
pub(crate) async fn owed(app: &TestApp, account: AccountId) -> Vec<(String, String, String)> {
    sqlx::query_as(
        r#"select to_char(d.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI'), case when d.cancelled_at is null then m.state else 'cancelled' end,
                  coalesce(d.reason, '')
           from deliveries d join mails m on m.id = d.mail_id where d.account_id = $1 order by d.id"#,
    )
    .bind(account.0)
    .fetch_all(&app.admin)
    .await
    .unwrap()
}

pub(crate) fn fate(at: &str, state: &str, reason: &str) -> (String, String, String) {
    (at.into(), state.into(), reason.into())
}

pub(crate) async fn arrange(app: &TestApp, statement: &str) {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&app.admin).await.unwrap();
}

/// How many are to be planned for, and have none of their reminders sent until then.
pub(crate) async fn waiting(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from replans where again_after is null").fetch_one(&app.admin).await.unwrap()
}

/// Whoever owes a mail from now on waits until this is let go: it has read what there is to plan by, and not committed.
pub(crate) async fn hold_new_mails(app: &TestApp) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let waits = "create function hold() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(1); return new; end'";
    arrange(app, waits).await;
    arrange(app, "create trigger hold before insert on mails for each row execute function hold()").await;
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(1)").execute(&mut *held).await.unwrap();
    held
}

/// Plans for whoever waits for it; how many there were.
pub(crate) async fn plan(app: &TestApp) -> u64 {
    let (db, _) = app.worker_db().await;
    reminders::replan_asked(&db, 100).await.unwrap()
}

/// Plans until everybody was looked at twice.
pub(crate) async fn plan_twice(app: &TestApp) {
    harness::eventually("everybody was looked at twice", async || {
        plan(app).await;
        let waiting = sqlx::query_scalar::<_, i64>("select count(*) from replans").fetch_one(&app.admin).await.unwrap();
        (waiting == 0).then_some(())
    })
    .await;
}

pub(crate) async fn move_to(actor: &Actor, zone: &str) {
    let _ = actor.patch("/v1/me", json!({ "time_zone": zone })).await.is(200);
}

#[tokio::test]
async fn another_zone_moves_what_somebody_is_owed_in_all_their_organizations() {
    let app = TestApp::start().await;
    let (first, second) = (app.team().await, app.team().await);
    sqlx::query("insert into memberships (org_id, account_id, role) values ($1, $2, 'member')")
        .bind(second.id.0)
        .bind(first.member.id.0)
        .execute(&app.admin)
        .await
        .unwrap();
    let person = first.member.id;
    let second = Team { member: first.member.within(&second.slug), ..second };
    for team in [&first, &second] {
        let project = team.project("OPS", "open").await;
        make(team, &project, json!({ "date": "2031-01-10" })).await;
        make(team, &project, json!({ "at": "2031-01-11T12:00:00Z" })).await;
    }
    move_to(&first.member, "Asia/Tokyo").await;
    // Asked for in the transaction of the change; nothing has moved yet.
    assert_eq!(waiting(&app).await, 2);
    let (db, _) = app.worker_db().await;
    assert_eq!(reminders::replan_asked(&db, 100).await.unwrap(), 2);
    let instant = || fate("2031-01-11T12:00", "scheduled", "");
    let moved = || fate("2031-01-10T00:00", "scheduled", "");
    let before = || fate("2031-01-10T08:00", "cancelled", "planned anew");
    let mut now = owed(&app, person).await;
    now.sort_unstable();
    assert_eq!(now, [moved(), moved(), before(), before(), instant(), instant()]);
    let mails: i64 = sqlx::query_scalar(
        "select count(*) from mails where due_at = '2031-01-10T00:00:00Z' and next_at = due_at and state = 'scheduled'",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert_eq!(mails, 2);
    // Whoever is asked for twice is planned once more, and what stays as it is stays.
    assert_eq!((waiting(&app).await, reminders::replan_asked(&db, 100).await.unwrap()), (0, 0));
    move_to(&first.member, "Asia/Seoul").await;
    assert_eq!(reminders::replan_asked(&db, 100).await.unwrap(), 2);
    assert_eq!(owed(&app, person).await.len(), 6);
}

#[tokio::test]
async fn another_zone_of_an_organization_moves_those_who_have_none_of_their_own() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    arrange(&app, &format!("update accounts set time_zone = 'Asia/Tokyo' where id = '{}'", team.admin.id)).await;
    let new = json!({
        "project": project, "title": "Look", "assignees": [team.member.id, team.admin.id], "due": { "date": "2031-01-10" },
        "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }],
    });
    let _ = team.owner.post("/tasks", new).await.is(201);
    let path = format!("/v1/orgs/{}", team.slug);
    let _ = team.owner.patch(&path, json!({ "time_zone": "America/New_York" })).await.is(200);
    let (db, _) = app.worker_db().await;
    assert_eq!(reminders::replan_asked(&db, 100).await.unwrap(), 3);
    let expected = [fate("2031-01-10T08:00", "cancelled", "planned anew"), fate("2031-01-10T14:00", "scheduled", "")];
    assert_eq!(owed(&app, team.member.id).await, expected);
    assert_eq!(owed(&app, team.admin.id).await, [fate("2031-01-10T00:00", "scheduled", "")]);
}

#[tokio::test]
async fn what_was_sent_is_not_sent_again_and_what_became_late_by_it_is_sent_at_once() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    make(&team, &project, json!({ "date": "2031-01-10" })).await;
    let late = make(&team, &project, json!({ "date": "2031-01-10" })).await;
    // The first has gone out. Of the second it is seven in the morning by the old clock, and past nine by the new one.
    arrange(
        &app,
        "update mails set state = 'claimed', lease_until = now() where id = (select min(id::text)::uuid from mails)",
    )
    .await;
    for state in ["sending", "sent"] {
        let lease = if state == "sent" { "null" } else { "now()" };
        arrange(
            &app,
            &format!("update mails set state = '{state}', lease_until = {lease} where state in ('claimed', 'sending')"),
        )
        .await;
    }
    arrange(&app, "update tasks set due_on = (now() at time zone 'UTC')::date where number = 2").await;
    arrange(&app, "update mails set due_at = now() + interval '2 hours', next_at = now() + interval '2 hours' where state = 'scheduled'").await;
    arrange(&app, "update deliveries d set due_at = m.due_at from mails m where m.id = d.mail_id").await;
    // The reminder hour decides, whatever day it is in the zone of this test: midnight UTC of today is past.
    let _ = team.member.patch("/notification-settings", json!({ "reminder_hour": "00:00" })).await.is(200);
    move_to(&team.member, "Pacific/Kiritimati").await;
    let (db, _) = app.worker_db().await;
    assert_eq!(reminders::replan_asked(&db, 100).await.unwrap(), 1);
    let now = owed(&app, team.member.id).await;
    let states: Vec<(&str, &str)> = now.iter().map(|(_, state, why)| (state.as_str(), why.as_str())).collect();
    assert_eq!(states, [("sent", ""), ("cancelled", "planned anew"), ("scheduled", "")], "{late}");
    let soon: bool = sqlx::query_scalar(
        "select due_at between now() - interval '1 minute' and now() from mails where state = 'scheduled'",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert!(soon, "{now:?}");
}

#[tokio::test]
async fn other_hours_and_wanting_reminders_again_plan_what_is_to_come() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    make(&team, &project, json!({ "at": "2031-01-10T23:00:00Z" })).await;
    let (db, _) = app.worker_db().await;
    let settings = async |changes: Value| {
        let _ = team.member.patch("/notification-settings", changes).await.is(200);
        assert_eq!(reminders::replan_asked(&db, 100).await.unwrap(), 1);
    };
    settings(json!({ "quiet_hours": { "from": "22:00", "until": "06:00" } })).await;
    let first = fate("2031-01-10T23:00", "cancelled", "planned anew");
    assert_eq!(owed(&app, team.member.id).await, [first.clone(), fate("2031-01-11T05:00", "scheduled", "")]);
    settings(json!({ "quiet_hours": null })).await;
    let _ = team.member.patch("/notification-settings", json!({ "reminders": false })).await.is(200);
    // Made while they wanted none: it is theirs, too, when they want them again.
    make(&team, &project, json!({ "at": "2031-02-10T12:00:00Z" })).await;
    settings(json!({ "reminders": true })).await;
    let mut expected = vec![
        first,
        fate("2031-01-11T05:00", "cancelled", "planned anew"),
        fate("2031-01-10T23:00", "cancelled", "unsubscribed"),
        fate("2031-01-10T23:00", "scheduled", ""),
        fate("2031-02-10T12:00", "scheduled", ""),
    ];
    assert_eq!(owed(&app, team.member.id).await, expected);
    let mute = format!("/projects/{project}/mute");
    let _ = team.member.put(&mute, json!(null)).await.is(200);
    let _ = team.member.delete(&mute).await.is(204);
    assert_eq!(reminders::replan_asked(&db, 100).await.unwrap(), 1);
    for withheld in &mut expected[3..] {
        *withheld = fate(&withheld.0, "cancelled", "project muted");
    }
    expected.extend([fate("2031-01-10T23:00", "scheduled", ""), fate("2031-02-10T12:00", "scheduled", "")]);
    assert_eq!(owed(&app, team.member.id).await, expected);
}

#[tokio::test]
async fn what_hangs_on_nobodys_wishes_does_not_come_back_by_another_zone() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = make(&team, &project, json!({ "date": "2031-01-10" })).await;
    let suspended = format!("/members/{}/suspension", team.member.id);
    let _ = team.owner.put(&suspended, json!(null)).await.is(200);
    let _ = team.owner.delete(&suspended).await.is(200);
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    let _ = team.owner.patch(&path, json!({ "assignees": [team.member.id] })).await.is(200);
    let live = owed(&app, team.member.id).await;
    assert_eq!(live.len(), 2);
    // A snoozed one, say: taken back for a reason of its own.
    arrange(&app, "update deliveries set cancelled_at = now(), reason = 'snoozed' where cancelled_at is null").await;
    arrange(&app, "update mails set state = 'cancelled', reason = 'snoozed' where state = 'scheduled'").await;
    move_to(&team.member, "Asia/Tokyo").await;
    let (db, _) = app.worker_db().await;
    assert_eq!(reminders::replan_asked(&db, 100).await.unwrap(), 1);
    assert_eq!(owed(&app, team.member.id).await.len(), 2);
}

#[tokio::test]
async fn a_change_at_the_moment_of_planning_is_planned_once_more() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = make(&team, &project, json!({ "date": "2031-01-10" })).await;
    move_to(&team.member, "Asia/Tokyo").await;
    // The planning has read the clock of Tokyo, and waits for the task.
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("select from tasks where id = $1::text::uuid for update")
        .bind(task["id"].as_str().unwrap())
        .execute(&mut *held)
        .await
        .unwrap();
    let (db, _) = app.worker_db().await;
    let planning = {
        let db = db.clone();
        tokio::spawn(async move { reminders::replan_asked(&db, 100).await })
    };
    let blocked = |role: &'static str| {
        let admin = app.admin.clone();
        async move {
            sqlx::query_scalar::<_, i64>(
                "select count(*) from pg_stat_activity where datname = current_database() and usename = $1 and wait_event_type = 'Lock'",
            )
            .bind(role)
            .fetch_one(&admin)
            .await
            .unwrap()
        }
    };
    harness::eventually("the planning waits", async || (blocked("taskbell_worker").await == 1).then_some(())).await;
    let change = {
        let person = team.member.clone();
        tokio::spawn(async move { move_to(&person, "America/New_York").await })
    };
    harness::eventually("the change waits for the planning", async || {
        (blocked("taskbell_app").await == 1).then_some(())
    })
    .await;
    // Nobody else plans for the same person meanwhile, nor waits.
    assert_eq!(reminders::replan_asked(&db, 100).await.unwrap(), 0);
    held.commit().await.unwrap();
    assert_eq!(planning.await.unwrap().unwrap(), 1);
    change.await.unwrap();
    assert_eq!(waiting(&app).await, 1);
    assert_eq!(reminders::replan_asked(&db, 100).await.unwrap(), 1);
    let live: Vec<_> =
        owed(&app, team.member.id).await.into_iter().filter(|(_, state, _)| state == "scheduled").collect();
    assert_eq!(live, [fate("2031-01-10T14:00", "scheduled", "")]);
}

#[tokio::test]
async fn what_was_being_written_when_somebodys_clock_changed_follows_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let held = hold_new_mails(&app).await;
    let team = std::sync::Arc::new(team);
    let creation = {
        let (team, project) = (team.clone(), project.clone());
        tokio::spawn(async move { make(&team, &project, json!({ "date": "2031-01-10" })).await })
    };
    harness::eventually("the task is planned by the clock of before", async || {
        (app.waiting().await == 1).then_some(())
    })
    .await;
    move_to(&team.member, "Asia/Tokyo").await;
    assert_eq!((plan(&app).await, plan(&app).await), (1, 0));
    // Nothing else of theirs waits for it.
    assert_eq!(waiting(&app).await, 0);
    held.commit().await.unwrap();
    creation.await.unwrap();
    plan_twice(&app).await;
    let expected = [fate("2031-01-10T08:00", "cancelled", "planned anew"), fate("2031-01-10T00:00", "scheduled", "")];
    assert_eq!(owed(&app, team.member.id).await, expected);
}

#[tokio::test]
async fn a_worker_plans_anew_by_itself() {
    let app = TestApp::start().await;
    let worker = app.work();
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    make(&team, &project, json!({ "date": "2031-01-10" })).await;
    move_to(&team.member, "Asia/Tokyo").await;
    harness::eventually("the member is planned for", async || (waiting(&app).await == 0).then_some(())).await;
    let expected = [fate("2031-01-10T08:00", "cancelled", "planned anew"), fate("2031-01-10T00:00", "scheduled", "")];
    assert_eq!(owed(&app, team.member.id).await, expected);
    worker.stop().await;
}

#[tokio::test]
async fn whoever_cannot_be_planned_for_stops_nobody_else() {
    let app = TestApp::start().await;
    let (first, second) = (app.team().await, app.team().await);
    for team in [&first, &second] {
        let project = team.project("OPS", "open").await;
        make(team, &project, json!({ "date": "2031-01-10" })).await;
        move_to(&team.member, "Asia/Tokyo").await;
    }
    arrange(&app, "create function refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end'")
        .await;
    let poison = first.member.id;
    arrange(
        &app,
        &format!(
            "create trigger refuse before update of again_after on replans for each row when (old.account_id = '{poison}')
             execute function refuse()"
        ),
    )
    .await;
    let (db, _) = app.worker_db().await;
    assert!(reminders::replan_asked(&db, 1).await.is_err());
    assert_eq!(reminders::replan_asked(&db, 1).await.unwrap(), 1, "the next one has their turn");
    let moved = |at| fate(at, "scheduled", "");
    assert_eq!(owed(&app, second.member.id).await.last(), Some(&moved("2031-01-10T00:00")));
    // They are not given up.
    assert!(reminders::replan_asked(&db, 1).await.is_err());
    arrange(&app, "drop trigger refuse on replans").await;
    assert_eq!(reminders::replan_asked(&db, 1).await.unwrap(), 1);
    assert_eq!(owed(&app, poison).await.last(), Some(&moved("2031-01-10T00:00")));
}
