//! A running program of ours.

use std::{process::ExitStatus, time::Duration};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::time::timeout;

use crate::{Error, Result};

/// A running program. Dropped, it is sent the signal that the death of its parent would send.
#[derive(Debug)]
pub struct Child {
    name: String,
    process: tokio::process::Child,
    on_parent_death: Signal,
}

impl Child {
    pub(super) fn new(name: String, process: tokio::process::Child, on_parent_death: Signal) -> Self {
        Self { name, process, on_parent_death }
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id, for as long as its end was not seen.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Waits for its end. May be dropped and called again, as in a `select!`.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.process.wait().await;
        status.map_err(Error::system(format!("wait for {}", self.name)))
    }

    /// How it ended, when it did.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.process.try_wait();
        status.map_err(Error::system(format!("look after {}", self.name)))
    }

    /// Sends it a signal; nothing happens when it has ended.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.unreaped() {
            // It may have ended this instant; whoever waits for it will learn that.
            let _ = kill_process(pid, signal);
        }
    }

    /// Asks it to stop with `signal`; kills it when it has not by the deadline.
    ///
    /// # Errors
    /// When the system cannot tell whether it ended.
    pub async fn stop(&mut self, signal: Signal, deadline: Duration) -> Result<ExitStatus> {
        self.signal(signal);
        match timeout(deadline, self.wait()).await {
            Ok(status) => status,
            Err(_) => self.kill().await,
        }
    }

    /// Kills it with `SIGKILL`, and the processes of its group with it.
    ///
    /// # Errors
    /// When the system cannot tell whether it ended.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        if let Some(pid) = self.unreaped() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        self.wait().await
    }

    /// The id, only while it cannot have been given to another process.
    fn unreaped(&self) -> Option<Pid> {
        self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(self.on_parent_death);
    }
}
