//! Two workers, one of which stands still and then goes on as if nothing had been.

use std::time::Duration;

use harness::verify::{
    Queue,
    proxy::{Point, Side},
    smtp::{Phase, Then},
};
use tokio::time::Instant;

use crate::stage::Stage;

/// Longer than a worker may stand still between `sending` and the body (`worker/src/jobs/deliver.rs`).
const STILL: Duration = Duration::from_millis(5_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stood_still_with_a_claim_sends_nothing_of_it() {
    let (mut stage, _api) = Stage::new(Queue::Own).await;
    let trap = stage.world.smtp.trap(Phase::Data);
    let mut still = stage.world.start_worker().await;
    let asked = stage.ask(1);
    let caught = trap.sprung().await;
    still.pause();
    stage.promised(asked).await;
    stage.world.end_leases().await;
    let mut other = stage.world.start_worker().await;
    stage.settle().await;
    assert_eq!(stage.came(), (1, 1));
    still.resume();
    caught.then(Then::GoOn);
    // It says no more, and hangs up or asks for the next mail: both workers live, and send what comes.
    let asked = stage.ask(4);
    stage.promised(asked).await;
    stage.settle().await;
    still.stop().await;
    other.stop().await;
    assert_eq!(stage.came(), (5, 5));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stood_still_before_the_body_writes_none() {
    let (mut stage, _api) = Stage::new(Queue::Own).await;
    let watched = stage.world.proxy.watch(Point { statement: "from mark_sending(", after: None, side: Side::After });
    let mut still = stage.world.start_worker_over_proxy().await;
    let asked = stage.ask(1);
    let held = watched.reached().await;
    let since = Instant::now();
    still.pause();
    held.go_on();
    stage.promised(asked).await;
    stage.world.end_leases().await;
    let mut other = stage.world.start_worker().await;
    stage.settle().await;
    // This is about the time itself.
    tokio::time::sleep_until(since + STILL).await;
    still.resume();
    still.stop().await;
    other.stop().await;
    assert_eq!(stage.came(), (1, 1));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stood_still_in_the_body_may_repeat_a_mail_and_a_mailbox_can_tell() {
    let (mut stage, _api) = Stage::new(Queue::Own).await;
    let trap = stage.world.smtp.trap(Phase::Body);
    let mut still = stage.world.start_worker().await;
    let asked = stage.ask(1);
    let caught = trap.sprung().await;
    still.pause();
    stage.promised(asked).await;
    stage.world.end_leases().await;
    let mut other = stage.world.start_worker().await;
    stage.settle().await;
    // The body had left it before it stood still.
    caught.then(Then::GoOn);
    still.resume();
    still.stop().await;
    other.stop().await;
    assert_eq!(stage.came(), (2, 1));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_overtaken_before_the_body_writes_none() {
    let (mut stage, _api) = Stage::new(Queue::Own).await;
    let (first, second) = (stage.world.smtp.trap(Phase::Data), stage.world.smtp.trap(Phase::Data));
    let mut still = stage.world.start_worker().await;
    let asked = stage.ask(1);
    let caught = first.sprung().await;
    still.pause();
    stage.promised(asked).await;
    stage.world.end_leases().await;
    let mut other = stage.world.start_worker().await;
    let also = second.sprung().await;
    // Both are as far as the 354 with the same mail, and the one that lost it goes on first, to the end of what it has in hand.
    still.resume();
    caught.then(Then::GoOn);
    still.stop().await;
    assert_eq!(stage.came(), (0, 0));
    also.then(Then::GoOn);
    stage.settle().await;
    other.stop().await;
    assert_eq!(stage.came(), (1, 1));
    stage.end().await;
}
