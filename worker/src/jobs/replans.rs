//! Every second: who lives by another clock is planned for anew. Until then none of their reminders goes out.

use std::time::Duration;

use common::{db::Db, reminders::replan_asked};
use tokio::{
    select,
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tracing::{info, warn};

const PERIOD: Duration = Duration::from_secs(1);
/// People a round.
const ROUND: u32 = 100;

/// Runs until `stopped` turns true. Every worker does it: a round takes whom no other one has in hand.
pub(crate) async fn replans(db: Db, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reachable = true;
    loop {
        select! {
            biased;
            // A sender that is gone means the same.
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = ticks.tick() => {}
        }
        match replan_asked(&db, ROUND.into()).await {
            Ok(people) => {
                reachable = true;
                if people > 0 {
                    info!(people, "reminders were planned anew");
                }
                // There may be more of them.
                if people >= ROUND.into() {
                    ticks.reset_immediately();
                }
            }
            Err(fault) => {
                // Once per outage.
                if std::mem::take(&mut reachable) {
                    warn!(fault = fault.story(), "a round of planning anew failed");
                }
            }
        }
    }
}
