//! When and from where credentials were last used: noted in memory as requests pass, written in bulk, off their path.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};
use tracing::warn;

use crate::{db::Db, error::Result, secrets::TokenHash};

/// How often is written; a credential's row at most once a minute (`stamp_uses`).
const PAUSE: Duration = Duration::from_secs(5);

/// The credentials used since the last writing. A process that is killed forgets them: a session then looks idle for a
/// moment longer than it was.
#[derive(Clone, Debug, Default)]
pub struct Uses(Arc<Mutex<HashMap<[u8; 32], Option<IpAddr>>>>);

impl Uses {
    pub(crate) fn note(&self, hash: &TokenHash, address: Option<IpAddr>) {
        let bytes = hash.as_bytes().try_into().unwrap_or([0; 32]);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(bytes, address);
    }

    fn take(&self) -> HashMap<[u8; 32], Option<IpAddr>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes down what was noted.
///
/// # Errors
/// The database's; then it is forgotten.
pub async fn write_down(db: &Db) -> Result<()> {
    let uses = db.uses.take();
    if uses.is_empty() {
        return Ok(());
    }
    let (hashes, addresses): (Vec<Vec<u8>>, Vec<Option<String>>) =
        uses.into_iter().map(|(hash, address)| (hash.to_vec(), address.map(|a| a.to_string()))).unzip();
    sqlx::query!("select stamp_uses($1, $2::text[]::inet[])", &hashes, &addresses as _).execute(&db.pool).await?;
    Ok(())
}

/// Writes down again and again until `stop` says so; what comes after is [`write_down`]'s, when the last request is answered.
pub async fn keep_writing(db: Db, mut stop: watch::Receiver<bool>) {
    while timeout(PAUSE, stop.wait_for(|stop| *stop)).await.is_err() {
        if let Err(fault) = write_down(&db).await {
            warn!(fault = fault.story(), "the last uses of credentials could not be written down");
        }
    }
}
