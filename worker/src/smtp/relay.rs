//! The mail server with the connections to it that are idle.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Cause, Failure, ReadyForBody, Server, Step,
    connect::connect,
    conversation::{Envelope, Session},
};

/// Servers close idle connections after five minutes at the earliest (RFC 5321, 4.5.3.2.7); many do sooner.
const IDLE: Duration = Duration::from_mins(1);
/// Servers limit what one connection may carry, often to 100.
const MAILS: u32 = 100;

/// A mail server. Connections are opened when they are needed and reused while they last.
#[derive(Debug)]
pub(crate) struct Relay {
    server: Server,
    idle: Mutex<Vec<Idle>>,
    /// One for each connection that may stand.
    places: Semaphore,
    limits: Limits,
}

/// What a mail server is asked for at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections that stand at the same time.
    pub(crate) connections: usize,
}

struct Idle {
    session: Session,
    since: Instant,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle").field("since", &self.since).finish_non_exhaustive()
    }
}

impl Relay {
    /// Connections are opened as they are needed, up to the limit.
    #[must_use]
    pub(crate) fn new(server: Server, limits: Limits) -> Self {
        Self { server, idle: Mutex::default(), places: Semaphore::new(limits.connections), limits }
    }

    /// Talks up to the server's 354. An idle connection that turns out to be dead costs a new one, not the mail: so far
    /// nothing of it was said (test: `a_server_that_closed_the_idle_connection_costs_no_mail`).
    ///
    /// # Errors
    /// At any step before [`Step::Body`].
    pub(crate) async fn open(&self, envelope: &Envelope) -> Result<ReadyForBody<'_>, Failure> {
        let place = self.place().await?;
        if let Some(session) = self.take() {
            match session.envelope(envelope).await {
                Ok(session) => return Ok(ReadyForBody::new(session, self, place)),
                // Whatever else lay idle is as old: start afresh.
                Err((failure, None)) if is_stale(&failure) => self.idle().clear(),
                Err((failure, session)) => return Err(self.give_up(failure, session)),
            }
        }
        let session = Session { connection: connect(&self.server).await?, mails: 0, patience: self.server.patience };
        match session.envelope(envelope).await {
            Ok(session) => Ok(ReadyForBody::new(session, self, place)),
            Err((failure, session)) => Err(self.give_up(failure, session)),
        }
    }

    /// A connection in use has a place, and so has one that lies idle: it is the next user's.
    async fn place(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.places.acquire().await.map_err(|closed| Failure::lost(Step::Connect, closed))
    }

    /// Closes what is idle.
    pub(crate) fn close(&self) {
        self.idle().clear();
    }

    pub(super) fn keep(&self, session: Session) {
        let mut idle = self.idle();
        idle.retain(|idle| idle.since.elapsed() < IDLE);
        if idle.len() < self.limits.connections && session.mails < MAILS && !session.connection.has_broken() {
            idle.push(Idle { session, since: Instant::now() });
        }
    }

    fn give_up(&self, failure: Failure, session: Option<Session>) -> Failure {
        if let Some(session) = session {
            self.keep(session);
        }
        failure
    }

    /// The one used last: the others get the chance to grow old.
    fn take(&self) -> Option<Session> {
        let mut idle = self.idle();
        idle.retain(|idle| idle.since.elapsed() < IDLE);
        idle.pop().map(|idle| idle.session)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server had closed the connection, or says that it does.
fn is_stale(failure: &Failure) -> bool {
    failure.step == Step::Mail && matches!(failure.cause, Cause::Lost | Cause::Refused(421))
}
