//! What is due to disappear: organizations and accounts that were deleted a while ago, sign-ups that nobody confirmed, answers that
//! were kept for a day.

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
}

/// One round; several workers may run it at once.
///
/// # Errors
/// The database's.
pub async fn purge(db: &Db) -> Result<Purged> {
    let purged = sqlx::query_as!(
        Purged,
        r#"select organizations as "organizations!", accounts as "accounts!", sign_ups as "sign_ups!" from purge()"#
    )
    .fetch_one(&db.pool)
    .await?;
    sqlx::query!("select forget_answers()").execute(&db.pool).await?;
    Ok(purged)
}
