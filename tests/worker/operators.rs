//! What operators do about mail: hold it back, let it go, try it again, pause reminders.

use common::{
    config::Uncertain,
    db::Db,
    ids::MailId,
    mails::{self, Attempt, Outcome, Phase},
    operators::{Looked, Meant, Operator},
};
use harness::{TestApp, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

async fn operator(app: &TestApp) -> Operator {
    Operator::connect(&app.database_url).await.unwrap()
}

async fn delivery_of(app: &TestApp, title: &str) -> Uuid {
    sqlx::query_scalar("select d.id from deliveries d join tasks t on t.id = d.task_id where t.title = $1")
        .bind(title)
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

async fn set(app: &TestApp, change: &str) {
    sqlx::query(sqlx::AssertSqlSafe(format!("update mails set {change}"))).execute(&app.admin).await.unwrap();
}

/// The only mail, brought to an end that a worker would have brought it to.
async fn ended(app: &TestApp, db: &Db, outcome: Outcome, phase: Phase) -> Uuid {
    set(app, "next_at = now() - interval '1 second', due_at = now() - interval '1 second'").await;
    let id: Uuid = sqlx::query_scalar("select id from mails").fetch_one(&app.admin).await.unwrap();
    let claim = mails::claim(db, MailId(id), "one").await.unwrap().unwrap();
    if outcome == Outcome::Uncertain {
        let scope = db.for_job(claim.org, claim.account).await.unwrap();
        let content = mails::content(scope, &claim).await.unwrap().unwrap();
        assert!(mails::mark_sending(db, &claim, &content).await.unwrap());
    }
    let attempt = Attempt { worker: "one", phase, reply: Some("550 no such user".to_owned()) };
    assert!(mails::finish(db, &claim, &outcome, &attempt).await.unwrap());
    id
}

/// The events of this kind in the organization's log.
async fn events(team: &harness::Team, action: &str) -> Vec<Value> {
    let log = team.owner.get(&format!("/audit?action={action}")).await.is(200).json();
    log["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_is_held_back_is_not_sent_nor_does_it_expire_until_it_is_released() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for title in ["Held", "Held for too long"] {
        team.reminded_task(&project, title, 3600).await;
    }
    let mut operator = operator(&app).await;
    for title in ["Held", "Held for too long"] {
        let held = operator.hold(&Meant::One(delivery_of(&app, title).await)).await.unwrap();
        assert_eq!(held.len(), 1);
    }
    set(&app, "next_at = now() - interval '10 seconds', due_at = now() - interval '10 minutes'").await;
    sqlx::query(
        "update mails set expires_at = now() where id =
             (select d.mail_id from deliveries d join tasks t on t.id = d.task_id where t.title = 'Held for too long')",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    sqlx::query("update deliveries set due_at = now() - interval '10 minutes'").execute(&app.admin).await.unwrap();
    team.reminded_task(&project, "Free", 1).await;
    let worker = app.work();
    let mail = app.mail_to(&team.member.email).await;
    assert!(mail.subject().contains("Free"), "{}", mail.subject());
    // Neither by a hint, nor past Redis, nor as too old.
    let (db, _) = app.worker_db().await;
    let swept = mails::sweep(&db, Uncertain::Resend, 10).await.unwrap();
    assert_eq!((swept.expired, swept.overdue), (0, vec![]));
    for id in sqlx::query_scalar::<_, Uuid>("select id from mails where held_at is not null")
        .fetch_all(&app.admin)
        .await
        .unwrap()
    {
        assert!(mails::claim(&db, MailId(id), "eager").await.unwrap().is_none());
    }
    let log = team.member.get(&format!("/deliveries/{}", delivery_of(&app, "Held").await)).await.is(200).json();
    assert_eq!((&log["state"], &log["reason"]), (&json!("scheduled"), &json!("held back by an operator")));

    assert_eq!(operator.release(&Meant::All).await.unwrap().len(), 2);
    assert_eq!(app.all_settled().await, ["sent", "expired", "sent"]);
    let late = app.inbox.messages().iter().filter(|mail| mail.subject().contains("delayed")).count();
    assert_eq!(late, 1, "the one that was held says that it is late");
    assert_eq!((events(&team, "delivery.held").await.len(), events(&team, "delivery.released").await.len()), (2, 1));
    worker.stop().await;
}

#[tokio::test]
async fn an_organizations_mail_is_held_and_released_as_a_whole_and_nobody_elses() {
    let app = TestApp::start().await;
    let (team, other) = (app.team().await, app.team().await);
    for team in [&team, &other] {
        let project = team.project("OPS", "open").await;
        team.reminded_task(&project, "One", 3600).await;
        team.reminded_task(&project, "Two", 3600).await;
    }
    let mut operator = operator(&app).await;
    let org = Meant::Org(team.slug.clone());
    assert_eq!(operator.hold(&org).await.unwrap().len(), 2);
    assert_eq!(operator.hold(&org).await.unwrap().len(), 0, "they are held already");
    let found = operator.list(&Looked { limit: 10, ..Looked::default() }).await.unwrap();
    assert_eq!(found.len(), 2, "of what is not due yet, what is held is told");
    assert!(found.iter().all(|one| one.held_at.is_some() && one.org.as_ref() == Some(&team.slug)), "{found:?}");
    assert_eq!(operator.release(&Meant::Org(other.slug.clone())).await.unwrap().len(), 0);
    assert_eq!(operator.release(&org).await.unwrap().len(), 2);
    let event = &events(&team, "delivery.held").await[0];
    assert_eq!((&event["actor_id"], &event["after"]["by"]), (&Value::Null, &json!("operator")));
    assert_eq!(event["after"]["deliveries"], 2);
    assert_eq!(events(&other, "delivery.held").await, [] as [Value; 0]);
}

#[tokio::test]
async fn while_reminders_are_paused_other_mail_goes_out_and_afterwards_nothing_is_lost() {
    let paused = [("TASKBELL_REMINDERS_PAUSED", "true")];
    let app = TestApp::with_settings(&paused).await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Late", 1).await;
    team.reminded_task(&project, "Too late", 1).await;
    let worker = app.work_with_settings(&paused);
    eventually("both are due for longer than Redis is waited for", async || {
        let overdue: i64 =
            sqlx::query_scalar("select count(*) from mails where next_at < clock_timestamp() - interval '5 seconds'")
                .fetch_one(&app.admin)
                .await
                .unwrap();
        (overdue == 2).then_some(())
    })
    .await;
    let _ = team.owner.post("/invitations", json!({ "email": "eve@example.org", "role": "guest" })).await.is(201);
    app.mail_to("eve@example.org").await;
    sqlx::query("update mails set expires_at = now() where kind = 'reminder' and id = (select max(id::text)::uuid from mails where kind = 'reminder')")
        .execute(&app.admin)
        .await
        .unwrap();
    let (db, _) = app.worker_db().await;
    let db = db.with_reminders_paused(true);
    let swept = mails::sweep(&db, Uncertain::Resend, 10).await.unwrap();
    assert_eq!((swept.expired, swept.overdue), (0, vec![]));
    assert_eq!(app.mail_states().await, ["scheduled", "scheduled", "sent"]);
    worker.stop().await;

    let worker = app.work();
    assert_eq!(app.all_settled().await, ["sent", "expired", "sent"]);
    worker.stop().await;
}

#[tokio::test]
async fn a_dead_mail_stays_dead_and_what_it_owed_goes_by_another_one() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Refused", 3600).await;
    let (db, _) = app.worker_db().await;
    let dead = ended(&app, &db, Outcome::Dead, Phase::Envelope).await;
    let mut operator = operator(&app).await;
    let delivery = delivery_of(&app, "Refused").await;
    let done = operator.retry(delivery).await.unwrap().unwrap();
    assert_eq!((done.id, done.state.as_str()), (dead, "dead"));
    assert_ne!(done.becomes, dead);
    assert!(operator.retry(dead).await.unwrap().is_none(), "it owes nothing any more");
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["dead", "sent"]);
    worker.stop().await;

    let story = operator.show(delivery).await.unwrap().unwrap();
    assert_eq!((story.mail, story.deliveries[0].id), (done.becomes, delivery));
    let first = story.steps[0].reason.clone().unwrap();
    assert!(first.contains(&dead.to_string()) && first.contains("550 no such user"), "{first}");
    let story = operator.show(dead).await.unwrap().unwrap();
    let last = story.steps.last().unwrap();
    assert!(last.reason.as_ref().unwrap().contains(&done.becomes.to_string()), "{last:?}");
    assert_eq!((story.state.as_str(), story.tries.len()), ("dead", 1));
    let event = &events(&team, "delivery.retried").await[0];
    assert_eq!((&event["subject_id"], &event["after"]["from"]), (&json!(delivery), &json!("dead")));
}

#[tokio::test]
async fn a_mail_of_unknown_fate_is_sent_again_when_an_operator_says_so_though_its_life_is_over() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Perhaps", 3600).await;
    let (db, _) = app.worker_db().await;
    let id = ended(&app, &db, Outcome::Uncertain, Phase::Body).await;
    set(&app, "expires_at = now()").await;
    let mut operator = operator(&app).await;
    assert_eq!(operator.retry_all("dead", None, std::time::Duration::from_hours(1)).await.unwrap().len(), 0);
    let done = operator.retry_all("uncertain", Some(&team.slug), std::time::Duration::from_hours(1)).await.unwrap();
    assert_eq!((done[0].id, done[0].becomes), (id, id));
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
    assert!(operator.retry(id).await.unwrap().is_none(), "what is sent is not sent again");
}

