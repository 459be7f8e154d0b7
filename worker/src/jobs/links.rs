//! While the server key is changed: links that nobody has seen go over to the present one.

use common::{Result, db::Db, mails::renew_links};
use tracing::info;

/// One round. Again and again, since another process may still know the key of before alone and plan mails with it.
pub(crate) async fn links(db: Db) -> Result<()> {
    let renewed = renew_links(&db).await?;
    info!(renewed, "the links of mails that wait fit the present server key");
    Ok(())
}
