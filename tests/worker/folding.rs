//! Many reminders at once become one mail, at the claim, and nothing of it is lost.

use std::{collections::HashMap, time::Duration};

use common::{
    config::Uncertain,
    db::Db,
    ids::MailId,
    mails::{self, Attempt, Claim, Content, Outcome, Phase},
};
use harness::{Team, TestApp};
use serde_json::json;
use uuid::Uuid;

/// So many reminders of the member's, due now; the ids of their mails.
async fn due(app: &TestApp, team: &Team, count: usize) -> Vec<MailId> {
    let project = team.project("OPS", "open").await;
    for number in 0..count {
        team.reminded_task(&project, &format!("Task no. {number};"), 3600).await;
    }
    sqlx::query("update mails set due_at = now(), next_at = now()").execute(&app.admin).await.unwrap();
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from mails order by due_at, id").fetch_all(&app.admin).await.unwrap();
    ids.into_iter().map(MailId).collect()
}

/// How often each task is named by what has arrived.
fn named(app: &TestApp, count: usize) -> Vec<usize> {
    let texts: Vec<String> = app.inbox.messages().iter().map(|mail| mail.text().unwrap().clone()).collect();
    (0..count).map(|number| texts.iter().filter(|text| text.contains(&format!("Task no. {number};"))).count()).collect()
}

async fn states(app: &TestApp) -> HashMap<String, i64> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("select state, count(*) from mails group by 1").fetch_all(&app.admin).await.unwrap();
    rows.into_iter().collect()
}

async fn said(db: &Db, claim: &Claim) -> Content {
    let scope = db.for_job(claim.org, claim.account).await.unwrap();
    mails::content(scope, claim).await.unwrap().unwrap()
}

#[tokio::test]
async fn more_than_five_at_once_are_one_mail_and_each_is_still_its_own_delivery() {
    let app = TestApp::start().await;
    let team = app.team().await;
    due(&app, &team, 7).await;
    let worker = app.work();
    app.all_settled().await;
    worker.stop().await;
    assert_eq!(app.inbox.messages().len(), 1);
    assert_eq!(named(&app, 7), [1; 7]);
    assert_eq!(states(&app).await, HashMap::from([("sent".to_owned(), 1), ("cancelled".to_owned(), 6)]));
    let log = team.member.get("/deliveries").await.is(200).json();
    let sent: Vec<_> = log["data"].as_array().unwrap().iter().map(|delivery| &delivery["state"]).collect();
    assert_eq!(sent, [&json!("sent"); 7]);
    let reasons: Vec<String> = sqlx::query_scalar("select distinct reason from mails where state = 'cancelled'")
        .fetch_all(&app.admin)
        .await
        .unwrap();
    assert_eq!(reasons, ["folded"]);
}

#[tokio::test]
async fn five_at_once_are_five_mails_and_what_follows_within_minutes_is_one() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ids = due(&app, &team, 9).await;
    let last: Vec<Uuid> = ids[5..].iter().map(|id| id.0).collect();
    sqlx::query("update mails set next_at = now() + interval '1 hour' where id = any($1)")
        .bind(&last)
        .execute(&app.admin)
        .await
        .unwrap();
    let worker = app.work();
    harness::eventually("five are sent", async || (states(&app).await.get("sent") == Some(&5)).then_some(())).await;
    assert_eq!(app.inbox.messages().len(), 5);
    sqlx::query("update mails set next_at = now() where id = any($1)").bind(&last).execute(&app.admin).await.unwrap();
    app.all_settled().await;
    worker.stop().await;
    assert_eq!(app.inbox.messages().len(), 6);
    assert_eq!(named(&app, 9), [1; 9]);
}

#[tokio::test]
async fn two_workers_at_once_tell_each_of_them_once() {
    let app = TestApp::start().await;
    let team = app.team().await;
    due(&app, &team, 40).await;
    let workers = [app.work(), app.work()];
    app.all_settled().await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(named(&app, 40), [1; 40]);
    assert!(app.inbox.messages().len() <= 7, "{}", app.inbox.messages().len());
}

