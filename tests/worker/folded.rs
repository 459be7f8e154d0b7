//! Many reminders in one mail: each is still owed, or not, by itself.

use harness::{Team, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

/// Three reminders of the member's, due now and carried by the mail of the first; their deliveries.
async fn three_in_one(app: &TestApp, team: &Team) -> (Vec<Value>, Vec<Uuid>) {
    let project = team.project("OPS", "open").await;
    let mut tasks = Vec::new();
    for title in ["Oil the gears", "Water the plants", "Wind the clock"] {
        tasks.push(team.reminded_task(&project, title, 3600).await);
    }
    let delivery = |task: &Value| task["reminders"][0]["plan"][0]["delivery_id"].as_str().unwrap().parse().unwrap();
    let deliveries: Vec<Uuid> = tasks.iter().map(delivery).collect();
    sqlx::query(
        "with carrier as (select mail_id from deliveries where id = $1), moved as (
             update deliveries d set mail_id = c.mail_id from carrier c where d.id = any($2) returning 1)
         update mails m set state = 'cancelled', reason = 'folded' from carrier c where m.id <> c.mail_id",
    )
    .bind(deliveries[0])
    .bind(&deliveries)
    .execute(&app.admin)
    .await
    .unwrap();
    (tasks, deliveries)
}

async fn due_now(app: &TestApp) {
    sqlx::query("update mails set due_at = now() - interval '10 minutes', next_at = now() where state = 'scheduled'")
        .execute(&app.admin)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_folded_mail_tells_all_that_is_owed_and_links_each() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (tasks, deliveries) = three_in_one(&app, &team).await;
    sqlx::query("update deliveries set due_at = now() - interval '10 minutes' where id = $1")
        .bind(deliveries[1])
        .execute(&app.admin)
        .await
        .unwrap();
    due_now(&app).await;
    let worker = app.work();
    let mail = app.mail_to(&team.member.email).await;
    assert_eq!(app.all_settled().await, ["sent", "cancelled", "cancelled"]);
    worker.stop().await;
    assert_eq!(app.inbox.messages().len(), 1);
    assert_eq!(mail.subject(), "3 tasks: Water the plants, Oil the gears, Wind the clock (1 delayed)");
    let text = mail.text().unwrap();
    assert_eq!(text.matches("(delayed, was ").count(), 1, "{text}");
    for (task, delivery) in tasks.iter().zip(&deliveries) {
        let token = app.key.mailed_token(common::secrets::Purpose::Delivery, *delivery).reveal();
        let (key, link) = (task["key"].as_str().unwrap(), format!("/links/mail/{token}"));
        assert!(text.contains(key) && text.contains(&link) && mail.html().unwrap().contains(&link), "{text}");
        // Each link is about its own task.
        let page = app.stranger().get(&link).await.is(200).text().to_owned();
        assert!(page.contains(task["title"].as_str().unwrap()), "{page}");
    }
}

#[tokio::test]
async fn what_is_not_owed_any_more_is_taken_out_of_a_folded_mail_with_its_own_reason() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (_, deliveries) = three_in_one(&app, &team).await;
    // Both slip past what is cancelled in its own transaction.
    sqlx::raw_sql(
        "update tasks set status = 'completed', completed_at = now(), completed_by = created_by where title = 'Oil the gears';
         insert into task_watches (org_id, task_id, account_id, state)
         select t.org_id, t.id, d.account_id, 'muted' from tasks t join deliveries d on d.task_id = t.id where t.title = 'Water the plants'
         on conflict (org_id, task_id, account_id) do update set state = 'muted'",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    due_now(&app).await;
    let worker = app.work();
    let mail = app.mail_to(&team.member.email).await;
    assert_eq!(app.all_settled().await, ["sent", "cancelled", "cancelled"]);
    worker.stop().await;
    assert_eq!(mail.subject(), "Wind the clock [OPS-3]");
    let told = async |delivery: Uuid| {
        let log = team.member.get(&format!("/deliveries/{delivery}")).await.is(200).json();
        (log["state"].clone(), log["reason"].clone())
    };
    assert_eq!(told(deliveries[0]).await, (json!("cancelled"), json!("task completed")));
    assert_eq!(told(deliveries[1]).await, (json!("cancelled"), json!("muted")));
    assert_eq!(told(deliveries[2]).await.0, json!("sent"));
}

