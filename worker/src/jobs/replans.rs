//! Who lives by another clock, or wants to hear again, is planned for anew. Until then none of their reminders goes out.

use common::{Result, db::Db, reminders::replan_asked};
use tracing::info;

/// People a round.
const ROUND: u32 = 100;

/// Everybody who waits for it.
pub(crate) async fn replans(db: Db) -> Result<()> {
    loop {
        let people = replan_asked(&db, ROUND.into()).await?;
        if people > 0 {
            info!(people, "reminders were planned anew");
        }
        if people < ROUND.into() {
            return Ok(());
        }
    }
}
