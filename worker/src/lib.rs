//! The worker: takes the ids of due mails from Redis, or from Postgres when Redis is gone, and hands the mails to an SMTP
//! server. Knows Redis and SMTP only; what a mail is, and when it is due, is `common`'s.
//!
//! ```text
//! an id arrives   jobs::deliver      claim, write, hand over, record
//! every second    jobs::sweep        repair what was left behind, bypass Redis
//! every second    common::dispatch   hint at what falls due (the API does it too: either suffices)
//! a turn comes    jobs::timetable    what one worker does for all of them: see `turns`
//! ```

mod error;
#[doc(hidden)]
pub mod fuzz;
mod jobs;
mod mail;
mod meters;
mod pulse;
mod smtp;

use std::{sync::Arc, time::Duration};

use apalis::prelude::{Event, EventListenerExt, WorkerBuilder, WorkerBuilderExt, WorkerContext};
use common::{
    config::Settings,
    db::{self, Db},
    dispatch,
    wakeups::Queue,
};
use futures::FutureExt;
use tokio::{
    select,
    sync::watch,
    task::{JoinError, JoinSet},
    time::timeout,
};
use tracing::{error, info, warn};

pub use error::WorkerError;
use error::unusable;
use jobs::{Desk, Job, Mailer, deliver, forget_tries, links, purge, replans, sweep, timetable};
use mail::Letterhead;
use smtp::{Breaker, Limits, Pace, Patience, Relay, Server};

/// Mails in hand for each connection to the mail server: while one half is with it, the other is with Postgres.
const IN_HAND: usize = 2;
/// How long a stop waits for the mails in hand; what is cut off then is repaired by another worker's sweep.
const GRACE: Duration = Duration::from_secs(25);
/// How long Postgres may take to close its connections.
const FAREWELL: Duration = Duration::from_secs(3);

/// Runs until `shutdown`, then brings the mails in hand to their ends.
///
/// # Errors
/// At the start when something is missing or the role is too powerful; later when a part of it ends on its own.
pub async fn run(settings: &Settings, shutdown: impl Future<Output = ()>) -> Result<(), WorkerError> {
    let pool = db::connect(&settings.database_url()?, settings.database_connections).await?;
    db::refuse_powerful_role(&pool).await?;
    db::refuse_other_schema(&pool).await?;
    let paused = settings.reminders_paused();
    let db = Db::new(pool, settings.server_key()?, settings.quotas()).with_reminders_paused(paused);
    let queue = Queue::open(&settings.redis_url()?, &settings.redis_namespace)
        .map_err(|fault| unusable("TASKBELL_REDIS_URL", &fault))?;
    let (stop, stopped) = watch::channel(false);
    let mailer = Arc::new(mailer(&db, settings, stopped.clone())?);
    info!(worker = mailer.worker, "the worker is ready");
    if paused {
        warn!("TASKBELL_REMINDERS_PAUSED: reminders and digests wait, other mail goes on");
    }

    // The register list. Each part runs until `stop`; one that ends earlier ends the process.
    let mut parts = JoinSet::new();
    if let Some(address) = settings.metrics_address {
        let shown = meters::show(&mailer, address, &queue, stopped.clone())?;
        parts.spawn(shown.map(|()| Ok("metrics")));
    }
    let wakeups = queue.receive(pulse::pulse(settings.heartbeat.clone()));
    let reading = wakeups.stop();
    let sweep = sweep(db.clone(), settings.uncertain, wakeups.bypass(), Arc::clone(&mailer.meters), stopped.clone());
    parts.spawn(sweep.map(|()| Ok("sweep")));
    let jobs = timetable(db.clone(), turns(settings, &db), Arc::clone(&mailer.meters), stopped.clone());
    parts.spawn(jobs.map(|()| Ok("timetable")));
    let dispatcher = dispatch::run(db.clone(), queue, stopped.clone());
    parts.spawn(dispatcher.map(|()| Ok("dispatcher")));
    let deliveries = WorkerBuilder::new(mailer.worker.as_str())
        .backend(wakeups)
        .catch_panic()
        .concurrency(usize::from(settings.smtp_connections.get()) * IN_HAND)
        .data(Arc::clone(&mailer))
        .on_event(log)
        .build(deliver)
        .run_until(stop_of(stopped));
    parts.spawn(deliveries.map(|end| end.map(|()| "deliveries").map_err(WorkerError::from)));

    let end = select! {
        () = shutdown => Ok(()),
        Some(part) = parts.join_next() => Err(fault_of(part)),
    };
    info!("the worker stops: no more ids are taken, mails in hand are brought to their ends");
    stop.send_replace(true);
    reading.send_replace(true);
    if timeout(GRACE, rest(&mut parts)).await.is_err() {
        warn!("mails in hand were cut off; the sweep of another worker, or the next start, repairs them");
        parts.shutdown().await;
    }
    mailer.relay.close();
    if timeout(FAREWELL, db.close()).await.is_err() {
        warn!("the database did not take leave");
    }
    end
}

