//! Postgres as Rocket knows it: `rocket_db_pools` starts and ends the pool, and no handler can get at a connection.

use common::{
    config::Settings,
    db::{self, ConnectError, Db, PgPool},
    quotas::Quotas,
    secrets::ServerKey,
};
use rocket::{
    Build, Rocket,
    fairing::{self, AdHoc},
    figment::Figment,
};
use rocket_db_pools::{Database, Pool};
use serde::Deserialize;
use url::Url;

/// The database of Rocket's configuration.
#[derive(Debug, Database)]
#[database("taskbell")]
struct Postgres(Closed);

/// A pool that gives no connection away. What handlers and guards use is [`Db`], which opens scopes.
#[derive(Clone, Debug)]
struct Closed(PgPool);

/// `databases.taskbell` of Rocket's configuration.
#[derive(Deserialize)]
struct PoolConfig {
    url: Url,
    connections: u32,
}

/// Connects at ignition, and puts [`Db`] among Rocket's state.
pub(crate) fn attach(rocket: Rocket<Build>, key: ServerKey, settings: &Settings) -> Rocket<Build> {
    let (quotas, paused) = (settings.quotas(), settings.reminders_paused());
    let manage = move |rocket: Rocket<Build>| async move { manage(rocket, key, quotas, paused) };
    rocket.attach(Postgres::init()).attach(AdHoc::try_on_ignite("scopes", manage))
}

#[expect(clippy::result_large_err, reason = "the signature is Rocket's")]
fn manage(rocket: Rocket<Build>, key: ServerKey, quotas: Quotas, paused: bool) -> fairing::Result {
    match Postgres::fetch(&rocket).map(|Postgres(Closed(pool))| pool.clone()) {
        Some(pool) => Ok(rocket.manage(Db::new(pool, key, quotas).with_reminders_paused(paused))),
        None => Err(rocket),
    }
}

#[rocket::async_trait]
impl Pool for Closed {
    type Connection = std::convert::Infallible;
    type Error = ConnectError;

    async fn init(figment: &Figment) -> Result<Self, ConnectError> {
        let config: PoolConfig = figment.extract().map_err(|fault| ConnectError::NotAUrl(fault.to_string()))?;
        Ok(Self(db::connect(&config.url, config.connections).await?))
    }

    async fn get(&self) -> Result<Self::Connection, ConnectError> {
        Err(ConnectError::Closed)
    }

    /// Nothing: Rocket calls this before the grace period, when requests still run. `api::run` closes it after them.
    async fn close(&self) {}
}