#[tokio::test]
async fn what_was_frozen_stays_as_it_is_but_for_what_nobody_is_owed_any_more() {
    let app = TestApp::start().await;
    let team = app.team().await;
    three_in_one(&app, &team).await;
    due_now(&app).await;
    // It came as far as `sending` once, and said this.
    let (db, _) = app.worker_db().await;
    let id: Uuid =
        sqlx::query_scalar("select id from mails where state = 'scheduled'").fetch_one(&app.admin).await.unwrap();
    let claim = common::mails::claim(&db, common::ids::MailId(id), "hand").await.unwrap().unwrap();
    let scope = db.for_job(claim.org, claim.account).await.unwrap();
    let said = common::mails::content(scope, &claim).await.unwrap().unwrap();
    assert_eq!(said.deliveries.len(), 3);
    assert!(common::mails::mark_sending(&db, &claim, &said).await.unwrap());
    let lost = common::mails::Attempt { worker: "hand", phase: common::mails::Phase::Body, reply: None };
    let again = common::mails::Outcome::Retry(std::time::Duration::ZERO);
    assert!(common::mails::finish(&db, &claim, &again, &lost).await.unwrap());
    // Then a title changes, and one of the three is done.
    sqlx::raw_sql(
        "update tasks set title = 'Oil all the gears' where title = 'Oil the gears';
         update tasks set status = 'completed', completed_at = now(), completed_by = created_by where title = 'Water the plants'",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    let worker = app.work();
    let mail = app.mail_to(&team.member.email).await;
    app.all_settled().await;
    worker.stop().await;
    assert_eq!(mail.subject(), "2 tasks: Oil the gears, Wind the clock");
    assert_eq!(mail.header("Date"), Some(said.date.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()));
    // It was in the first try, and that one was not taken.
    let log = team.member.get("/deliveries").await.is(200).json();
    let mut told: Vec<_> = log["data"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, ["cancelled", "sent", "sent"]);
}

#[tokio::test]
async fn nobody_is_reminded_while_their_reminders_are_planned_anew() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Oil the gears", 1).await;
    let replan = "insert into replans (org_id, account_id) select org_id, account_id from mails";
    sqlx::raw_sql(replan).execute(&app.admin).await.unwrap();
    // A worker that plans nothing: a claim by hand, and what it is told.
    let (db, _) = app.worker_db().await;
    let claim = harness::eventually("it is due", async || {
        let id: Uuid = sqlx::query_scalar("select id from mails").fetch_one(&app.admin).await.unwrap();
        common::mails::claim(&db, common::ids::MailId(id), "hand").await.unwrap()
    })
    .await;
    let read = async || {
        let scope = db.for_job(claim.org, claim.account).await.unwrap();
        common::mails::content(scope, &claim).await.unwrap()
    };
    assert!(matches!(read().await, Err(common::mails::Unsaid::NotNow(_))));
    sqlx::raw_sql("delete from replans").execute(&app.admin).await.unwrap();
    assert!(read().await.is_ok());
}

#[tokio::test]
async fn waiting_for_a_plan_is_no_try() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Oil the gears", 1).await;
    let replan = "insert into replans (org_id, account_id) select org_id, account_id from mails";
    sqlx::raw_sql(replan).execute(&app.admin).await.unwrap();
    // Somebody else has the planning in hand, and takes their time.
    let mut held = app.admin.begin().await.unwrap();
    sqlx::raw_sql("select from replans for update").execute(&mut *held).await.unwrap();
    let worker = app.work();
    harness::eventually("the mail was asked for three times", async || {
        let asked: i64 =
            sqlx::query_scalar("select count(*) from mail_steps where from_state = 'claimed' and to_state = 'retry'")
                .fetch_one(&app.admin)
                .await
                .unwrap();
        (asked >= 3).then_some(())
    })
    .await;
    held.rollback().await.unwrap();
    app.mail_to(&team.member.email).await;
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
    let id = team.member.get("/deliveries").await.is(200).text_at("/data/0/id");
    let log = team.member.get(&format!("/deliveries/{id}")).await.is(200).json();
    assert_eq!((&log["attempts"], log["tries"].as_array().unwrap().len()), (&json!(1), 1), "{log}");
}
