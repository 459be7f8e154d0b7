//! A delivery in whose place there is another one, or that was counted from a due value which its task has no longer, is not sent,
//! whatever has kept it from being cancelled.

use std::time::Duration;

use common::{
    db::Db,
    mails::{Claim, Content, Held, Outcome},
    operators::Operator,
};
use harness::{Team, TestApp};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::last_moment::{arrange, claimed, end, in_hand, is_marked, read, void};

async fn reason(app: &TestApp, delivery: Uuid) -> Option<String> {
    sqlx::query_scalar("select reason from deliveries where id = $1")
        .bind(delivery)
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

/// The delivery of the member that a new task plans.
fn delivery(task: &Value) -> Uuid {
    task["reminders"][0]["plan"][0]["delivery_id"].as_str().unwrap().parse().unwrap()
}

async fn mail_of(app: &TestApp, delivery: Uuid) -> Uuid {
    sqlx::query_scalar("select mail_id from deliveries where id = $1")
        .bind(delivery)
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_dead_reminder_of_a_former_due_value_is_not_brought_back() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (db, _) = app.worker_db().await;
    let mut operator = Operator::connect(&app.database_url).await.unwrap();
    for (change, why) in [
        (json!({ "due": { "date": "2041-01-01" } }), Some("due changed")),
        // Nothing is planned for either.
        (json!({ "due": { "date": "2020-01-01" } }), Some("due changed")),
        (json!({ "due": null }), Some("due changed")),
        (json!({ "project": team.project("DEV", "open").await }), Some("planned anew")),
        (json!({ "title": "Look again" }), None),
    ] {
        let task = team.reminded_task(&project, "Look", 3600).await;
        let delivery = delivery(&task);
        let claim = claimed(&app, &db, mail_of(&app, delivery).await).await;
        end(&db, &claim, Outcome::Dead).await;
        let path = format!("/tasks/{}", task["id"].as_str().unwrap());
        let _ = team.owner.patch(&path, change).await.is(200);
        let again = operator.retry(delivery).await.unwrap().unwrap().becomes;
        let claim = claimed(&app, &db, again).await;
        match why {
            Some(why) => assert_eq!(read(&db, &claim).await, void(why)),
            None => assert!(read(&db, &claim).await.is_ok()),
        }
    }
}

/// Two reminders of the member's in the hands of a worker, to go out in one mail: the second's claim is folded into the first's.
async fn two_in_hand(app: &TestApp, db: &Db, team: &Team, project: &str) -> (Claim, Content, Vec<Value>) {
    let mut tasks = Vec::new();
    let mut claims = Vec::new();
    for title in ["Stays", "Changes"] {
        let task = team.reminded_task(project, title, 3600).await;
        claims.push(claimed(app, db, mail_of(app, delivery(&task)).await).await);
        tasks.push(task);
    }
    let folded = claims.pop().unwrap();
    let mut claim = claims.pop().unwrap();
    claim.folded.push(Held { id: folded.id, fence: folded.fence });
    let said = read(db, &claim).await.unwrap();
    assert_eq!(said.deliveries.len(), 2);
    (claim, said, tasks)
}

#[tokio::test]
async fn what_is_changed_while_its_mail_is_being_folded_is_not_sent_by_the_next_try() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (db, pool) = app.worker_db().await;
    for (change, why) in [
        (json!({ "due": { "date": "2041-01-01" } }), Some("due changed")),
        // It was on its way, so nothing is planned in its place: it goes on.
        (json!({ "project": team.project("DEV", "open").await }), None),
    ] {
        let (claim, said, tasks) = two_in_hand(&app, &db, &team, &project).await;
        // Commit 2 has locked both mails, and is not committed yet, when the change asks for the second of them.
        let mut commit = pool.begin().await.unwrap();
        let marked: bool = sqlx::query_scalar("select marked from mark_sending($1, $2, $3, $4, $5, $6, true)")
            .bind(vec![claim.id.0])
            .bind(vec![claim.fence])
            .bind(vec![serde_json::to_value(&said).unwrap()])
            .bind(vec![claim.folded[0].id.0])
            .bind(vec![claim.folded[0].fence])
            .bind(vec![claim.id.0])
            .fetch_one(&mut *commit)
            .await
            .unwrap();
        assert!(marked);
        let (owner, path) = (team.owner.clone(), format!("/tasks/{}", tasks[1]["id"].as_str().unwrap()));
        let changing = tokio::spawn(async move { owner.patch(&path, change).await });
        harness::eventually("the change waits", async || (app.waiting().await == 1).then_some(())).await;
        commit.commit().await.unwrap();
        let _ = changing.await.unwrap().is(200);
        // The mail server said "not now".
        end(&db, &claim, Outcome::Retry(Duration::ZERO)).await;
        let claim = claimed(&app, &db, claim.id.0).await;
        let again = read(&db, &claim).await.unwrap();
        let left = tasks.iter().take(if why.is_some() { 1 } else { 2 }).map(delivery).collect::<Vec<_>>();
        assert_eq!(again.deliveries.iter().map(|id| id.0).collect::<Vec<_>>(), left);
        assert_eq!(reason(&app, delivery(&tasks[1])).await.as_deref(), why);
        end(&db, &claim, Outcome::Cancelled).await;
    }
}

