//! `kill -9`, or a connection that breaks, at a chosen point: around each commit and each word of the mail server.

use harness::verify::{
    Queue,
    process::Process,
    proxy::{Point, Side},
    smtp::{Phase, Then},
};

use crate::stage::Stage;

/// Commit 1, commit 2, commit 3: words that stand in their statements and nowhere else.
const CLAIM: &str = "set state = 'claimed'";
const MARK: &str = "from mark_sending(";
const FINISH: &str = "insert into attempts";

/// After a kill: the lease of the dead is over, and another worker sends what they had.
async fn recovered(stage: &mut Stage) -> Process {
    stage.world.end_leases().await;
    let worker = stage.world.start_worker_over_proxy().await;
    stage.settle().await;
    worker
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_word_of_the_mail_server_loses_nothing() {
    let (mut stage, _api) = Stage::new(Queue::Own).await;
    let mut doomed = stage.world.start_worker_over_proxy().await;
    for phase in Phase::ALL {
        let (copies, mails) = stage.came();
        let trap = stage.world.smtp.trap(phase);
        let asked = stage.ask(1);
        let caught = trap.sprung().await;
        doomed.kill().await;
        caught.then(Then::HangUp);
        stage.promised(asked).await;
        doomed = recovered(&mut stage).await;
        let (all, different) = stage.came();
        assert_eq!(different - mails, 1, "{phase:?}");
        match phase {
            // Taken, and its sender is dead: the one window.
            Phase::Taken => assert_eq!(all - copies, 2, "{phase:?}"),
            // The worker may have had the time for its third commit.
            Phase::Replied => assert!(all - copies <= 2, "{phase:?}"),
            _ => assert_eq!(all - copies, 1, "{phase:?}"),
        }
    }
    doomed.stop().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_around_any_of_its_commits_loses_nothing() {
    let (mut stage, _api) = Stage::new(Queue::Own).await;
    let mut doomed = stage.world.start_worker_over_proxy().await;
    for (statement, side, most) in [
        (CLAIM, Side::Before, 1),
        (CLAIM, Side::After, 1),
        (MARK, Side::Before, 1),
        (MARK, Side::After, 1),
        (FINISH, Side::Before, 2),
        (FINISH, Side::After, 1),
    ] {
        let (copies, mails) = stage.came();
        let watched = stage.world.proxy.watch(Point { statement, after: None, side });
        let asked = stage.ask(1);
        let held = watched.reached().await;
        doomed.kill().await;
        drop(held);
        stage.promised(asked).await;
        doomed = recovered(&mut stage).await;
        let (all, different) = stage.came();
        assert_eq!((all - copies, different - mails), (most, 1), "{side:?} {statement}");
    }
    doomed.stop().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_connection_breaks_around_any_of_its_commits_loses_nothing_and_repeats_nothing() {
    let (mut stage, _api) = Stage::new(Queue::Own).await;
    let mut worker = stage.world.start_worker_over_proxy().await;
    for statement in [CLAIM, MARK, FINISH] {
        for side in [Side::Before, Side::After] {
            let (copies, mails) = stage.came();
            let watched = stage.world.proxy.watch(Point { statement, after: None, side });
            let asked = stage.ask(1);
            let held = watched.reached().await;
            drop(held);
            stage.promised(asked).await;
            if (statement, side) == (CLAIM, Side::After) {
                // It is claimed by a worker that never heard of it.
                stage.world.end_leases().await;
            }
            stage.settle().await;
            let (all, different) = stage.came();
            assert_eq!((all - copies, different - mails), (1, 1), "{side:?} {statement}");
        }
    }
    worker.stop().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_lost_around_its_commit_keeps_what_it_promises_and_promises_it_once() {
    let (mut stage, mut direct) = Stage::new(Queue::Own).await;
    direct.stop().await;
    let mut worker = stage.world.start_worker().await;
    let mut api = stage.world.start_api_over_proxy().await;
    for side in [Side::Before, Side::After] {
        for kill in [true, false] {
            let (copies, mails) = stage.came();
            let point = Point { statement: "COMMIT", after: Some("insert into deliveries"), side };
            let watched = stage.world.proxy.watch(point);
            // The next API has to be there before it is due: what is past then is not owed.
            let asked = stage.ask_ahead(if kill { 8_000 } else { 1_500 });
            let held = watched.reached().await;
            if kill {
                api.kill().await;
            }
            drop(held);
            if kill {
                api = stage.world.start_api_over_proxy().await;
            }
            stage.promised(asked).await;
            stage.settle().await;
            let (all, different) = stage.came();
            assert_eq!((all - copies, different - mails), (1, 1), "{side:?}, killed: {kill}");
        }
    }
    worker.stop().await;
    stage.end().await;
}
