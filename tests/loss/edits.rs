//! What somebody changes while a mail is on its way.

use harness::verify::{
    Queue,
    smtp::{Phase, Then},
};

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_moved_while_it_was_being_sent_is_not_sent_again() {
    let (mut stage, _api) = Stage::new(Queue::Own).await;
    let mut doomed = stage.world.start_worker().await;
    let trap = stage.world.smtp.trap(Phase::Dot);
    // It is moved a second after it was due, when the worker is dead and nobody knows what became of it.
    let asked = stage.ask_moved(1_000, 3_000);
    let caught = trap.sprung().await;
    doomed.kill().await;
    caught.then(Then::HangUp);
    stage.promised(asked).await;
    stage.world.end_leases().await;
    let mut other = stage.world.start_worker().await;
    stage.settle().await;
    other.stop().await;
    let journal = stage.world.smtp.journal();
    assert_eq!(journal.len(), 1, "the new time alone");
    stage.end_with(1).await;
}
