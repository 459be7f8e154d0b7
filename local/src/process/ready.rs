//! Waiting until a server that was spawned can be used.

use std::{
    fs,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{Child, last_lines};
use crate::{Error, Result};

/// How long a server may take to its first answer, recovery after a crash included.
const DEADLINE: Duration = Duration::from_mins(1);

/// How often it is asked. Servers do not announce their readiness, so it has to be asked for.
const TICK: Duration = Duration::from_millis(10);

/// What a server writes to its log from now on.
#[derive(Debug)]
pub(crate) struct LogSince {
    path: PathBuf,
    begin: u64,
}

impl LogSince {
    /// From the present end of the log.
    pub(crate) fn now(path: &Path) -> Self {
        Self { path: path.to_owned(), begin: fs::metadata(path).map_or(0, |found| found.len()) }
    }

    fn read(&self) -> String {
        let mut text = Vec::new();
        let read = fs::File::open(&self.path).and_then(|mut log| {
            log.seek(SeekFrom::Start(self.begin))?;
            log.read_to_end(&mut text)
        });
        read.map_or_else(|error| error.to_string(), |_| String::from_utf8_lossy(&text).into_owned())
    }
}

/// Waits until `ready` says so.
///
/// # Errors
/// [`Error::PortTaken`] when it ended for that, [`Error::NotReady`] with the end of its log when it
/// ended otherwise or did not become ready in time; it does not run then.
pub(crate) async fn until_ready<F: Future<Output = bool>>(
    child: &mut Child,
    name: &'static str,
    port: u16,
    log: &LogSince,
    mut ready: impl FnMut() -> F,
) -> Result<()> {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let deadline = sleep(DEADLINE);
    tokio::pin!(deadline);
    let why = loop {
        tokio::select! {
            status = child.wait() => break format!("ended at its start ({})", status?),
            () = &mut deadline => {
                child.kill().await?;
                break format!("was not ready after {} s", DEADLINE.as_secs());
            }
            _ = tick.tick() => {}
        }
        if ready().await {
            return Ok(());
        }
    };
    let log = log.read();
    if log.contains("Address already in use") {
        return Err(Error::PortTaken { name, port });
    }
    Err(Error::NotReady { name: name.into(), why, log: last_lines(&log, 12) })
}
