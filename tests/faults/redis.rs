use std::path::PathBuf;

use harness::{PASSWORD, TestApp};
use local::{Binaries, Progress, Redis};
use url::Url;

use crate::each_is_told_once;

/// A Redis of this test alone.
async fn own_redis(name: &str) -> (Redis, PathBuf) {
    let directory = std::env::temp_dir().join(format!("taskbell-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let binaries = Binaries::redis(Progress::quiet()).await.unwrap();
    (Redis::start(binaries, &directory, Progress::quiet()).await.unwrap(), directory)
}

#[tokio::test]
async fn without_any_redis_reminders_still_go_out() {
    let port = local::free_port().unwrap();
    let app = TestApp::with_redis(Url::parse(&format!("redis://127.0.0.1:{port}/")).unwrap()).await;
    let worker = app.work();
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for number in 0..20 {
        team.reminded_task(&project, &format!("Task {number}"), 1).await;
    }
    each_is_told_once(&app, 20).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_redis_that_dies_and_comes_back_empty_loses_no_mail_and_restarts_no_worker() {
    let (mut redis, directory) = own_redis("dies").await;
    let app = TestApp::with_redis(Url::parse(&redis.url()).unwrap()).await;
    let worker = app.work();
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for round in 0..3 {
        for number in 0..5 {
            team.reminded_task(&project, &format!("Round {round}, task {number}"), 1).await;
        }
        redis.kill().await.unwrap();
        redis.restart().await.unwrap();
    }
    each_is_told_once(&app, 15).await;
    // It ends when it is told to, and without an error: it has lived through all of this.
    worker.stop().await;
    redis.stop().await.unwrap();
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn flushall_loses_no_mail() {
    let (redis, directory) = own_redis("flush").await;
    let app = TestApp::with_redis(Url::parse(&redis.url()).unwrap()).await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for number in 0..10 {
        team.reminded_task(&project, &format!("Task {number}"), 1).await;
    }
    // All have been hinted at, nobody has looked, and then the hints are gone.
    harness::eventually("the hints are there", async || (app.queue.len().await.unwrap() == 10).then_some(())).await;
    app.flushall().await;
    let worker = app.work();
    each_is_told_once(&app, 10).await;
    worker.stop().await;
    redis.stop().await.unwrap();
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_redis_that_forgets_everything_forgives_no_guess() {
    let (redis, directory) = own_redis("forgets").await;
    let app = TestApp::with_redis(Url::parse(&redis.url()).unwrap()).await;
    let ada = app.person_with_password("ada").await;
    for _ in 0..12 {
        sqlx::query("update throttles set not_before = now()").execute(&app.admin).await.unwrap();
        app.sign_in(&ada.email, "not the password").await.is_problem(401, "wrong_password");
    }
    app.sign_in(&ada.email, PASSWORD).await.is_problem(429, "too_many_tries");
    app.flushall().await;
    app.sign_in(&ada.email, PASSWORD).await.is_problem(429, "too_many_tries");
    let _ = std::fs::remove_dir_all(directory);
}
