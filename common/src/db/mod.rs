//! Postgres: the pool of one process, the migrations, and the openers that mint every scope.

mod bootstrap;
mod connect;
mod transaction;

use std::sync::{Arc, LazyLock};

pub use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::sync::Notify;

pub use bootstrap::{MigrateError, RolePasswords, create_database, migrate, url_as};
pub(crate) use connect::connect_as_owner;
pub use connect::{ConnectError, connect, refuse_other_schema, refuse_powerful_role};
pub(crate) use transaction::Transaction;

use crate::{quotas::Quotas, secrets::ServerKey, sessions::Uses};

/// The migrations, built into the binary. A database that is ahead is fine: migrations expand before they contract
/// (migrations/README.md), so the binary of yesterday still runs on the schema of today.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../migrations");
    migrator.set_ignore_missing(true);
    migrator
});

/// What a process needs to open scopes: its pool, the deployment's key, whom to tell that mail was written, which
/// credentials were used of late, how much there may be of everything, and what waits for the operator.
#[derive(Clone, Debug)]
pub struct Db {
    pub(crate) pool: PgPool,
    pub(crate) key: ServerKey,
    pub(crate) owed: Arc<Notify>,
    pub(crate) uses: Uses,
    pub(crate) quotas: Quotas,
    /// Reminders and digests wait until the operator lets them go.
    pub(crate) paused: bool,
}

impl Db {
    /// Over a pool made by [`connect`].
    #[must_use]
    pub fn new(pool: PgPool, key: ServerKey, quotas: Quotas) -> Self {
        Self { pool, key, owed: Arc::default(), uses: Uses::default(), quotas, paused: false }
    }

    /// The same, whose reminders and digests may wait (`TASKBELL_REMINDERS_PAUSED`).
    #[must_use]
    pub fn with_reminders_paused(self, paused: bool) -> Self {
        Self { paused, ..self }
    }

    /// The server key, for what renders mails.
    #[must_use]
    pub fn key(&self) -> &ServerKey {
        &self.key
    }

    /// Woken when a commit has made mail due soon: the dispatcher need not wait for its next round.
    #[must_use]
    pub fn owed(&self) -> Arc<Notify> {
        Arc::clone(&self.owed)
    }

    /// Whether Postgres answers.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] mostly.
    pub async fn ping(&self) -> crate::Result<()> {
        sqlx::query!("select 1 as one").fetch_one(&self.pool).await?;
        Ok(())
    }

    /// Closes every connection; waits for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// How many connections exist and how many of them are idle.
    #[must_use]
    pub fn connections(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle())
    }
}