/// The timetable: each turn is one worker's, whichever that is.
fn turns(settings: &Settings, db: &Db) -> Vec<Job> {
    let days = settings.keep_attempts;
    let mut turns = vec![
        Job::new("replans", Duration::from_secs(1), replans),
        Job::new("purge", Duration::from_mins(1), purge),
        Job::new("forget_tries", Duration::from_hours(1), move |db| forget_tries(db, days)),
    ];
    if db.key().has_before() {
        turns.push(Job::new("links", Duration::from_hours(1), links));
    }
    turns
}

fn mailer(db: &Db, settings: &Settings, stopped: watch::Receiver<bool>) -> Result<Mailer, WorkerError> {
    let patience = Patience { command: settings.smtp_timeout, body: settings.smtp_body_timeout };
    let server = Server::from_url(&settings.smtp_url()?, &settings.base_url, patience)
        .map_err(|why| unusable("TASKBELL_SMTP_URL", &why))?;
    let limits = Limits { connections: settings.smtp_connections.get().into() };
    let letterhead = Letterhead::new(&settings.mail_from, &settings.base_url)
        .map_err(|why| unusable("TASKBELL_MAIL_FROM", &why))?
        .with_repeat(settings.idempotency_header.as_deref())
        .map_err(|why| unusable("TASKBELL_IDEMPOTENCY_HEADER", &why))?;
    let worker = name();
    Ok(Mailer {
        db: db.clone(),
        relay: Relay::new(server, limits),
        breaker: Breaker::default(),
        pace: Pace::new(settings.smtp_rate.map(|rate| rate.get().into())),
        desk: Desk::open(db, &worker),
        letterhead,
        worker,
        stopped,
        meters: Arc::default(),
    })
}

/// Unique among processes, and still telling an operator where to look.
fn name() -> String {
    let host = rustix::system::uname();
    format!("{}/{}/{:08x}", host.nodename().to_string_lossy(), std::process::id(), rand::random::<u32>())
}

async fn stop_of(mut stopped: watch::Receiver<bool>) -> Result<(), apalis::prelude::WorkerError> {
    // A sender that is gone means the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
    Ok(())
}

/// A job ends in the database, never in an error: what arrives here is a panic, whose mail the sweep repairs.
fn log(_: &WorkerContext, event: &Event) {
    if let Event::Error(fault) = event {
        error!(%fault, "a delivery panicked");
    }
}

type Part = Result<Result<&'static str, WorkerError>, JoinError>;

fn fault_of(part: Part) -> WorkerError {
    match part {
        Ok(Ok(name)) => WorkerError::Ended(name),
        Ok(Err(fault)) => fault,
        Err(fault) => fault.into(),
    }
}

/// Waits for all that still runs.
async fn rest(parts: &mut JoinSet<Result<&'static str, WorkerError>>) {
    while let Some(part) = parts.join_next().await {
        if !matches!(part, Ok(Ok(_))) {
            let fault = fault_of(part);
            error!(%fault, "a part of the worker failed while it was stopped");
        }
    }
}
