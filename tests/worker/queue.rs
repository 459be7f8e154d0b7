//! The list in Redis, and the traps that decided for it (docs/adr/0001).

use common::ids::MailId;
use harness::{TestApp, eventually};

#[tokio::test]
async fn redis_holds_ids_and_nothing_else() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "A secret title", 1).await;
    // No worker runs: the id stays where the dispatcher has put it.
    eventually("the id is in the queue", async || (app.queue.len().await.unwrap() == 1).then_some(())).await;
    let values = app.queued().await;
    let id: uuid::Uuid = sqlx::query_scalar("select id from mails").fetch_one(&app.admin).await.unwrap();
    assert_eq!(values, [id.to_string()]);
}

#[tokio::test]
async fn a_stop_gives_back_every_id_it_had_not_started() {
    let app = TestApp::start().await;
    let ids: Vec<MailId> = (0..100).map(|_| MailId::new()).collect();
    app.queue.push(&ids).await.unwrap();
    // Read, but started by nobody: dropped into apalis' hands and closed at once.
    app.read_and_close().await;
    let mut back = app.queued().await;
    let mut expected: Vec<String> = ids.iter().map(ToString::to_string).collect();
    back.sort_unstable();
    expected.sort_unstable();
    assert_eq!(back, expected);
}

#[tokio::test]
async fn junk_in_the_list_stops_nobody() {
    let app = TestApp::start().await;
    let worker = app.work();
    app.push_raw(&["", "not an id", "{\"json\":1}", "\u{0}\u{1}"]).await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "After the junk", 1).await;
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
}

#[tokio::test]
async fn nobodys_absence_grows_the_list_beyond_its_cap() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Many", 3600).await;
    // 6,000 mails due now, and no worker.
    sqlx::query(
        "with many as (select gen_random_uuid() as id from generate_series(1, 6000)),
              written as (insert into mails (id, org_id, account_id, kind, due_at, next_at, expires_at)
                  select id, $1, $2, 'reminder', now(), now(), now() + interval '1 hour' from many)
         insert into deliveries (id, org_id, account_id, mail_id, kind, reminder_id, task_id, generation, due_at)
         select gen_random_uuid(), $1, $2, id, 'reminder', $3, $4, 1 + row_number() over (), now() from many",
    )
    .bind(team.id.0)
    .bind(team.member.id.0)
    .bind(task["reminders"][0]["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap())
    .bind(task["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap())
    .execute(&app.admin)
    .await
    .unwrap();
    eventually("the cap is reached", async || (app.queue.len().await.unwrap() >= 2_000).then_some(())).await;
    // The dispatcher's own round is 500: that is how far it may overshoot.
    for _ in 0..30 {
        assert!(app.queue.len().await.unwrap() <= 2_500);
        tokio::task::yield_now().await;
    }
}