#[tokio::test]
async fn what_does_not_hang_on_the_due_value_or_hangs_on_the_present_one_is_sent() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (db, _) = app.worker_db().await;
    let zone = json!({ "time_zone": "Asia/Kolkata" });
    let later = json!({ "local": "2041-05-01T09:30:00", "time_zone": "Europe/Berlin" });
    let at = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_hours(24 * 365 * 80)).unwrap();
    let daily = json!({ "rule": "FREQ=DAILY", "from": "schedule" });
    let other = json!({ "due": { "date": "2042-01-01" } });
    for (due, when, recurrence, change) in [
        // The three forms of a due value, each as it is.
        (json!({ "date": "2041-05-01" }), json!({ "offset": "-P1D" }), None, None),
        (later.clone(), json!({ "offset": "-PT90M" }), None, None),
        (json!({ "at": "2041-05-01T08:00:00.123456Z" }), json!({ "offset": "PT0S" }), None, None),
        // Times of their own, and another due value.
        (later.clone(), json!({ "at": at }), None, Some(other.clone())),
        (later.clone(), json!({ "local": "2041-04-01T09:00:00", "time_zone": "UTC" }), None, Some(other.clone())),
        // The task comes round.
        (later.clone(), json!({ "at": at }), Some(daily.clone()), None),
        (later.clone(), json!({ "offset": "-P1D" }), Some(daily.clone()), None),
    ] {
        let mut new = json!({
            "project": project, "title": "Look", "assignees": [team.member.id], "due": due,
            "reminders": [{ "when": when, "to": "assignees" }],
        });
        if let Some(rule) = &recurrence {
            new["recurrence"] = rule.clone();
        }
        let made = team.owner.post("/tasks", new).await.is(201);
        let path = format!("/tasks/{}", made.text_at("/id"));
        if let Some(change) = change {
            let _ = team.owner.patch(&path, change).await.is(200);
        }
        if recurrence.is_some() {
            let request = team.owner.bare(reqwest::Method::PUT, &format!("{path}/completion"));
            let request = request.header("If-Match", made.header("etag").unwrap()).json(&json!(null));
            let _ = team.owner.send(request, "completion".to_owned()).await.is(200);
        }
        is_marked(&db, in_hand(&app, &db).await).await;
    }
    // Another zone: what is counted from a date is planned anew, and goes out; what it takes the place of does not.
    let new = json!({
        "project": project, "title": "Look", "assignees": [team.member.id], "due": { "date": "2041-05-01" },
        "reminders": [{ "when": { "offset": "-P1D" }, "to": "assignees" }],
    });
    let _ = team.owner.post("/tasks", new).await.is(201);
    let _ = team.member.patch("/v1/me", zone).await.is(200);
    assert_eq!(common::reminders::replan_asked(&db, 10).await.unwrap(), 1);
    is_marked(&db, in_hand(&app, &db).await).await;
    // Put off, and then the task is due at another time.
    let task = team.reminded_task(&project, "Later", 3600).await;
    let snooze = format!("/deliveries/{}/snooze", delivery(&task));
    let _ = team.member.post(&snooze, json!({ "for": "PT1H" })).await;
    let _ = team.owner.patch(&format!("/tasks/{}", task["id"].as_str().unwrap()), other).await.is(200);
    arrange(&app, "update mails m set next_at = 'infinity' from deliveries d where d.mail_id = m.id and d.due_value is not null and m.state = 'scheduled'").await;
    let snoozed: Uuid = sqlx::query_scalar("select id from mails where state = 'scheduled' and next_at < 'infinity'")
        .fetch_one(&app.admin)
        .await
        .unwrap();
    let claim = claimed(&app, &db, snoozed).await;
    let said = read(&db, &claim).await.unwrap();
    is_marked(&db, (claim, said)).await;
}