#[tokio::test]
async fn what_is_cancelled_while_it_is_folded_is_not_sent_and_the_others_are() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ids = due(&app, &team, 7).await;
    let (db, _) = app.worker_db().await;
    let claim = mails::claim(&db, ids[0], "hand").await.unwrap().unwrap();
    assert_eq!(claim.folded.len(), 6);
    let before = said(&db, &claim).await;
    assert_eq!(before.deliveries.len(), 7);
    // One of those that were folded, and the one that they were folded into.
    let done = |mail: MailId| {
        sqlx::query_scalar::<_, Uuid>("select task_id from deliveries where mail_id = $1")
            .bind(mail.0)
            .fetch_one(&app.admin)
    };
    for mail in [ids[3], ids[0]] {
        let path = format!("/tasks/{}/completion", done(mail).await.unwrap());
        let _ = team.member.put(&path, json!(null)).await.is(200);
        assert!(!mails::mark_sending(&db, &claim, &before).await.unwrap(), "it tells of what nobody is owed");
    }
    // The mail itself is gone with its task; the others are given back with the end of the try, and go out.
    let attempt = Attempt { worker: "hand", phase: Phase::Prepare, reply: None };
    assert!(!mails::finish(&db, &claim, &Outcome::Retry(Duration::ZERO), &attempt).await.unwrap());
    let worker = app.work();
    app.all_settled().await;
    worker.stop().await;
    assert_eq!(named(&app, 7), [0, 1, 1, 0, 1, 1, 1]);
}

#[tokio::test]
async fn what_is_held_back_makes_no_crowd_and_is_in_none() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ids = due(&app, &team, 7).await;
    let hold = async |id: MailId| {
        sqlx::query("update mails set held_at = now() where id = $1").bind(id.0).execute(&app.admin).await.unwrap();
    };
    let (db, _) = app.worker_db().await;
    hold(ids[0]).await;
    let six = mails::claim(&db, ids[1], "hand").await.unwrap().unwrap();
    assert!(six.folded.len() == 5 && six.folded.iter().all(|one| one.id != ids[0]), "{:?}", six.folded);
    let attempt = Attempt { worker: "hand", phase: Phase::Connect, reply: None };
    assert!(mails::finish(&db, &six, &Outcome::Retry(Duration::ZERO), &attempt).await.unwrap());
    hold(ids[6]).await;
    assert_eq!(mails::claim(&db, ids[1], "hand").await.unwrap().unwrap().folded, []);
}

#[tokio::test]
async fn a_cancellation_that_comes_after_sending_is_too_late_and_says_so() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ids = due(&app, &team, 6).await;
    let (db, _) = app.worker_db().await;
    let claim = mails::claim(&db, ids[2], "hand").await.unwrap().unwrap();
    let content = said(&db, &claim).await;
    assert!(mails::mark_sending(&db, &claim, &content).await.unwrap());
    let task: Uuid =
        sqlx::query_scalar("select task_id from deliveries order by id limit 1").fetch_one(&app.admin).await.unwrap();
    let _ = team.member.put(&format!("/tasks/{task}/completion"), json!(null)).await.is(200);
    let attempt = Attempt { worker: "hand", phase: Phase::Done, reply: Some("250 ok".to_owned()) };
    assert!(mails::finish(&db, &claim, &Outcome::Sent, &attempt).await.unwrap());
    let log = team.member.get("/deliveries").await.is(200).json();
    let told: Vec<_> = log["data"].as_array().unwrap().iter().map(|delivery| &delivery["state"]).collect();
    assert_eq!(told, [&json!("sent"); 6], "what has gone out is not called cancelled");
    let mut operator = common::operators::Operator::connect(&app.database_url).await.unwrap();
    let looked = common::operators::Looked { limit: 10, ..Default::default() };
    let told: Vec<_> = operator.list(&looked).await.unwrap().into_iter().map(|delivery| delivery.state).collect();
    assert_eq!(told, ["sent"; 6], "nor to an operator");
}

#[tokio::test]
async fn a_worker_that_is_lost_with_a_crowd_in_hand_loses_none_of_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ids = due(&app, &team, 7).await;
    let (db, _) = app.worker_db().await;
    assert!(mails::claim(&db, ids[0], "lost").await.unwrap().is_some());
    sqlx::query("update mails set lease_until = now() - interval '1 second'").execute(&app.admin).await.unwrap();
    assert_eq!(mails::sweep(&db, Uncertain::Resend, 10).await.unwrap().reclaimed, 7);
    let worker = app.work();
    app.all_settled().await;
    worker.stop().await;
    assert_eq!(named(&app, 7), [1; 7]);
    // One of them may be what the worker died of.
    assert_eq!(app.inbox.messages().len(), 7);
}

