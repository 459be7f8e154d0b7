use std::time::Duration;

use crate::{Failure, settings};

/// A worker whose queue was last read longer ago than this hangs.
const PULSE: Duration = Duration::from_secs(20);

/// What can be asked for its health.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Process {
    /// Asks the API of this container whether it can serve.
    Api,
    /// Looks at the age of the worker's heartbeat.
    Worker,
}

/// Fails with a sentence if the process is not well.
pub(crate) async fn check(process: Process) -> Result<(), Failure> {
    let settings = settings::read()?;
    match process {
        Process::Api => {
            let url = format!("http://127.0.0.1:{}/readyz", settings.port);
            reqwest::Client::builder().timeout(PULSE / 4).build()?.get(url).send().await?.error_for_status()?;
        }
        Process::Worker => {
            let file = settings.heartbeat.ok_or("TASKBELL_HEARTBEAT is not set: there is no heartbeat to look at")?;
            let beat = tokio::fs::metadata(&file).await.and_then(|metadata| metadata.modified());
            let age = beat.map_err(|fault| format!("{}: {fault}", file.display()))?.elapsed().unwrap_or_default();
            if age > PULSE {
                return Err(format!("the last heartbeat is {} s old", age.as_secs()).into());
            }
        }
    }
    Ok(())
}
