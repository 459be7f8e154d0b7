//! A claim is held on a lease: whoever lets it run out has lost the mail to another worker.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use common::{
    db::Db,
    mails::{self, Claim},
};
use tokio::time::sleep;
use tracing::debug;

/// What `common::mails` grants at a claim and its renewals: short, since what a dead worker has claimed waits for its end
/// (tests/loss: `a_worker_killed_at_any_word_of_the_mail_server_loses_nothing`).
const CLAIMED: Duration = Duration::from_secs(8);
/// The same in `sending`: who takes over then may repeat a mail, and waits rather longer.
const SENDING: Duration = Duration::from_secs(30);
/// The heartbeat.
const RENEWAL: Duration = Duration::from_millis(2_500);
/// After a renewal that failed: the next one while there is still time.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a claim certainly holds, by this process's own clock: counted from before the statement that granted it.
#[derive(Debug)]
pub(super) struct Lease(Mutex<Held>);

#[derive(Debug)]
struct Held {
    until: Instant,
    term: Duration,
}

impl Lease {
    /// Of a claim that was asked for at `asked`.
    pub(super) fn granted(asked: Instant) -> Self {
        Self(Mutex::new(Held { until: asked + CLAIMED, term: CLAIMED }))
    }

    /// `sending` was asked for at `asked`, and granted.
    pub(super) fn sends(&self, asked: Instant) {
        *self.held() = Held { until: asked + SENDING, term: SENDING };
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.held().until
    }

    fn extend(&self, asked: Instant) {
        let mut held = self.held();
        held.until = asked + held.term;
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let lease = Lease::granted(now.checked_sub(CLAIMED).unwrap());
        assert!(lease.is_over());
        lease.extend(now);
        assert!(!lease.is_over());
    }

    #[test]
    fn it_is_longer_while_the_body_is_on_its_way() {
        let before = Instant::now().checked_sub(CLAIMED).unwrap();
        let lease = Lease::granted(before);
        lease.sends(before);
        assert!(!lease.is_over());
        lease.sends(before.checked_sub(SENDING).unwrap());
        assert!(lease.is_over());
        lease.extend(before);
        assert!(!lease.is_over());
    }
}
