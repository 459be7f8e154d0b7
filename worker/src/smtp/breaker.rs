//! While the mail server takes nothing from us, whatever the mail, nothing is offered to it: no mail is claimed, so no try is burnt and
//! no server is flooded. After a pause one mail goes ahead; if it is let in, all follow.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tracing::{error, info, warn};

use super::{Cause, Failure, Step};

/// So many tries in a row that found nobody at home; one that found our settings refused is enough.
const LOSSES: u32 = 5;
const FIRST: Duration = Duration::from_secs(1);
/// A server that is down comes back; where our settings are wrong, somebody has to change them, and servers bar who asks too often.
const LONGEST_DOWN: Duration = Duration::from_secs(30);
const LONGEST_REFUSED: Duration = Duration::from_mins(5);

/// What a failure says about the mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// It lets us in.
    Well,
    /// Nobody is there, or not now.
    Down,
    /// It refuses us: the fault is in our settings.
    Refused,
}

impl Sign {
    fn of(failure: &Failure) -> Option<Self> {
        match (failure.step, failure.cause) {
            (Step::Connect | Step::Auth | Step::Mail, Cause::Refused(500..) | Cause::Unusable) => Some(Self::Refused),
            (Step::Connect | Step::Auth, _) => Some(Self::Down),
            // A connection that breaks later says nothing about the next one.
            (Step::Prepare, _) | (Step::Mail | Step::Rcpt | Step::Data | Step::Body, Cause::Lost | Cause::Unusable) => {
                None
            }
            (Step::Mail | Step::Rcpt | Step::Data | Step::Body, Cause::Refused(_)) => Some(Self::Well),
        }
    }
}

#[derive(Debug)]
enum State {
    /// So many losses in a row.
    Closed(u32),
    /// Until then nothing is offered; how long the next pause is.
    Open { until: Instant, pause: Duration },
    /// One mail is on its way to find out; how long the pause is if it fails.
    Probing { pause: Duration },
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Breaker {
    state: Mutex<State>,
    changed: Notify,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: Mutex::new(State::Closed(0)), changed: Notify::new() }
    }
}

/// Leave to offer one mail. What is learnt by it is told to [`Pass::learn`]; dropped before, it tells nothing.
#[derive(Debug)]
pub(crate) struct Pass<'b> {
    breaker: &'b Breaker,
    probe: bool,
    told: AtomicBool,
}

impl Breaker {
    /// Waits until the mail server can be asked.
    pub(crate) async fn pass(&self) -> Pass<'_> {
        loop {
            let changed = self.changed.notified();
            match self.try_pass(Instant::now()) {
                Ok(pass) => return pass,
                Err(Some(until)) => tokio::select! { () = sleep_until(until) => {}, () = changed => {} },
                Err(None) => changed.await,
            }
        }
    }

    /// Or until when it cannot, if that is known.
    fn try_pass(&self, now: Instant) -> Result<Pass<'_>, Option<Instant>> {
        let mut state = self.state();
        match *state {
            State::Closed(_) => Ok(self.leave(false)),
            State::Open { until, pause } if until <= now => {
                *state = State::Probing { pause };
                Ok(self.leave(true))
            }
            State::Open { until, .. } => Err(Some(until)),
            State::Probing { .. } => Err(None),
        }
    }

    /// Whether nothing but a probe is offered.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(*self.state(), State::Closed(_))
    }

    fn leave(&self, probe: bool) -> Pass<'_> {
        Pass { breaker: self, probe, told: AtomicBool::new(false) }
    }

    fn well(&self) {
        let was_open = !matches!(std::mem::replace(&mut *self.state(), State::Closed(0)), State::Closed(_));
        if was_open {
            info!("the mail server lets us in: mails go out again");
            self.changed.notify_waiters();
        }
    }

    fn ill(&self, failure: &Failure, refused: bool, probe: bool, now: Instant) {
        let mut state = self.state();
        let longest = if refused { LONGEST_REFUSED } else { LONGEST_DOWN };
        let (pause, first) = match *state {
            State::Closed(losses) if !refused && losses + 1 < LOSSES => return *state = State::Closed(losses + 1),
            State::Closed(_) => (FIRST, true),
            State::Probing { pause } if probe => (pause, false),
            // Those that were on their way already have nothing to add.
            State::Open { .. } | State::Probing { .. } => return,
        };
        let pause = pause.min(longest);
        *state = State::Open { until: now + pause, pause: pause * 2 };
        drop(state);
        if first && refused {
            error!(
                alarm = failure.alarm(),
                "the settings of the mail server are wrong: no mail goes out until it lets us in"
            );
        } else if first {
            warn!(fault = failure.text, "the mail server is not there: no mail goes out until it is");
        }
        self.changed.notify_waiters();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// What came of it: a failure, or none.
    pub(crate) fn learn(&self, failure: Option<&Failure>) {
        self.learn_at(failure, Instant::now());
    }

    fn learn_at(&self, failure: Option<&Failure>, now: Instant) {
        let Some(sign) = failure.map_or(Some(Sign::Well), Sign::of) else { return };
        self.told.store(true, Ordering::Relaxed);
        match (sign, failure) {
            (Sign::Down, Some(failure)) => self.breaker.ill(failure, false, self.probe, now),
            (Sign::Refused, Some(failure)) => self.breaker.ill(failure, true, self.probe, now),
            _ => self.breaker.well(),
        }
    }
}

