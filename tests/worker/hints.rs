//! Whose turn it is: leases, hints, organizations.

use harness::{Team, TestApp, eventually};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

/// So many mails of a team, due now, in one commit; several teams at once.
async fn owe(app: &TestApp, teams: &[(&Team, &Value, i32)]) {
    let mut transaction = app.admin.begin().await.unwrap();
    for (team, task, count) in teams {
        sqlx::query(
            "with many as (select gen_random_uuid() as id from generate_series(1, $5)),
                  written as (insert into mails (id, org_id, account_id, kind, due_at, next_at, expires_at)
                      select id, $1, $2, 'reminder', now(), now(), now() + interval '1 hour' from many)
             insert into deliveries (id, org_id, account_id, mail_id, kind, reminder_id, task_id, generation, due_at)
             select gen_random_uuid(), $1, $2, id, 'reminder', $3, $4, 1 + row_number() over (), now() from many",
        )
        .bind(team.id.0)
        .bind(team.member.id.0)
        .bind(task["reminders"][0]["id"].as_str().unwrap().parse::<Uuid>().unwrap())
        .bind(task["id"].as_str().unwrap().parse::<Uuid>().unwrap())
        .bind(count)
        .execute(&mut *transaction)
        .await
        .unwrap();
    }
    transaction.commit().await.unwrap();
}

async fn team(app: &TestApp) -> (Team, Value) {
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Many", 3600).await;
    (team, task)
}

#[tokio::test]
async fn organizations_take_turns() {
    let app = TestApp::start().await;
    let ((big, bigs), (small, smalls)) = (team(&app).await, team(&app).await);
    owe(&app, &[(&big, &bigs, 1_500), (&small, &smalls, 5)]).await;
    let queued = eventually("the first round is given", async || {
        let queued = app.queued().await;
        (queued.len() >= 100).then_some(queued)
    })
    .await;
    let of_the_small: Vec<Uuid> = sqlx::query_scalar("select id from mails where org_id = $1 and due_at <= now()")
        .bind(small.id.0)
        .fetch_all(&app.admin)
        .await
        .unwrap();
    // A round is 500.
    let round = &queued[..queued.len().min(500)];
    let there = of_the_small.iter().filter(|id| round.contains(&id.to_string())).count();
    assert_eq!(there, 5, "the few wait behind the many");
}

#[tokio::test]
async fn a_hint_that_led_to_nothing_is_given_again() {
    let app = TestApp::start().await;
    let (team, task) = team(&app).await;
    owe(&app, &[(&team, &task, 1)]).await;
    // No worker runs: the hint stays where it is, and is not given twice.
    eventually("the hint is given", async || (app.queue.len().await.unwrap() == 1).then_some(())).await;
    let aged = "update mails set queued_at = queued_at - interval '16 seconds' where queued_at is not null";
    sqlx::query(aged).execute(&app.admin).await.unwrap();
    eventually("it is given again", async || (app.queue.len().await.unwrap() == 2).then_some(())).await;
    let queued = app.queued().await;
    assert_eq!(queued[0], queued[1]);
}

#[tokio::test]
async fn a_lease_is_renewed_while_its_worker_lives() {
    let app = TestApp::start().await;
    let (team, task) = team(&app).await;
    // A mail server that never greets holds the worker before the body.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp+plain://{}", silent.local_addr().unwrap());
    let worker = app.work_with(&Url::parse(&url).unwrap());
    owe(&app, &[(&team, &task, 1)]).await;
    let lease = "select extract(epoch from lease_until)::float8 from mails where state = 'claimed'";
    let look = async || sqlx::query_scalar::<_, f64>(lease).fetch_optional(&app.admin).await.unwrap();
    let granted = eventually("the mail is claimed", look).await;
    let renewed = eventually("the lease is renewed", async || look().await.filter(|lease| *lease > granted)).await;
    assert!((2.0..8.0).contains(&(renewed - granted)), "{}", renewed - granted);
    assert_eq!(app.mail_states().await.iter().filter(|state| *state == "claimed").count(), 1);
    worker.crash().await;
}
