//! How much mail waits, for those who watch over a deployment.

use crate::{db::Db, error::Result};

/// At one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backlog {
    /// Due, in nobody's hands, and free to go.
    pub due: i64,
    /// Due, but held back or paused by an operator.
    pub held: i64,
    /// Due within the next hour.
    pub soon: i64,
    /// In the hands of workers.
    pub in_hand: i64,
    /// Nobody knows whether they were taken.
    pub uncertain: i64,
    /// Refused for good within the last hour.
    pub dead: i64,
    /// Too late within the last hour: no longer of use to anybody.
    pub expired: i64,
    /// For how many seconds the one has been due that waits longest of those that are free; 0 when none waits.
    pub oldest_seconds: f64,
}

/// Reads what four partial indexes have: little, unless much is due.
///
/// # Errors
/// The database's.
pub async fn backlog(db: &Db) -> Result<Backlog> {
    let row = sqlx::query_as!(
        Backlog,
        r#"with near as (
               select next_at, next_at <= now() as due, may_go(kind, held_at, $1) as free from mails
               where state in ('scheduled', 'retry') and next_at <= now() + interval '1 hour'
           )
           select count(*) filter (where due and free) as "due!", count(*) filter (where due and not free) as "held!",
                  count(*) filter (where not due) as "soon!",
                  coalesce(extract(epoch from now() - min(next_at) filter (where due and free)), 0)::float8 as "oldest_seconds!",
                  (select count(*) from mails where state in ('claimed', 'sending')) as "in_hand!",
                  (select count(*) from mails where state = 'uncertain') as "uncertain!",
                  (select count(*) from mail_steps where to_state = 'dead' and at > now() - interval '1 hour') as "dead!",
                  (select count(*) from mail_steps where to_state = 'expired' and at > now() - interval '1 hour') as "expired!"
           from near"#,
        db.paused,
    )
    .fetch_one(&db.pool)
    .await?;
    Ok(row)
}
