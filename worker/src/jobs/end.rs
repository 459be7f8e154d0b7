//! The end of a try: what is recorded of it, and the one line in the log.

use std::time::Duration;

use common::mails::{Claim, Outcome, Phase, Unsaid};
use tracing::{debug, error, info};

use crate::{
    meters::Meters,
    smtp::{Accepted, Failure, Step, Verdict, verdict},
};

/// When a mail is asked for again that is just being decided about.
const SOON: Duration = Duration::from_secs(1);

/// Why a try was not accepted.
pub(super) enum Stop {
    /// Nobody is owed the mail, or not as it stands now.
    Unsaid(Unsaid),
    /// It failed.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What is recorded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) phase: Phase,
    pub(super) reply: Option<String>,
    /// What an operator must know of a mail that cannot be written.
    alarm: Option<String>,
    /// Whether our settings are to blame.
    misconfigured: bool,
}

impl End {
    /// Of a mail that was tried `attempts` times; `chance`, in `0..1`, spreads what failed together.
    pub(super) fn of(end: Result<Accepted, Stop>, attempts: i32, chance: f64) -> Self {
        match end {
            Ok(Accepted { reply }) => Self {
                outcome: Outcome::Sent,
                phase: Phase::Done,
                reply: Some(reply),
                alarm: None,
                misconfigured: false,
            },
            Err(Stop::Unsaid(unsaid)) => {
                let (outcome, why) = match unsaid {
                    Unsaid::Void(why) => (Outcome::Cancelled, why),
                    Unsaid::NotNow(why) => (Outcome::Later(SOON), why.into()),
                };
                Self {
                    outcome,
                    phase: Phase::Prepare,
                    reply: Some(why.into_owned()),
                    alarm: None,
                    misconfigured: false,
                }
            }
            Err(Stop::Failed(failure)) => {
                let verdict = verdict(failure.step, failure.cause);
                // The mail server's breaker says by itself what is wrong with the settings of the mail server, once.
                let ours = verdict == Verdict::Misconfigured && failure.step == Step::Prepare;
                let alarm = ours.then(|| failure.alarm());
                let (outcome, phase) = (verdict.outcome(attempts, chance), failure.step.phase());
                let misconfigured = verdict == Verdict::Misconfigured;
                Self { outcome, phase, reply: Some(failure.text), alarm, misconfigured }
            }
        }
    }

    /// The word for it in the figures.
    fn verdict(&self) -> &'static str {
        match self.outcome {
            Outcome::Sent => "sent",
            Outcome::Retry(_) if self.misconfigured => "misconfigured",
            Outcome::Retry(_) | Outcome::Later(_) => "retry",
            Outcome::Uncertain => "uncertain",
            Outcome::Dead => "dead",
            Outcome::Cancelled => "cancelled",
        }
    }

    /// One line for each try that ends, and its place in the figures; `since` its claim. What was not tried is none.
    pub(super) fn tell(&self, claim: &Claim, since: Duration, meters: &Meters) {
        let (mail, kind, outcome) = (claim.id, claim.kind.as_str(), &self.outcome);
        if matches!(outcome, Outcome::Later(_)) {
            // Each second, for as long as it lasts.
            return debug!(%mail, kind, why = self.reply.as_deref(), "mail: not now");
        }
        let late = claim.claimed_at.to_jiff().duration_since(claim.due_at.to_jiff());
        let late = Duration::try_from(late).unwrap_or_default() + since;
        let late_ms = late.as_millis();
        meters.ended(kind, self.verdict(), late);
        if self.outcome == Outcome::Sent {
            meters.folded(claim.folded.len());
        }
        match &self.alarm {
            None => info!(%mail, kind, ?outcome, late_ms, "mail"),
            Some(alarm) => {
                error!(%mail, kind, ?outcome, late_ms, alarm, "mail: it cannot be written");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::Cause;

    fn failed(step: Step, cause: Cause) -> End {
        End::of(Err(Failure { step, cause, text: "550 ada@example.org is not here".into() }.into()), 1, 0.0)
    }

    #[test]
    fn an_accepted_mail_keeps_the_servers_words() {
        let end = End::of(Ok(Accepted { reply: "250 queued as 42".into() }), 1, 0.0);
        assert_eq!((end.outcome, end.phase, end.reply), (Outcome::Sent, Phase::Done, Some("250 queued as 42".into())));
    }

    #[test]
    fn what_nobody_is_owed_is_cancelled_with_the_reason() {
        let end = End::of(Err(Stop::Unsaid(Unsaid::Void("task completed".into()))), 1, 0.0);
        assert_eq!((end.outcome, end.reply), (Outcome::Cancelled, Some("task completed".into())));
    }

    #[test]
    fn what_is_being_decided_is_asked_for_again_a_second_later_however_often_it_was() {
        let end = End::of(Err(Stop::Unsaid(Unsaid::NotNow("planned anew"))), 9, 0.0);
        assert_eq!((end.outcome, end.reply), (Outcome::Later(SOON), Some("planned anew".into())));
    }

    #[test]
    fn the_phase_is_the_one_that_failed() {
        assert_eq!(failed(Step::Rcpt, Cause::Refused(550)).phase, Phase::Envelope);
        assert_eq!(failed(Step::Body, Cause::Lost).phase, Phase::Body);
        assert_eq!(failed(Step::Body, Cause::Lost).outcome, Outcome::Uncertain);
    }

    #[test]
    fn a_mail_that_cannot_be_written_is_an_alarm_and_a_mail_server_that_refuses_us_is_the_breakers() {
        assert_eq!(
            failed(Step::Prepare, Cause::Unusable).alarm.as_deref(),
            Some("Prepare: 550 ada@example.org is not here")
        );
        assert_eq!(failed(Step::Auth, Cause::Refused(535)).alarm, None);
        assert_eq!(failed(Step::Rcpt, Cause::Refused(550)).alarm, None);
    }
}
