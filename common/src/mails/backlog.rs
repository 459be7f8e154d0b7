//! How much mail waits, for those who watch over a deployment.

use crate::{db::Db, error::Result};

/// At one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backlog {
    /// Due, and in nobody's hands.
    pub due: i64,
    /// Due within the next hour.
    pub soon: i64,
    /// In the hands of workers.
    pub in_hand: i64,
    /// Nobody knows whether they were taken.
    pub uncertain: i64,
    /// For how many seconds the one has been due that waits longest; 0 when none waits.
    pub oldest_seconds: f64,
}

/// Reads the ends of four partial indexes and no table: with 100,000 mails due, some milliseconds.
///
/// # Errors
/// The database's.
pub async fn backlog(db: &Db) -> Result<Backlog> {
    let row = sqlx::query_as!(
        Backlog,
        r#"select (select count(*) from mails where state in ('scheduled', 'retry') and next_at <= now()) as "due!",
                  (select count(*) from mails where state in ('scheduled', 'retry') and next_at > now()
                                                and next_at <= now() + interval '1 hour') as "soon!",
                  (select count(*) from mails where state in ('claimed', 'sending')) as "in_hand!",
                  (select count(*) from mails where state = 'uncertain') as "uncertain!",
                  greatest(0, extract(epoch from now() - (select min(next_at) from mails where state in ('scheduled', 'retry'))),
                           0)::float8 as "oldest_seconds!""#
    )
    .fetch_one(&db.pool)
    .await?;
    Ok(row)
}
