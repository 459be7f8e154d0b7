//! Restarting what dies.

use std::{
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    time::{Duration, Instant},
};

use local::Service;
use tokio::time::sleep;

use super::stack::{PROCESSES, Stack};
use crate::Failure;

/// Who dies sooner than this after a start will do so again: it is given more and more time.
const STABLE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What has died.
enum Death {
    Process(usize, ExitStatus),
    Service(Service),
}

impl Stack {
    /// Runs `work` while everything that dies is started again.
    pub(super) async fn keep_alive<T>(&mut self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::pin!(work);
        let mut started = Instant::now();
        let mut pause = Duration::ZERO;
        loop {
            let death = tokio::select! {
                done = &mut work => return done,
                death = self.next_death() => death?,
            };
            pause = if started.elapsed() < STABLE {
                (pause * 2).clamp(Duration::from_millis(100), LONGEST_PAUSE)
            } else {
                Duration::ZERO
            };
            sleep(pause).await;
            match death {
                Death::Process(index, status) => {
                    // Who was killed had no time for last words.
                    let why = status.signal().map_or_else(|| self.last_words(index), |_| status.to_string());
                    println!("  {} died ({why}); started again", PROCESSES[index]);
                    self.restart(index).await?;
                }
                Death::Service(service) => self.services.restart(service).await?,
            }
            started = Instant::now();
        }
    }

    async fn next_death(&mut self) -> Result<Death, Failure> {
        let [api, worker] = &mut self.processes;
        Ok(tokio::select! {
            status = api.wait() => status.map(|status| Death::Process(0, status))?,
            status = worker.wait() => status.map(|status| Death::Process(1, status))?,
            service = self.services.watch() => Death::Service(service?),
        })
    }
}
