//! Dispatch: mails that fall due are hinted at through Redis. The API does it, which enqueues; the worker does it too, so
//! that either suffices.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::{debug, warn};

use crate::{db::Db, error::Result, ids::MailId, wakeups::Queue};

/// How many ids may wait in Redis: the absence of all workers must not grow the list.
const OUTSTANDING: usize = 2_000;
/// How many ids one round takes.
const ROUND: i32 = 500;
/// Rounds without news.
const PERIOD: Duration = Duration::from_secs(1);
/// Commits in quick succession share a round.
const REST: Duration = Duration::from_millis(10);
/// A hint must not be early, or its mail waits for the bypass: what remains is rounded up by this much.
const MARGIN: Duration = Duration::from_millis(2);

/// Runs until `stopped` turns true. Looks a little further ahead than a period, and pushes each id when its time has come.
pub async fn run(db: Db, queue: Queue, mut stopped: watch::Receiver<bool>) {
    let owed = db.owed();
    let mut reachable = true;
    while !*stopped.borrow() {
        let taken = match round(&db, &queue).await {
            Ok(taken) => {
                reachable = true;
                taken
            }
            Err(fault) => {
                // Once per outage: the worker's bypass delivers meanwhile.
                if std::mem::take(&mut reachable) {
                    warn!(%fault, "due mail cannot be hinted at; the worker finds it without");
                }
                0
            }
        };
        if taken < ROUND.unsigned_abs() as usize {
            tokio::select! {
                _ = timeout(PERIOD, owed.notified()) => sleep(REST).await,
                _ = stopped.changed() => {}
            }
        }
    }
}

/// One round: takes what falls due before the round after the next.
async fn round(db: &Db, queue: &Queue) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    if queue.len().await? >= OUTSTANDING {
        return Ok(0);
    }
    let due = take_due(db, ROUND, PERIOD * 3 / 2).await?;
    let taken = due.len();
    if taken > 0 {
        debug!(taken, "due mail taken");
        tokio::spawn(push_in_time(queue.clone(), due, Instant::now()));
    }
    Ok(taken)
}

/// Pushes each id when its wait is over, those that are due together in one command.
async fn push_in_time(queue: Queue, mut due: Vec<(MailId, Duration)>, taken: Instant) {
    due.sort_by_key(|(_, wait)| *wait);
    let mut rest = due.as_slice();
    while let Some((_, wait)) = rest.first() {
        sleep_until(taken + *wait).await;
        let ripe = rest.partition_point(|(_, wait)| taken + *wait <= Instant::now());
        let (now, later) = rest.split_at(ripe.max(1));
        let ids: Vec<MailId> = now.iter().map(|(id, _)| *id).collect();
        if let Err(fault) = queue.push(&ids).await {
            warn!(%fault, ids = ids.len(), "hints were lost; the worker finds the mails without them");
        }
        rest = later;
    }
}

/// Marks mails that fall due within `horizon` as hinted at, and tells how long each has to wait.
async fn take_due(db: &Db, most: i32, horizon: Duration) -> Result<Vec<(MailId, Duration)>> {
    let rows = sqlx::query!(
        r#"select id as "id!: MailId", wait_ms as "wait_ms!" from take_turns($1, $2 * interval '1 second', interval '15 seconds', $3)"#,
        most,
        horizon.as_secs_f64(),
        db.paused,
    )
    .fetch_all(&db.pool)
    .await?;
    let wait = |ms: f64| Duration::from_secs_f64(ms / 1000.0) + if ms > 0.0 { MARGIN } else { Duration::ZERO };
    Ok(rows.into_iter().map(|row| (row.id, wait(row.wait_ms))).collect())
}
