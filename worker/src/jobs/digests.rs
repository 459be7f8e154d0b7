//! Whoever has set an hour for it is told of their day.

use common::{Result, db::Db, digests::owe_due};
use tracing::info;

/// People a round.
const ROUND: u32 = 100;

/// Everybody whose hour has come.
pub(crate) async fn digests(db: Db) -> Result<()> {
    loop {
        let people = owe_due(&db, ROUND.into()).await?;
        if people > 0 {
            info!(people, "digests are owed");
        }
        if people < ROUND.into() {
            return Ok(());
        }
    }
}
