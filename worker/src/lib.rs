//! The worker: takes the ids of due mails from Redis, or from Postgres when Redis is gone, and hands the mails to an SMTP
//! server. Knows Redis and SMTP only; what a mail is, and when it is due, is `common`'s.
//!
//! ```text
//! an id arrives   jobs::deliver      claim, write, hand over, record
//! every second    jobs::sweep        repair what was left behind, bypass Redis
//! every second    common::dispatch   hint at what falls due (the API does it too: either suffices)
//! every minute    jobs::purge        what is due to disappear does
//! every hour      jobs::links        while the server key is changed: links go over to the new one
//! ```

mod error;
#[doc(hidden)]
pub mod fuzz;
mod jobs;
mod mail;
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
use jobs::{Mailer, deliver, links, purge, sweep};
use mail::Letterhead;
use smtp::{Relay, Server};

/// Mails in hand at the same time. They wait for the mail server, not for a processor.
const CONCURRENCY: usize = 32;
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
    let mailer = Arc::new(mailer(&db, settings)?);
    info!(worker = mailer.worker, "the worker is ready");
    if paused {
        warn!("TASKBELL_REMINDERS_PAUSED: reminders and digests wait, other mail goes on");
    }

    // The register list and the timetable. Each part runs until `stop`; one that ends earlier ends the process.
    let (stop, stopped) = watch::channel(false);
    let mut parts = JoinSet::new();
    let wakeups = queue.receive(pulse::pulse(settings.heartbeat.clone()));
    let reading = wakeups.stop();
    let sweep = sweep(db.clone(), settings.uncertain, wakeups.bypass(), stopped.clone());
    parts.spawn(sweep.map(|()| Ok("sweep")));
    parts.spawn(purge(db.clone(), stopped.clone()).map(|()| Ok("purge")));
    parts.spawn(links(db.clone(), stopped.clone()).map(|()| Ok("links")));
    let dispatcher = dispatch::run(db.clone(), queue, stopped.clone());
    parts.spawn(dispatcher.map(|()| Ok("dispatcher")));
    let deliveries = WorkerBuilder::new(mailer.worker.as_str())
        .backend(wakeups)
        .catch_panic()
        .concurrency(CONCURRENCY)
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

fn mailer(db: &Db, settings: &Settings) -> Result<Mailer, WorkerError> {
    let server = Server::from_url(&settings.smtp_url()?, &settings.base_url)
        .map_err(|why| unusable("TASKBELL_SMTP_URL", &why))?;
    let letterhead =
        Letterhead::new(&settings.mail_from, &settings.base_url).map_err(|why| unusable("TASKBELL_MAIL_FROM", &why))?;
    Ok(Mailer { db: db.clone(), relay: Relay::new(server, CONCURRENCY), letterhead, worker: name() })
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
