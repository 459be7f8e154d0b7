//! A point of a conversation at which the server stops and tells the test.

use tokio::sync::oneshot;

/// How far a conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The connection stands; nothing was said.
    Connect,
    /// MAIL has come and was not answered.
    Mail,
    /// RCPT has come and was not answered.
    Rcpt,
    /// DATA has come; there was no 354.
    Data,
    /// The first line of the body has come.
    Body,
    /// The dot has come; nothing is written down yet.
    Dot,
    /// It is written down; the reply was not sent.
    Taken,
    /// The reply was sent.
    Replied,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 8] =
        [Self::Connect, Self::Mail, Self::Rcpt, Self::Data, Self::Body, Self::Dot, Self::Taken, Self::Replied];
}

/// How a conversation that was stopped goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// As if nothing had been.
    GoOn,
    /// With this reply instead of the usual one.
    Say(&'static str),
    /// Not at all.
    HangUp,
}

/// A conversation that stands still. Dropped, it is hung up.
#[derive(Debug)]
pub struct Caught {
    then: oneshot::Sender<Then>,
}

impl Caught {
    /// Lets it go on.
    pub fn then(self, then: Then) {
        // Whoever was caught may be dead by now.
        let _ = self.then.send(then);
    }
}

/// Where a test waits.
#[derive(Debug)]
pub struct Trap {
    phase: Phase,
    caught: oneshot::Receiver<Caught>,
}

impl Trap {
    /// Waits until somebody has come there.
    ///
    /// # Panics
    /// When nobody does.
    pub async fn sprung(self) -> Caught {
        let caught = tokio::time::timeout(crate::PATIENCE, self.caught).await;
        caught.unwrap_or_else(|_| panic!("nobody came as far as {:?}", self.phase)).unwrap()
    }
}

/// The server's side of it.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) phase: Phase,
    caught: oneshot::Sender<Caught>,
}

pub(super) fn set(phase: Phase) -> (Set, Trap) {
    let (tell, told) = oneshot::channel();
    (Set { phase, caught: tell }, Trap { phase, caught: told })
}

impl Set {
    /// Tells the test, and waits for what it wants.
    pub(super) async fn spring(self) -> Then {
        let (then, wanted) = oneshot::channel();
        match self.caught.send(Caught { then }) {
            Ok(()) => wanted.await.unwrap_or(Then::HangUp),
            // The test does not wait any more.
            Err(_) => Then::GoOn,
        }
    }
}
