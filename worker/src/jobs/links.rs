//! Every hour while the server key is changed: links that nobody has seen go over to the present one.

use std::time::Duration;

use common::{db::Db, mails::renew_links};
use tokio::{
    select,
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tracing::{info, warn};

const PERIOD: Duration = Duration::from_hours(1);

/// Runs until `stopped` turns true; the first round is at once. Again and again, since another process may still know the key of before
/// alone and plan mails with it.
pub(crate) async fn links(db: Db, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        select! {
            biased;
            // A sender that is gone means the same.
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = ticks.tick(), if db.key().has_before() => {}
        }
        match renew_links(&db).await {
            Ok(renewed) => info!(renewed, "the links of mails that wait fit the present server key"),
            Err(fault) => warn!(fault = fault.story(), "links could not be given to the present server key"),
        }
    }
}
