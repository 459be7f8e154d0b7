//! Where mails are kept: in memory, and in files when they are to last.

use std::{
    path::PathBuf,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use tokio::sync::watch;

use super::{file, message::Message, session::Envelope};
use crate::Result;

/// All mails of an inbox.
#[derive(Debug)]
pub(super) struct Store {
    directory: Option<PathBuf>,
    messages: RwLock<Vec<Arc<Message>>>,
    next_id: AtomicU64,
    arrivals: watch::Sender<()>,
}

impl Store {
    /// With the mails of earlier runs, when there is a directory.
    pub(super) fn open(directory: Option<PathBuf>) -> Result<Self> {
        let messages = match &directory {
            Some(directory) => file::read_all(directory)?,
            None => Vec::new(),
        };
        let last_id = messages.last().map_or(0, |message| message.id);
        Ok(Self {
            directory,
            messages: RwLock::new(messages.into_iter().map(Arc::new).collect()),
            next_id: AtomicU64::new(last_id + 1),
            arrivals: watch::Sender::new(()),
        })
    }

    /// Keeps a mail, on disk first, and wakes who waits for it.
    pub(super) fn add(&self, envelope: Envelope, raw: Vec<u8>, received_at: SystemTime) -> Result<u64> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let message = Message { id, from: envelope.from, to: envelope.to, received_at, raw };
        if let Some(directory) = &self.directory {
            file::write(directory, &message)?;
        }
        self.messages.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(message));
        self.arrivals.send_replace(());
        Ok(id)
    }

    pub(super) fn messages(&self) -> Vec<Arc<Message>> {
        self.messages_from(0)
    }

    /// The mails after the first `seen`, in the order of their arrival.
    pub(super) fn messages_from(&self, seen: usize) -> Vec<Arc<Message>> {
        let messages = self.messages.read().unwrap_or_else(PoisonError::into_inner);
        messages.get(seen..).unwrap_or_default().to_vec()
    }

    pub(super) fn message(&self, id: u64) -> Option<Arc<Message>> {
        let messages = self.messages.read().unwrap_or_else(PoisonError::into_inner);
        messages.iter().find(|message| message.id == id).cloned()
    }

    /// Changes whenever a mail arrives.
    pub(super) fn arrivals(&self) -> watch::Receiver<()> {
        self.arrivals.subscribe()
    }
}
