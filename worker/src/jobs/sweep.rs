//! Every second: what was left behind is repaired, and what Redis has forgotten is handed to the worker without it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use common::{
    config::Uncertain,
    db::Db,
    ids::MailId,
    mails::{self, Swept},
};
use tokio::{
    select,
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};
use tracing::{info, warn};

use crate::meters::Meters;

const PERIOD: Duration = Duration::from_secs(1);
/// How many overdue mails a round hands over: what a worker can send in a second, and some more.
const OVERDUE: i64 = 2_000;

/// Runs until `stopped` turns true. Overdue ids go into `bypass` as fast as the worker takes them, while the rounds go on; each
/// round replaces what is left of the one before, so nothing stale is handed over.
pub(crate) async fn sweep(
    db: Db,
    policy: Uncertain,
    bypass: mpsc::Sender<MailId>,
    meters: Arc<Meters>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut overdue = VecDeque::new();
    let mut reachable = true;
    loop {
        select! {
            biased;
            () = told(&mut stopped) => return,
            _ = ticks.tick() => match mails::sweep(&db, policy, OVERDUE).await {
                Ok(swept) => {
                    reachable = true;
                    meters.turned("sweep");
                    meters.swept(&swept);
                    log(&swept, overdue.is_empty());
                    overdue = swept.overdue.into();
                }
                Err(fault) => {
                    // Once per outage.
                    if std::mem::take(&mut reachable) {
                        warn!(fault = fault.story(), "a round of the sweep failed");
                    }
                }
            },
            Ok(place) = bypass.reserve(), if !overdue.is_empty() => {
                if let Some(id) = overdue.pop_front() {
                    place.send(id);
                }
            }
        }
    }
}

async fn told(stopped: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Only what is worth a line; `quiet` until now.
fn log(swept: &Swept, quiet: bool) {
    let Swept { reclaimed, uncertain, expired, overdue } = swept;
    if reclaimed + uncertain + expired > 0 {
        warn!(reclaimed, uncertain, expired, "mails that were left behind");
    }
    if quiet && !overdue.is_empty() {
        info!(overdue = overdue.len(), "overdue mails are taken from Postgres");
    }
}