#[tokio::test]
async fn a_try_that_fails_gives_each_of_a_crowd_back_and_the_next_one_is_one_mail_again() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ids = due(&app, &team, 7).await;
    let (db, _) = app.worker_db().await;
    let claim = mails::claim(&db, ids[0], "hand").await.unwrap().unwrap();
    let attempt = Attempt { worker: "hand", phase: Phase::Connect, reply: Some("421 later".to_owned()) };
    assert!(mails::renew(&db, &claim).await.unwrap());
    assert!(mails::finish(&db, &claim, &Outcome::Retry(Duration::ZERO), &attempt).await.unwrap());
    assert_eq!(states(&app).await, HashMap::from([("retry".to_owned(), 7)]));
    let tries: i64 = sqlx::query_scalar("select count(*) from attempts where reply = '421 later'")
        .fetch_one(&app.admin)
        .await
        .unwrap();
    assert_eq!(tries, 7, "each can tell of it");
    let worker = app.work();
    app.all_settled().await;
    worker.stop().await;
    assert_eq!((app.inbox.messages().len(), named(&app, 7)), (1, vec![1; 7]));
}

#[tokio::test]
async fn a_reminder_that_says_how_late_it_is_of_use_is_a_mail_of_its_own() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ids = due(&app, &team, 7).await;
    let project = team.project("DEV", "open").await;
    let new = json!({
        "project": project, "title": "The train leaves", "assignees": [team.member.id], "due": { "at": "2031-01-10T08:00:00Z" },
        "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees", "skip_after": "PT10M" }],
    });
    let task = team.owner.post("/tasks", new).await.is(201).text_at("/id");
    let alone: Uuid = sqlx::query_scalar(
        "update mails m set due_at = now(), next_at = now(), expires_at = now() + interval '10 minutes'
         from deliveries d join tasks t on t.id = d.task_id where d.mail_id = m.id and t.title = 'The train leaves' returning m.id",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    let (db, _) = app.worker_db().await;
    // The others are refused for now, after their body, and will be sent hours later.
    let claim = mails::claim(&db, ids[0], "hand").await.unwrap().unwrap();
    assert_eq!(claim.folded.len(), 6);
    let content = said(&db, &claim).await;
    assert!(mails::mark_sending(&db, &claim, &content).await.unwrap());
    let attempt = Attempt { worker: "hand", phase: Phase::Body, reply: Some("451 later".to_owned()) };
    assert!(mails::finish(&db, &claim, &Outcome::Retry(Duration::from_hours(1)), &attempt).await.unwrap());
    // That one is tried by itself, at the head of a crowd too, and not after its ten minutes.
    due_again(&app).await;
    let both = mails::claim_all(&db, &[MailId(alone), ids[0]], "hand").await.unwrap();
    assert_eq!(both.iter().map(|one| one.as_ref().unwrap().folded.len()).collect::<Vec<_>>(), [0, 0]);
    let alone = both[0].as_ref().unwrap();
    let attempt = Attempt { worker: "hand", phase: Phase::Connect, reply: Some("421 later".to_owned()) };
    assert!(mails::finish(&db, alone, &Outcome::Retry(Duration::from_mins(11)), &attempt).await.unwrap());
    let log = team.member.get(&format!("/deliveries?task={task}")).await.is(200).json();
    assert_eq!(log["data"][0]["state"], "expired", "{log}");
}

/// What waits for its next try waits no longer.
async fn due_again(app: &TestApp) {
    sqlx::query("update mails set next_at = now() where state = 'retry'").execute(&app.admin).await.unwrap();
}

#[tokio::test]
async fn a_mail_takes_in_a_hundred_and_the_rest_is_the_next_ones() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let ids = due(&app, &team, 112).await;
    let (db, _) = app.worker_db().await;
    // As many as a worker claims in one statement, and more than one mail takes in.
    for (asked, expected) in [(&ids[..30], vec![100]), (&ids[..], vec![12, 100])] {
        let claims = mails::claim_all(&db, asked, "hand").await.unwrap();
        let mut sizes: Vec<usize> = claims.iter().flatten().map(|claim| claim.folded.len() + 1).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, expected);
        for claim in claims.iter().flatten() {
            let attempt = Attempt { worker: "hand", phase: Phase::Connect, reply: None };
            assert!(mails::finish(&db, claim, &Outcome::Retry(Duration::ZERO), &attempt).await.unwrap());
        }
    }
    let worker = app.work();
    app.all_settled().await;
    worker.stop().await;
    assert_eq!(named(&app, 112), [1; 112]);
    let most: i64 =
        sqlx::query_scalar("select max(told) from (select count(*) as told from deliveries group by mail_id) m")
            .fetch_one(&app.admin)
            .await
            .unwrap();
    assert!(most <= 100, "{most}");
}
