//! Where exports and imports wait for their turn: they are heavy, and must not crowd out what is light.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::Spool;
use crate::error::{Error, Result};

/// How many of a process' connections exports and imports may have at once.
const SEATS: usize = 2;
/// How many files may lie open at once, being filled, worked on or sent.
const FILES: usize = 16;
/// How long somebody waits for a seat; no connection is held meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

/// The seats and the files of one process.
#[derive(Clone, Debug)]
pub struct Desk {
    directory: PathBuf,
    limit: u64,
    seats: Arc<Semaphore>,
    files: Arc<Semaphore>,
}

/// The right to work on one export or import.
#[derive(Debug)]
pub struct Seat(#[expect(dead_code, reason = "held, not looked at")] OwnedSemaphorePermit);

impl Desk {
    /// Files lie in `directory`; what is sent to us has at most `limit` bytes.
    #[must_use]
    pub fn new(directory: PathBuf, limit: u64) -> Self {
        Self { directory, limit, seats: Arc::new(Semaphore::new(SEATS)), files: Arc::new(Semaphore::new(FILES)) }
    }

    /// The most bytes of an import.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// An empty file.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many lie open, or the disk's.
    pub fn spool(&self) -> Result<Spool> {
        let place = Arc::clone(&self.files).try_acquire_owned().map_err(|_| Error::Busy)?;
        Spool::new(&self.directory, place)
    }

    /// A seat, which may take a while.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub async fn seat(&self) -> Result<Seat> {
        let seat = timeout(PATIENCE, Arc::clone(&self.seats).acquire_owned()).await;
        seat.ok().and_then(Result::ok).map(Seat).ok_or(Error::Busy)
    }
}
