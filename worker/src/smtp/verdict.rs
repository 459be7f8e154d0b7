//! The only place that knows what a failure means for the mail (docs/reminders.md).

use std::time::Duration;

use common::mails::Outcome;

use super::{Cause, Step};

/// What becomes of a mail whose try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Certainly not taken; again after a while.
    Retry,
    /// Certainly not taken, and the fault is in our settings: again after a while, and somebody must be told. A bad password
    /// kills no reminder.
    Misconfigured,
    /// Certainly not taken, and never will be.
    Dead,
    /// Nobody knows whether it was taken.
    Uncertain,
}

/// The table.
#[must_use]
pub(crate) fn verdict(step: Step, cause: Cause) -> Verdict {
    match (step, cause) {
        (Step::Body, Cause::Lost | Cause::Unusable) => Verdict::Uncertain,
        (_, Cause::Lost | Cause::Refused(400..=499)) | (Step::Prepare | Step::Data, Cause::Refused(_)) => {
            Verdict::Retry
        }
        (_, Cause::Unusable) | (Step::Connect | Step::Auth | Step::Mail, Cause::Refused(_)) => Verdict::Misconfigured,
        (Step::Rcpt | Step::Body, Cause::Refused(_)) => Verdict::Dead,
    }
}

impl Verdict {
    /// The state that it leads to, for a mail that was tried `attempts` times; `chance` is in `0..1`.
    #[must_use]
    pub(crate) fn outcome(self, attempts: i32, chance: f64) -> Outcome {
        match self {
            Self::Retry | Self::Misconfigured => Outcome::Retry(retry_after(attempts, chance)),
            Self::Dead => Outcome::Dead,
            Self::Uncertain => Outcome::Uncertain,
        }
    }
}

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(15);
/// Mails that failed together shall not come back together.
const JITTER: f64 = 0.2;

/// 5 s, doubling, at most 15 minutes; less up to a fifth, by chance.
#[must_use]
pub(crate) fn retry_after(attempts: i32, chance: f64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    full.mul_f64(1.0 - JITTER * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 7] = [Step::Prepare, Step::Connect, Step::Auth, Step::Mail, Step::Rcpt, Step::Data, Step::Body];

    #[test]
    fn a_4xx_is_tried_again_wherever_it_was_said() {
        for step in STEPS {
            for code in 400..500 {
                assert_eq!(verdict(step, Cause::Refused(code)), Verdict::Retry, "{code} to {step:?}");
            }
        }
    }

    #[test]
    fn a_5xx_kills_only_the_mail_that_it_was_said_of() {
        for code in 500..600 {
            for (step, expected) in STEPS.into_iter().zip([
                Verdict::Retry,
                Verdict::Misconfigured,
                Verdict::Misconfigured,
                Verdict::Misconfigured,
                Verdict::Dead,
                Verdict::Retry,
                Verdict::Dead,
            ]) {
                assert_eq!(verdict(step, Cause::Refused(code)), expected, "{code} to {step:?}");
            }
        }
    }

    #[test]
    fn only_a_loss_in_the_body_is_uncertain() {
        for step in STEPS {
            let in_body = step == Step::Body;
            let (lost, unusable) = (verdict(step, Cause::Lost), verdict(step, Cause::Unusable));
            assert_eq!(lost, if in_body { Verdict::Uncertain } else { Verdict::Retry }, "{step:?}");
            assert_eq!(unusable, if in_body { Verdict::Uncertain } else { Verdict::Misconfigured }, "{step:?}");
        }
    }

    #[test]
    fn a_bad_password_kills_no_reminder() {
        let outcome = verdict(Step::Auth, Cause::Refused(535)).outcome(1, 0.0);
        assert_eq!(outcome, Outcome::Retry(Duration::from_secs(5)));
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let waits: Vec<u64> = (1..=10).map(|attempts| retry_after(attempts, 0.0).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        for attempts in [i32::MIN, -1, 0, 1] {
            assert_eq!(retry_after(attempts, 0.0), FIRST);
        }
        assert_eq!(retry_after(i32::MAX, 0.0), LONGEST);
        assert_eq!(retry_after(1, 1.0), Duration::from_secs(4), "less by a fifth");
    }
}
