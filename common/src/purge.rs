//! What is due to disappear: organizations, accounts and tasks that were deleted a while ago, sign-ups that nobody confirmed,
//! answers that were kept for a day.

use std::num::NonZeroU32;

use crate::{db::Db, error::Result};

/// What a round has made disappear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Organizations, with everything in them.
    pub organizations: i64,
    /// Accounts; an emptied row stays of each.
    pub accounts: i64,
    /// Sign-ups.
    pub sign_ups: i64,
    /// Tasks.
    pub tasks: i64,
}

/// One round; several workers may run it at once.
///
/// # Errors
/// The database's.
pub async fn purge(db: &Db) -> Result<Purged> {
    let gone = sqlx::query!(
        r#"select organizations as "organizations!", accounts as "accounts!", sign_ups as "sign_ups!" from purge()"#
    )
    .fetch_one(&db.pool)
    .await?;
    sqlx::query!("select forget_answers()").execute(&db.pool).await?;
    // What mails to erased accounts said (`what_mails_to_somebody_whose_account_is_erased_said_is_forgotten_at_their_end`).
    sqlx::query!("select forget_erased()").execute(&db.pool).await?;
    let tasks = sqlx::query_scalar!(r#"select purge_tasks() as "tasks!""#).fetch_one(&db.pool).await?;
    Ok(Purged { organizations: gone.organizations, accounts: gone.accounts, sign_ups: gone.sign_ups, tasks })
}

/// How many rows a transaction forgets.
const ROUND: i32 = 10_000;

/// Forgets the steps and tries of mails that ended more than so many days ago; how many those were.
///
/// # Errors
/// The database's.
pub async fn forget_tries(db: &Db, days: NonZeroU32) -> Result<i64> {
    let days = i32::try_from(days.get()).unwrap_or(i32::MAX);
    let mut all = 0;
    loop {
        let forgotten = sqlx::query_scalar!(r#"select forget_tries($1, $2) as "forgotten!""#, days, ROUND)
            .fetch_one(&db.pool)
            .await?;
        all += forgotten;
        if forgotten == 0 {
            return Ok(all);
        }
    }
}
