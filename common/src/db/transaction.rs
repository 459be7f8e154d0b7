//! A transaction that was opened by one of the openers of `migrations/0017_openers.sql`, in one round trip.

use std::ops::{Deref, DerefMut};

use sqlx::{AssertSqlSafe, Database, PgConnection, PgPool, Postgres, SqlSafeStr, pool::PoolConnection};
use sqlx_core::transaction::TransactionManager;

type Manager = <Postgres as Database>::TransactionManager;

/// An open transaction with a verified context. Dropped, it is rolled back: the ROLLBACK goes out when the connection
/// returns to the pool.
#[derive(Debug)]
pub(crate) struct Transaction {
    connection: PoolConnection<Postgres>,
}

impl Transaction {
    /// Sends `select <opener>; begin` as one message. In this order: BEGIN turns the implicit transaction into the explicit
    /// one, so what the opener set stays, and a refusal leaves a clean connection (tests/api/pool.rs:
    /// `a_storm_of_bad_tokens_leaves_every_connection_usable`).
    ///
    /// `opener` must be made of values that cannot carry SQL: hashes, ids, slugs and numbers.
    pub(crate) async fn open(pool: &PgPool, opener: &str) -> Result<Self, sqlx::Error> {
        Self::send(pool, format!("select {opener}; begin")).await
    }

    /// The same, and every statement sees what the first one saw. To be said before the opener, which is a statement too
    /// (`tests/api/organization_export.rs`: `an_export_is_of_one_moment`).
    pub(crate) async fn open_still(pool: &PgPool, opener: &str) -> Result<Self, sqlx::Error> {
        Self::send(pool, format!("set transaction isolation level repeatable read; select {opener}; begin")).await
    }

    async fn send(pool: &PgPool, statement: String) -> Result<Self, sqlx::Error> {
        let mut opening = Opening { connection: Some(pool.acquire().await?) };
        match Manager::begin(opening.connection()?, Some(AssertSqlSafe(statement).into_sql_str())).await {
            Ok(()) => Ok(Self { connection: opening.finish()? }),
            // Refused by the opener: Postgres has ended the implicit transaction, the connection is as new.
            Err(refusal @ sqlx::Error::Database(_)) => {
                drop(opening.finish()?);
                Err(refusal)
            }
            Err(fault) => Err(fault),
        }
    }

    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        Manager::commit(&mut self.connection).await
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // Nothing to do after a commit: the depth is zero then.
        Manager::start_rollback(&mut self.connection);
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// A connection whose begin has been sent but not answered. Dropped in this state it is closed, not returned: it may hold
/// an open transaction *with a tenant's context*, of which sqlx knows nothing (launchbadge/sqlx#4385; tests/api/pool.rs:
/// `a_begin_cut_half_way_never_leaks_a_tenant`).
struct Opening {
    connection: Option<PoolConnection<Postgres>>,
}

impl Opening {
    fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    fn finish(&mut self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        self.connection.take().ok_or(sqlx::Error::PoolClosed)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}
