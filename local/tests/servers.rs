//! The private servers, for real: they start, answer, come back with their data, and die with us.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at what it did not expect")]

mod support;

use std::time::Duration;

use local::{Binaries, DataDir, Error, Options, Postgres, PostgresOptions, Progress, Redis, Service, Services};
use support::{Scratch, ask_redis, gone, listens, parent, sign_in};

fn postgres_in(scratch: &Scratch) -> PostgresOptions {
    PostgresOptions { dir: scratch.path().to_owned(), durable: false, max_connections: 20 }
}

#[tokio::test]
async fn postgres_answers_and_survives_a_crash_with_its_data_and_port() {
    let scratch = Scratch::new("postgres");
    let binaries = Binaries::postgres(Progress::quiet()).await.unwrap();
    let mut postgres = Postgres::start(binaries.clone(), postgres_in(&scratch), Progress::quiet()).await.unwrap();
    let (url, identity) = (postgres.url(), scratch.read("postgres/global/pg_control"));
    sign_in(&url).await.unwrap();

    postgres.kill().await.unwrap();
    assert!(!listens(postgres.port()).await);
    postgres.restart().await.unwrap();
    sign_in(&url).await.unwrap();
    assert_eq!(scratch.read("postgres/global/pg_control")[..8], identity[..8], "another cluster");

    // The next run finds the same cluster, password and port.
    postgres.stop().await.unwrap();
    let again = Postgres::start(binaries, postgres_in(&scratch), Progress::quiet()).await.unwrap();
    assert_eq!(again.url(), url);
    sign_in(&url).await.unwrap();
    again.stop().await.unwrap();
}

#[tokio::test]
async fn redis_answers_only_who_knows_its_password_and_comes_back_on_its_port() {
    let scratch = Scratch::new("redis");
    let binaries = Binaries::redis(Progress::quiet()).await.unwrap();
    let mut redis = Redis::start(binaries, scratch.path(), Progress::quiet()).await.unwrap();
    let url = redis.url();
    assert_eq!(ask_redis(&url, "PING").await.unwrap(), "+PONG");
    let wrong = format!("redis://:wrong@127.0.0.1:{}/", redis.port());
    assert!(ask_redis(&wrong, "PING").await.unwrap().starts_with("-NOAUTH"));

    redis.kill().await.unwrap();
    assert!(!listens(redis.port()).await);
    redis.restart().await.unwrap();
    assert_eq!(ask_redis(&url, "PING").await.unwrap(), "+PONG");
    redis.stop().await.unwrap();
}

#[tokio::test]
async fn services_tell_what_died_and_bring_it_back_under_the_same_url() {
    let scratch = Scratch::new("services");
    // On another thread, too: the cli may start its services while it does other things.
    let mut services = tokio::spawn(Services::start(scratch.options())).await.unwrap().unwrap();
    let second = Services::start(scratch.options()).await;
    assert!(matches!(second, Err(Error::InUse(_))), "two runs on one directory");

    services.redis().unwrap().kill().await.unwrap();
    assert_eq!(services.watch().await.unwrap(), Service::Redis);
    services.restart(Service::Redis).await.unwrap();
    assert_eq!(ask_redis(&services.redis_url, "PING").await.unwrap(), "+PONG");

    services.postgres().unwrap().kill().await.unwrap();
    assert_eq!(services.watch().await.unwrap(), Service::Postgres);
    services.restart(Service::Postgres).await.unwrap();
    sign_in(&services.database_url).await.unwrap();

    services.stop().await.unwrap();
    DataDir::reset(scratch.path()).await.unwrap();
    assert!(!scratch.path().exists());
}

#[tokio::test]
async fn a_named_server_is_used_and_none_is_started() {
    let scratch = Scratch::new("named");
    let named = Options {
        database_url: Some("postgres://elsewhere/taskbell".into()),
        redis_url: Some("redis://elsewhere/".into()),
        ..scratch.options()
    };
    let mut services = Services::start(named).await.unwrap();
    assert_eq!(services.database_url, "postgres://elsewhere/taskbell");
    assert!(services.postgres().is_none() && services.redis().is_none());
    services.stop().await.unwrap();
}

#[tokio::test]
async fn the_servers_die_with_a_parent_that_is_killed() {
    let scratch = Scratch::new("orphans");
    let mut family = parent::start(&scratch).await;
    for pid in &family.children {
        assert!(!gone(*pid), "a server is not running");
    }
    family.kill().await;
    let dying = async {
        while !family.children.iter().all(|pid| gone(*pid)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), dying).await.expect("a server outlived its parent");

    // Its lock went with it, and its data is good.
    let services = Services::start(scratch.options()).await.unwrap();
    sign_in(&services.database_url).await.unwrap();
    services.stop().await.unwrap();
}

/// Not a test of its own: the process that the test above kills is this one, run again.
#[tokio::test]
async fn plays_the_parent() {
    parent::play().await;
}
