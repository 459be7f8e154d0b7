//! What is due to disappear: organizations, accounts and tasks that were deleted a while ago, sign-ups that nobody confirmed,
//! answers that were kept for a day.

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
    let tasks = sqlx::query_scalar!(r#"select purge_tasks() as "tasks!""#).fetch_one(&db.pool).await?;
    Ok(Purged { organizations: gone.organizations, accounts: gone.accounts, sign_ups: gone.sign_ups, tasks })
}