#[tokio::test]
async fn what_is_held_back_goes_out_when_an_operator_has_it_tried_again() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Perhaps", 3600).await;
    let (db, _) = app.worker_db().await;
    let id = ended(&app, &db, Outcome::Uncertain, Phase::Body).await;
    let mut operator = operator(&app).await;
    let delivery = delivery_of(&app, "Perhaps").await;
    assert_eq!(operator.hold(&Meant::One(delivery)).await.unwrap().len(), 1);
    assert_eq!(operator.retry(delivery).await.unwrap().unwrap().becomes, id);
    assert_eq!(operator.show(delivery).await.unwrap().unwrap().held_at, None);
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
}

#[tokio::test]
async fn what_operators_may_is_denied_to_the_application() {
    let app = TestApp::start().await;
    for role in ["taskbell_app", "taskbell_worker"] {
        let mut connection = app.connect_as(role).await;
        for call in [
            "admin_waiting()",
            "admin_hold('{}', 'x')",
            "admin_release('{}', null, true)",
            "admin_delivery(gen_random_uuid())",
        ] {
            let asked = sqlx::query(sqlx::AssertSqlSafe(format!("select {call}"))).execute(&mut connection).await;
            let fault = asked.unwrap_err();
            assert_eq!(fault.as_database_error().unwrap().code().as_deref(), Some("42501"), "{role}: {call}");
        }
    }
}
