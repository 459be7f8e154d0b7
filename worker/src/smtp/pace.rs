//! No more mails in a second than the mail server's owner wants from us.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// One mail after the other, none saved up.
#[derive(Debug)]
pub(crate) struct Pace(Option<(Duration, Mutex<Instant>)>);

impl Pace {
    /// So many a second; without any limit for none.
    pub(crate) fn new(rate: Option<f64>) -> Self {
        Self(rate.map(|rate| (Duration::from_secs_f64(1.0 / rate), Mutex::new(Instant::now()))))
    }

    /// Waits for one's turn.
    pub(crate) async fn turn(&self) {
        if let Some(turn) = self.next(Instant::now()) {
            sleep_until(turn).await;
        }
    }

    /// Takes the next turn.
    fn next(&self, now: Instant) -> Option<Instant> {
        let (each, next) = self.0.as_ref()?;
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = (*next).max(now);
        *next = mine + *each;
        Some(mine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_a_second_are_fifty_a_second_however_many_ask_at_once_and_however_long_nobody_did() {
        let pace = Pace::new(Some(50.0));
        let now = Instant::now() + Duration::from_mins(1);
        let turns: Vec<Instant> = (0..=100).filter_map(|_| pace.next(now)).collect();
        assert_eq!(
            (turns[0], turns[50], turns[100]),
            (now, now + Duration::from_secs(1), now + Duration::from_secs(2))
        );
        assert_eq!(Pace::new(None).next(now), None);
    }
}
