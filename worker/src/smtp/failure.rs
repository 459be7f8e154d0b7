//! How far a try came and what stopped it: all that the verdict table asks for.

use std::{error::Error, fmt, io, time::Duration};

use common::mails::Phase;
use lettre::transport::smtp::response::{Response, Severity};
use tokio::time::timeout;
use tokio_rustls::rustls;

use super::turns::NotBegun;

/// The steps of a try, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Before the mail server was asked.
    Prepare,
    /// Name, socket, TLS, greeting, EHLO.
    Connect,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, up to the first byte of the body.
    Data,
    /// From the first byte of the body to the reply to its dot.
    Body,
}

impl Step {
    /// The name under which the log of attempts knows it.
    #[must_use]
    pub(crate) fn phase(self) -> Phase {
        match self {
            Self::Prepare => Phase::Prepare,
            Self::Connect | Self::Auth => Phase::Connect,
            Self::Mail | Self::Rcpt | Self::Data => Phase::Envelope,
            Self::Body => Phase::Body,
        }
    }
}

/// What stopped a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The server said no, with this code (4xx or 5xx).
    Refused(u16),
    /// No answer, or none that makes sense: a timeout, a reset, an end of the stream, a reply out of step.
    Lost,
    /// What our settings ask for cannot be had: TLS, its certificate, AUTH, or a mail that cannot be written.
    Unusable,
}

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Where.
    pub(crate) step: Step,
    /// Why.
    pub(crate) cause: Cause,
    /// The server's reply, or what went wrong, in one line. A reply may name addresses: it is kept, and never logged.
    pub(crate) text: String,
}

/// Longer replies are cut: the log of attempts is for people.
const LONGEST: usize = 500;

impl Failure {
    /// Nothing came back, or nothing that makes sense.
    pub(crate) fn lost(step: Step, why: impl fmt::Display) -> Self {
        Self { step, cause: Cause::Lost, text: one_line(&why.to_string()) }
    }

    /// What our settings ask for cannot be had.
    pub(crate) fn unusable(step: Step, why: impl fmt::Display) -> Self {
        Self { step, cause: Cause::Unusable, text: one_line(&why.to_string()) }
    }

    /// What an operator must know when our settings are to blame. Never a server's words: they may name people.
    pub(crate) fn alarm(&self) -> String {
        let Self { step, cause, text } = self;
        match cause {
            Cause::Refused(code) => format!("{step:?} was refused with {code}"),
            Cause::Lost | Cause::Unusable => format!("{step:?}: {text}"),
        }
    }

    pub(super) fn of(step: Step, fault: &lettre::transport::smtp::Error) -> Self {
        if let Some(code) = fault.status() {
            let reply = fault.source().map_or_else(String::new, ToString::to_string);
            return Self { step, cause: Cause::Refused(code.into()), text: one_line(&format!("{code} {reply}")) };
        }
        if fault.is_client() || fault.is_tls() || comes_of::<rustls::Error>(fault) {
            return Self::unusable(step, fault);
        }
        // Nothing was written since the 354: the body had not begun (test: `an_answer_before_its_question_is_none`).
        let step = if step == Step::Body && comes_of::<NotBegun>(fault) { Step::Data } else { step };
        Self::lost(step, fault)
    }
}

/// What the stream under lettre's connection said. The kind would not do: rustls calls what it does not trust invalid data, and so does
/// the standard library a reply that is no text.
fn comes_of<E: Error + 'static>(fault: &lettre::transport::smtp::Error) -> bool {
    let mut source = fault.source();
    while let Some(fault) = source {
        if fault
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .is_some_and(<dyn Error + Send + Sync>::is::<E>)
        {
            return true;
        }
        source = fault.source();
    }
    false
}

/// One exchange under a deadline, whose reply must be positive and of the expected kind. A 250 where a 354 belongs means that
/// the two sides are out of step, which nothing later can mend (tests: `a_reply_out_of_step_is_no_go_ahead`).
pub(super) async fn exchange(
    step: Step,
    deadline: Duration,
    expected: Severity,
    exchange: impl Future<Output = Result<Response, lettre::transport::smtp::Error>>,
) -> Result<Response, Failure> {
    let reply = within(step, deadline, exchange).await?;
    if reply.code().severity == expected {
        Ok(reply)
    } else {
        Err(Failure::lost(step, format_args!("a reply out of step: {}", in_words(&reply))))
    }
}

/// One piece of lettre's work under a deadline.
pub(super) async fn within<T>(
    step: Step,
    deadline: Duration,
    work: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Failure> {
    match timeout(deadline, work).await {
        Ok(done) => done.map_err(|fault| Failure::of(step, &fault)),
        Err(_) => Err(Failure::lost(step, format_args!("no answer within {} s", deadline.as_secs()))),
    }
}

/// A reply as people read it.
pub(super) fn in_words(reply: &Response) -> String {
    let text: Vec<&str> = reply.message().collect();
    one_line(&format!("{} {}", reply.code(), text.join(" ")))
}

fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_names_no_person() {
        let refused =
            Failure { step: Step::Auth, cause: Cause::Refused(535), text: "535 ada@example.org is barred".into() };
        assert_eq!(refused.alarm(), "Auth was refused with 535");
    }
}
