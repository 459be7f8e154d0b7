//! The end of a try: what is recorded of it, and the one line in the log.

use std::time::Duration;

use common::mails::{Claim, Outcome, Phase};
use tracing::{error, info};

use crate::{
    meters::Meters,
    smtp::{Accepted, Cause, Failure, Verdict, verdict},
};

/// Why a try was not accepted.
pub(super) enum Stop {
    /// Nobody is owed the mail any more.
    Ineligible(&'static str),
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
    /// What an operator must know when our settings are to blame. Never a server's words: they may name people.
    alarm: Option<String>,
}

impl End {
    /// Of a mail that was tried `attempts` times; `chance`, in `0..1`, spreads what failed together.
    pub(super) fn of(end: Result<Accepted, Stop>, attempts: i32, chance: f64) -> Self {
        match end {
            Ok(Accepted { reply }) => {
                Self { outcome: Outcome::Sent, phase: Phase::Done, reply: Some(reply), alarm: None }
            }
            Err(Stop::Ineligible(why)) => {
                Self { outcome: Outcome::Cancelled, phase: Phase::Prepare, reply: Some(why.to_owned()), alarm: None }
            }
            Err(Stop::Failed(Failure { step, cause, text })) => {
                let verdict = verdict(step, cause);
                let alarm = (verdict == Verdict::Misconfigured).then(|| match cause {
                    Cause::Refused(code) => format!("{step:?} was refused with {code}"),
                    Cause::Lost | Cause::Unusable => format!("{step:?}: {text}"),
                });
                Self { outcome: verdict.outcome(attempts, chance), phase: step.phase(), reply: Some(text), alarm }
            }
        }
    }

    /// The word for it in the figures.
    fn verdict(&self) -> &'static str {
        match self.outcome {
            Outcome::Sent => "sent",
            Outcome::Retry(_) if self.alarm.is_some() => "misconfigured",
            Outcome::Retry(_) => "retry",
            Outcome::Uncertain => "uncertain",
            Outcome::Dead => "dead",
            Outcome::Cancelled => "cancelled",
        }
    }

    /// One line for each try that ends, and its place in the figures; `since` its claim.
    pub(super) fn tell(&self, claim: &Claim, since: Duration, meters: &Meters) {
        let (mail, kind, outcome) = (claim.id, claim.kind.as_str(), &self.outcome);
        let late = claim.claimed_at.to_jiff().duration_since(claim.due_at.to_jiff());
        let late = Duration::try_from(late).unwrap_or_default() + since;
        let late_ms = late.as_millis();
        meters.ended(kind, self.verdict(), late);
        match &self.alarm {
            None => info!(%mail, kind, ?outcome, late_ms, "mail"),
            Some(alarm) => {
                error!(%mail, kind, ?outcome, late_ms, alarm, "mail: the settings of the mail server are wrong");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::Step;

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
        let end = End::of(Err(Stop::Ineligible("task completed")), 1, 0.0);
        assert_eq!((end.outcome, end.reply), (Outcome::Cancelled, Some("task completed".into())));
    }

    #[test]
    fn the_phase_is_the_one_that_failed() {
        assert_eq!(failed(Step::Rcpt, Cause::Refused(550)).phase, Phase::Envelope);
        assert_eq!(failed(Step::Body, Cause::Lost).phase, Phase::Body);
        assert_eq!(failed(Step::Body, Cause::Lost).outcome, Outcome::Uncertain);
    }

    #[test]
    fn an_alarm_names_no_person() {
        assert_eq!(failed(Step::Rcpt, Cause::Refused(550)).alarm, None);
        let alarm = failed(Step::Auth, Cause::Refused(535)).alarm;
        assert_eq!(alarm.as_deref(), Some("Auth was refused with 535"));
    }
}
