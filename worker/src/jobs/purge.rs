//! What is due to disappear does.

use std::num::NonZeroU32;

use common::{
    Result,
    db::Db,
    purge::{self, Purged},
};
use tracing::info;

/// One round.
pub(crate) async fn purge(db: Db) -> Result<()> {
    let purged = purge::purge(&db).await?;
    // Only what is worth a line.
    if purged != Purged::default() {
        let Purged { organizations, accounts, sign_ups, tasks } = purged;
        info!(organizations, accounts, sign_ups, tasks, "what was due to disappear is gone");
    }
    Ok(())
}

/// What became of mails that ended so many days ago.
pub(crate) async fn forget_tries(db: Db, days: NonZeroU32) -> Result<()> {
    let forgotten = purge::forget_tries(&db, days).await?;
    if forgotten > 0 {
        info!(forgotten, "steps and tries of mails that ended long ago are forgotten");
    }
    Ok(())
}
