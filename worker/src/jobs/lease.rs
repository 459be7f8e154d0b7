//! A claim is held on a lease: whoever lets it run out has lost the mail to another worker.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use common::{
    db::Db,
    mails::{self, Claim},
};
use tokio::time::sleep;
use tracing::debug;

/// What `common::mails` grants at each claim and renewal.
const TERM: Duration = Duration::from_secs(30);
/// The heartbeat.
const RENEWAL: Duration = Duration::from_secs(10);
/// After a renewal that failed: the next one while there is still time.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a claim certainly holds, by this process's own clock: counted from before the statement that granted it.
#[derive(Debug)]
pub(super) struct Lease(Mutex<Instant>);

impl Lease {
    /// Granted by a statement that was sent at `asked`.
    pub(super) fn granted(asked: Instant) -> Self {
        Self(Mutex::new(asked + TERM))
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extend(&self, asked: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = asked + TERM;
    }

    /// Renews the lease for as long as it is polled; returns when the claim is lost.
    pub(super) async fn keep(&self, db: &Db, claim: &Claim) {
        let mut pause = RENEWAL;
        loop {
            sleep(pause).await;
            let asked = Instant::now();
            pause = match mails::renew(db, claim).await {
                Ok(true) => {
                    self.extend(asked);
                    RENEWAL
                }
                Ok(false) => return,
                Err(_) if self.is_over() => return,
                Err(fault) => {
                    debug!(mail = %claim.id, %fault, "a lease could not be renewed");
                    AGAIN
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_counts_from_before_it_was_asked_for() {
        let now = Instant::now();
        let lease = Lease::granted(now.checked_sub(TERM).unwrap());
        assert!(lease.is_over());
        lease.extend(now);
        assert!(!lease.is_over());
    }
}