impl Drop for Pass<'_> {
    /// A probe that found out nothing, since its mail was nobody's any more: the next one goes ahead.
    fn drop(&mut self) {
        if !self.probe || self.told.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.breaker.state();
        if let State::Probing { pause } = *state {
            *state = State::Open { until: Instant::now(), pause };
            drop(state);
            self.breaker.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down() -> Failure {
        Failure::lost(Step::Connect, "nobody is there")
    }

    fn refused() -> Failure {
        Failure { step: Step::Auth, cause: Cause::Refused(535), text: String::new() }
    }

    /// So many mails that find this, one after the other.
    fn meet(breaker: &Breaker, failure: Option<&Failure>, times: u32) {
        for _ in 0..times {
            breaker.try_pass(Instant::now()).unwrap().learn(failure);
        }
    }

    #[test]
    fn one_refusal_of_our_settings_is_enough_and_losses_must_come_in_a_row() {
        let breaker = Breaker::default();
        meet(&breaker, Some(&down()), LOSSES - 1);
        meet(&breaker, None, 1);
        meet(&breaker, Some(&down()), LOSSES - 1);
        assert!(!breaker.is_open());
        meet(&breaker, Some(&down()), 1);
        assert!(breaker.is_open());
        let breaker = Breaker::default();
        meet(&breaker, Some(&refused()), 1);
        assert!(breaker.is_open());
    }

    #[test]
    fn a_mail_that_is_refused_for_itself_opens_nothing() {
        let breaker = Breaker::default();
        for step in [Step::Rcpt, Step::Data, Step::Body] {
            for cause in [Cause::Refused(550), Cause::Refused(450), Cause::Lost, Cause::Unusable] {
                meet(&breaker, Some(&Failure { step, cause, text: String::new() }), 2 * LOSSES);
            }
        }
        meet(&breaker, Some(&Failure::unusable(Step::Prepare, "no such template")), 2 * LOSSES);
        assert!(!breaker.is_open());
    }

    #[test]
    fn the_pause_doubles_up_to_its_longest_and_ends_with_the_first_success() {
        for (failure, expected) in
            [(down(), [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]), (refused(), [1, 2, 4, 8, 16, 32, 64, 128, 256, 300])]
        {
            let (breaker, mut now) = (Breaker::default(), Instant::now());
            for _ in 0..LOSSES {
                if let Ok(pass) = breaker.try_pass(now) {
                    pass.learn_at(Some(&failure), now);
                }
            }
            let mut pauses = Vec::new();
            for _ in expected {
                let until = breaker.try_pass(now).unwrap_err().unwrap();
                pauses.push((until - now).as_secs());
                now = until;
                let probe = breaker.try_pass(now).unwrap();
                assert!(probe.probe);
                probe.learn_at(Some(&failure), now);
            }
            assert_eq!(pauses, expected);
            now = breaker.try_pass(now).unwrap_err().unwrap();
            breaker.try_pass(now).unwrap().learn_at(None, now);
            assert!(!breaker.is_open());
        }
    }

    #[test]
    fn one_mail_goes_ahead_and_the_others_wait_for_what_it_finds() {
        let (breaker, now) = (Breaker::default(), Instant::now() + Duration::from_mins(1));
        meet(&breaker, Some(&refused()), 1);
        let probe = breaker.try_pass(now).unwrap();
        assert!(breaker.try_pass(now + LONGEST_REFUSED).unwrap_err().is_none());
        // Its mail was nobody's any more: another one finds out.
        drop(probe);
        let next = breaker.try_pass(now).unwrap();
        assert!(next.probe);
        next.learn(None);
        assert!(!breaker.try_pass(now).unwrap().probe);
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_the_first_that_is_let_in() {
        let (breaker, later) = (Breaker::default(), Instant::now() + Duration::from_mins(1));
        meet(&breaker, Some(&refused()), 1);
        let probe = breaker.try_pass(later).unwrap();
        let waiting = futures::future::join(breaker.pass(), breaker.pass());
        let (both, ()) = tokio::join!(waiting, async { probe.learn(None) });
        assert!(!both.0.probe && !both.1.probe);
    }

    #[test]
    fn what_was_on_its_way_when_it_opened_does_not_lengthen_the_pause() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        let on_their_way: Vec<_> = (0..64).map(|_| breaker.try_pass(now).unwrap()).collect();
        for pass in &on_their_way {
            pass.learn_at(Some(&refused()), now);
        }
        assert_eq!(breaker.try_pass(now).unwrap_err(), Some(now + FIRST));
    }
}
