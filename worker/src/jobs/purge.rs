//! Every minute: what is due to disappear does.

use std::{sync::Arc, time::Duration};

use common::{
    db::Db,
    purge::{Purged, purge as round},
};
use tokio::{
    select,
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tracing::{info, warn};

use crate::meters::Meters;

const PERIOD: Duration = Duration::from_mins(1);

/// Runs until `stopped` turns true. Every worker does it: a round takes what no other one has in hand.
pub(crate) async fn purge(db: Db, meters: Arc<Meters>, mut stopped: watch::Receiver<bool>) {
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
        match round(&db).await {
            Ok(purged) => {
                reachable = true;
                meters.turned("purge");
                log(purged);
            }
            Err(fault) => {
                // Once per outage.
                if std::mem::take(&mut reachable) {
                    warn!(fault = fault.story(), "a round of the purge failed");
                }
            }
        }
    }
}

/// Only what is worth a line.
fn log(purged: Purged) {
    let Purged { organizations, accounts, sign_ups, tasks } = purged;
    if purged != Purged::default() {
        info!(organizations, accounts, sign_ups, tasks, "what was due to disappear is gone");
    }
}
