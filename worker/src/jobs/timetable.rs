//! The timetable: each turn of a job is taken by one of all workers, and goes on without those that are gone.

use std::{pin::Pin, sync::Arc, time::Duration};

use common::{Result, db::Db, timetable};
use tokio::{
    select,
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tracing::warn;

use super::told;
use crate::meters::Meters;

/// How exact it is.
const TICK: Duration = Duration::from_millis(250);

type Deed = dyn Fn(Db) -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send + Sync;

/// Something that is done again and again.
#[derive(Clone)]
pub(crate) struct Job {
    name: &'static str,
    every: Duration,
    deed: Arc<Deed>,
}

impl Job {
    /// So often, whoever does it.
    pub(crate) fn new<F>(name: &'static str, every: Duration, deed: impl Fn(Db) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        Self { name, every, deed: Arc::new(move |db| Box::pin(deed(db))) }
    }

    async fn turn(self, db: Db, meters: Arc<Meters>) -> &'static str {
        if let Err(fault) = (self.deed)(db.clone()).await {
            warn!(job = self.name, fault = fault.story(), "a turn failed; the next one comes in its time");
        } else if let Err(fault) = timetable::end(&db, self.name).await {
            warn!(job = self.name, %fault, "that a turn has ended could not be noted");
        } else {
            meters.turned(self.name);
        }
        self.name
    }
}

/// Runs until `stopped` turns true; then waits for the turns in hand.
pub(crate) async fn timetable(db: Db, jobs: Vec<Job>, meters: Arc<Meters>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut turns = JoinSet::new();
    let mut running: Vec<&'static str> = Vec::new();
    let (mut known, mut reachable) = (false, true);
    loop {
        select! {
            biased;
            () = told(&mut stopped) => break,
            Some(ended) = turns.join_next() => {
                // One that panicked is not known by name: all of them may begin again, which each of them stands.
                match ended {
                    Ok(name) => running.retain(|other| *other != name),
                    Err(_) => running.clear(),
                }
            }
            _ = ticks.tick() => match take(&db, &jobs, &running, &mut known).await {
                Ok(taken) => {
                    reachable = true;
                    for job in taken {
                        running.push(job.name);
                        turns.spawn(job.turn(db.clone(), Arc::clone(&meters)));
                    }
                }
                Err(fault) => {
                    // Once per outage.
                    if std::mem::take(&mut reachable) {
                        warn!(fault = fault.story(), "the timetable cannot be read");
                    }
                }
            },
        }
    }
    while turns.join_next().await.is_some() {}
}

async fn take(db: &Db, jobs: &[Job], running: &[&str], known: &mut bool) -> Result<Vec<Job>> {
    if !*known {
        timetable::know(db, &jobs.iter().map(|job| job.name).collect::<Vec<_>>()).await?;
        *known = true;
    }
    let idle: Vec<(&str, Duration)> =
        jobs.iter().filter(|job| !running.contains(&job.name)).map(|job| (job.name, job.every)).collect();
    let taken = timetable::take(db, &idle).await?;
    Ok(jobs.iter().filter(|job| taken.iter().any(|name| name == job.name)).cloned().collect())
}
