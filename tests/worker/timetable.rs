//! What is done again and again is done once, however many workers there are, and goes on without those that are gone.

use std::{collections::HashMap, time::Duration};

use common::timetable;
use harness::{TestApp, eventually};

#[tokio::test]
async fn of_three_workers_one_does_each_turn_and_the_others_go_on_when_it_is_killed() {
    let app = TestApp::start().await;
    let every = Duration::from_millis(200);
    let (told, mut turns) = tokio::sync::mpsc::unbounded_channel();
    // Three that look for work as workers do.
    let mut workers = Vec::new();
    for worker in 0..3 {
        let ((db, _), told) = (app.worker_db().await, told.clone());
        timetable::know(&db, &["a test"]).await.unwrap();
        workers.push(tokio::spawn(async move {
            loop {
                if !timetable::take(&db, &[("a test", every)]).await.unwrap().is_empty() {
                    let _ = told.send((worker, tokio::time::Instant::now()));
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }));
    }
    let mut seen = Vec::new();
    while seen.len() < 6 {
        seen.push(turns.recv().await.unwrap());
    }
    let took = seen[5].1 - seen[0].1;
    assert!(took >= every * 4, "six turns of {every:?} in {took:?}");
    // Whoever did the last one is killed.
    workers[seen[5].0].abort();
    for _ in 0..4 {
        let (worker, _) = turns.recv().await.unwrap();
        seen.push((worker, tokio::time::Instant::now()));
    }
    for worker in workers {
        worker.abort();
    }
    let by: HashMap<usize, usize> = seen[7..].iter().fold(HashMap::new(), |mut by, (worker, _)| {
        *by.entry(*worker).or_default() += 1;
        by
    });
    assert!(!by.contains_key(&seen[5].0), "{by:?}");
}

#[tokio::test]
async fn what_nobody_did_for_long_is_done_once_and_not_made_up_for() {
    let app = TestApp::start().await;
    let (db, _) = app.worker_db().await;
    timetable::know(&db, &["a test"]).await.unwrap();
    sqlx::query("update timetable set next_at = now() - interval '1 hour'").execute(&app.admin).await.unwrap();
    let minute = [("a test", Duration::from_mins(1))];
    assert_eq!(timetable::take(&db, &minute).await.unwrap(), ["a test"]);
    assert!(timetable::take(&db, &minute).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_worker_takes_its_turns_and_notes_their_ends() {
    let app = TestApp::start().await;
    let worker = app.work();
    eventually("each job has had its turn", async || {
        let ended: Vec<String> =
            sqlx::query_scalar("select job from timetable where ended_at is not null order by job")
                .fetch_all(&app.admin)
                .await
                .unwrap();
        (ended == ["digests", "forget_tries", "purge", "replans"]).then_some(())
    })
    .await;
    worker.stop().await;
}
