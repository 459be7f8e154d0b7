use std::time::Duration;

use harness::verify::{
    Queue,
    scenarios::{self, APART, Size},
    strikes::Blows,
};
use local::Signal;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn without_any_redis_nothing_is_lost() {
    let size = Size {
        reminders: 300,
        over: Duration::from_secs(10),
        blows: Blows::default(),
        edited: 10,
        each: APART,
        patience: Duration::from_mins(1),
        watched: false,
    };
    let report = scenarios::without_redis("T3", rand::random(), size).await;
    println!("{report}");
    assert!(report.is_kept());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_full_and_one_that_never_answers_lose_nothing() {
    let (mut stage, _api) = Stage::new(Queue::Own).await;
    let mut worker = stage.world.start_worker().await;
    assert!(stage.world.redis_command(&["CONFIG", "SET", "maxmemory", "1"]).await);
    assert!(!stage.world.redis_command(&["RPUSH", "anything", "whatever"]).await, "it is full");
    let asked = stage.ask(30);
    stage.promised(asked).await;
    stage.settle().await;
    assert!(stage.world.redis_command(&["CONFIG", "SET", "maxmemory", "0"]).await);

    // It takes connections, and answers nothing on them.
    let redis = stage.world.redis.as_ref().unwrap();
    redis.signal(Signal::STOP);
    let asked = stage.ask(30);
    stage.promised(asked).await;
    stage.settle().await;
    stage.world.redis.as_ref().unwrap().signal(Signal::CONT);
    let asked = stage.ask(10);
    stage.promised(asked).await;
    stage.settle().await;
    worker.stop().await;
    assert_eq!(stage.came(), (70, 70));
    stage.end().await;
}
