//! The HTTP side of Taskbell. No SQL here, and no decision about who may do what: those are the domain's.

mod answer;
mod batch;
mod catchers;
mod database;
mod fairings;
#[doc(hidden)]
pub mod fuzz;
mod guards;
mod meters;
mod openapi;
mod pages;
mod problem;
mod reference;
mod routes;
mod table;
mod tags;

use std::{io, net::IpAddr};

use common::{
    config::{Settings, SettingsError},
    db::{self, ConnectError, Db},
    dispatch,
    exchange::Desk,
    sessions,
    wakeups::Queue,
};
use rocket::{
    Build, Rocket,
    config::{Ident, LogLevel, Shutdown, Sig},
    fairing::AdHoc,
    figment::Figment,
};
use tokio::sync::watch;
use url::Url;

/// Why the API could not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A setting is missing or wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] ConnectError),
    /// The queue's URL cannot be read.
    #[error("TASKBELL_REDIS_URL is not a Redis URL (redis://host:6379): {0}")]
    Queue(String),
    /// Somebody else listens there.
    #[error("the API cannot listen on {address}:{port}: {why}")]
    Bind {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
        /// What the system said.
        why: io::Error,
    },
    /// Where metrics shall be shown, that cannot be.
    #[error(transparent)]
    Metrics(#[from] metrics::NotBound),
    /// Anything else that Rocket reports.
    #[error("the API cannot run: {0}")]
    Rocket(String),
}

/// The server, ready to launch.
///
/// # Errors
/// The first setting that is missing or wrong.
pub fn server(settings: &Settings) -> Result<Rocket<Build>, ApiError> {
    let queue = Queue::open(&settings.redis_url()?, &settings.redis_namespace)
        .map_err(|fault| ApiError::Queue(fault.to_string()))?;
    let dispatch =
        AdHoc::on_liftoff("dispatch", |rocket| Box::pin(async move { dispatch_until_shutdown(rocket, queue) }));
    let uses = AdHoc::on_liftoff("uses", |rocket| Box::pin(async move { note_uses_until_shutdown(rocket) }));
    let rocket = database::attach(rocket::custom(figment(settings)?), settings.server_key()?, settings)
        .attach(dispatch)
        .attach(uses)
        .manage(settings.registration)
        .manage(Desk::new(settings.spool_directory.clone(), settings.import_limit))
        .manage(settings.trusted_proxies.clone());
    let rocket = meters::attach(rocket, settings.metrics_address)?;
    Ok(pages::mount(routes::mount(fairings::attach(rocket, settings), settings.base_url.clone()))
        .register("/", catchers::all()))
}

/// The API's description of itself, as `/openapi.json` gives it: `OpenAPI` 3.1. `home` is where the deployment says it lives.
#[must_use]
pub fn description(home: Option<&Url>) -> serde_json::Value {
    openapi::document(&routes::contents(), home.map(Url::as_str))
}

/// Runs the API until it is told to stop (SIGTERM, SIGINT).
///
/// # Errors
/// See [`ApiError`]; each is one sentence.
pub async fn run(settings: &Settings) -> Result<(), ApiError> {
    let rocket = server(settings)?;
    // Asked before Rocket starts: it would report a failed connection as a failed fairing.
    let pool = db::connect(&settings.database_url()?, 1).await?;
    db::refuse_powerful_role(&pool).await?;
    db::refuse_other_schema(&pool).await?;
    pool.close().await;
    let rocket = rocket.launch().await.map_err(|error| match error.kind() {
        rocket::error::ErrorKind::Bind(why) => ApiError::Bind {
            address: settings.address,
            port: settings.port,
            why: io::Error::new(why.kind(), why.to_string()),
        },
        other => ApiError::Rocket(other.to_string()),
    })?;
    // Only now: Rocket's own hook would close the pool under requests that are still being answered.
    if let Some(db) = rocket.state::<Db>() {
        if let Err(fault) = sessions::write_down(db).await {
            tracing::warn!(fault = fault.story(), "the last uses of credentials could not be written down");
        }
        db.close().await;
    }
    Ok(())
}

fn dispatch_until_shutdown(rocket: &Rocket<rocket::Orbit>, queue: Queue) {
    let Some(db) = rocket.state::<Db>() else { return };
    let stopped = until_shutdown(rocket);
    tokio::spawn(dispatch::run(db.clone(), queue, stopped));
}

fn note_uses_until_shutdown(rocket: &Rocket<rocket::Orbit>) {
    let Some(db) = rocket.state::<Db>() else { return };
    let stop = until_shutdown(rocket);
    tokio::spawn(sessions::keep_writing(db.clone(), stop));
}

/// Becomes true when the server is told to stop.
fn until_shutdown(rocket: &Rocket<rocket::Orbit>) -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    let shutdown = rocket.shutdown();
    tokio::spawn(async move {
        shutdown.await;
        stop.send_replace(true);
    });
    stopped
}

fn figment(settings: &Settings) -> Result<Figment, SettingsError> {
    let shutdown = Shutdown {
        // The binary decides about Ctrl-C for all its processes; SIGINT still stops an API that runs alone.
        ctrlc: true,
        signals: [Sig::Term].into(),
        // Rocket's default of two seconds cuts requests that take four.
        grace: 10,
        mercy: 5,
        force: false,
        ..Shutdown::default()
    };
    let rocket = rocket::Config {
        address: settings.address,
        port: settings.port,
        ident: Ident::none(),
        ip_header: None,
        // One canonical line for each request is written by a fairing; Rocket's own lines cost a third of the throughput.
        log_level: LogLevel::Off,
        shutdown,
        ..rocket::Config::default()
    };
    Ok(Figment::from(rocket)
        .merge(("databases.taskbell.url", settings.database_url()?.as_str()))
        .merge(("databases.taskbell.connections", settings.database_connections)))
}
