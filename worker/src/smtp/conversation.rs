//! One mail's way through a connection. Each stage is a type that consumes the one before: there is no sending without a 354,
//! and no sending twice.

use lettre::{
    Address,
    transport::smtp::{
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt, Rset},
        response::Severity,
    },
};

use tokio::sync::SemaphorePermit;

use super::{
    Cause, Failure, Patience, Relay, Step,
    failure::{exchange, in_words},
};

/// Who sends to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// The sender.
    pub(crate) from: Address,
    /// The one recipient.
    pub(crate) to: Address,
}

/// A connection that stands, and what it has done so far.
pub(super) struct Session {
    pub(super) connection: AsyncSmtpConnection,
    pub(super) mails: u32,
    pub(super) patience: Patience,
}

/// A failure, and the connection if it can go on.
pub(super) type Setback = (Failure, Option<Session>);

impl Session {
    /// MAIL, RCPT, DATA up to the 354.
    pub(super) async fn envelope(mut self, envelope: &Envelope) -> Result<Self, Setback> {
        match self.offer(envelope).await {
            Ok(()) => Ok(self),
            Err(failure) => {
                let session = self.reset_after(&failure).await;
                Err((failure, session))
            }
        }
    }

    async fn offer(&mut self, Envelope { from, to }: &Envelope) -> Result<(), Failure> {
        let (connection, patience) = (&mut self.connection, self.patience.command);
        let mail = connection.command(Mail::new(Some(from.clone()), Vec::new()));
        exchange(Step::Mail, patience, Severity::PositiveCompletion, mail).await?;
        let rcpt = connection.command(Rcpt::new(to.clone(), Vec::new()));
        exchange(Step::Rcpt, patience, Severity::PositiveCompletion, rcpt).await?;
        let data = connection.command(Data);
        exchange(Step::Data, patience, Severity::PositiveIntermediate, data).await?;
        Ok(())
    }

    /// After a clear no the connection is good for the next mail; after anything else its state is unknown.
    async fn reset_after(mut self, failure: &Failure) -> Option<Self> {
        match failure.cause {
            // 421: the server closes it (RFC 5321, 3.8).
            Cause::Refused(421) | Cause::Lost | Cause::Unusable => None,
            Cause::Refused(_) => {
                let rset = self.connection.command(Rset);
                exchange(failure.step, self.patience.command, Severity::PositiveCompletion, rset)
                    .await
                    .ok()
                    .map(|_| self)
            }
        }
    }
}

/// The server has said 354 and waits for the body; not a byte of it has been written. Dropped, it closes the connection, and
/// the server forgets the mail (test: `dropped_before_the_body_nothing_is_sent`).
#[must_use = "dropped, it ends the conversation without a mail"]
pub(crate) struct ReadyForBody<'r> {
    session: Session,
    relay: &'r Relay,
    place: SemaphorePermit<'r>,
}

impl std::fmt::Debug for ReadyForBody<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadyForBody(…)")
    }
}

/// The server has taken responsibility for the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Its words, in one line.
    pub(crate) reply: String,
}

impl<'r> ReadyForBody<'r> {
    pub(super) fn new(session: Session, relay: &'r Relay, place: SemaphorePermit<'r>) -> Self {
        Self { session, relay, place }
    }

    /// The body, the dot, the reply. From the first byte on a loss is uncertain.
    ///
    /// # Errors
    /// At [`Step::Body`], or still at [`Step::Data`] when nothing of it was written.
    pub(crate) async fn send(self, body: &[u8]) -> Result<Accepted, Failure> {
        let Self { mut session, relay, place } = self;
        let message = session.connection.message(body);
        let reply = exchange(Step::Body, session.patience.body, Severity::PositiveCompletion, message).await;
        // The reply to the dot ends the transaction, a refusal too: nothing to reset.
        if reply.as_ref().map_or_else(|failure| matches!(failure.cause, Cause::Refused(code) if code != 421), |_| true)
        {
            session.mails += 1;
            relay.keep(session);
        }
        // Only now: who waits for a place finds the connection.
        drop(place);
        reply.map(|reply| Accepted { reply: in_words(&reply) })
    }
}
