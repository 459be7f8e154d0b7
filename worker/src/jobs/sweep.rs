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

use super::told;
use crate::meters::Meters;

const PERIOD: Duration = Duration::from_secs(1);
/// How many overdue mails a round hands over: what a worker can send in a second, and some more.
const OVERDUE: i32 = 2_000;

/// Runs until `stopped` turns true. Overdue ids go into `bypass` as fast as the worker takes them, while the rounds go on, and
/// fill up what was taken.
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
            _ = ticks.tick() => match mails::sweep(&db, policy, room(&overdue)).await {
                Ok(swept) => {
                    reachable = true;
                    meters.turned("sweep");
                    meters.swept(&swept);
                    log(&swept, overdue.is_empty());
                    overdue.extend(swept.overdue);
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

/// What is marked as handed out is not dropped for something newer: it would come back after three seconds only.
fn room(overdue: &VecDeque<MailId>) -> i32 {
    OVERDUE.saturating_sub(i32::try_from(overdue.len()).unwrap_or(OVERDUE))
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
