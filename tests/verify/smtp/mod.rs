//! A mail server that writes down what it takes, and stops at a chosen point of a conversation to let the test act there.

mod conversation;
mod mail;
mod trap;

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use url::Url;

pub use mail::Mail;
pub use trap::{Caught, Phase, Then, Trap};

/// How it treats everybody, beside the traps.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// How long it thinks about each mail before its 354, and again before it takes it.
    pub slow: Duration,
    /// What it says at a phase instead of going on.
    pub refuse: Option<(Phase, &'static str)>,
    /// Of a hundred mails that it has taken, so many get no reply: it hangs up.
    pub mute: u32,
}

/// A running mail server. Dropped, it is gone.
#[derive(Debug)]
pub struct Server {
    port: u16,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    journal: Mutex<Vec<Arc<Mail>>>,
    traps: Mutex<Vec<trap::Set>>,
    manner: Mutex<Manner>,
}

impl Server {
    /// Listens on any free port of 127.0.0.1.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            let mut conversations = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                // A conversation ends as its client or a trap wants it; how is in the journal.
                conversations.spawn(conversation::hold(socket, Arc::clone(&serving)));
                while conversations.try_join_next().is_some() {}
            }
        });
        Self { port, shared, listening }
    }

    /// Where a worker finds it.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn url(&self) -> Url {
        Url::parse(&format!("smtp+plain://127.0.0.1:{}", self.port)).unwrap()
    }

    /// From now on.
    pub fn behave(&self, manner: Manner) {
        *locked(&self.shared.manner) = manner;
    }

    /// The next conversation that comes to this phase stops there. Once.
    #[must_use]
    pub fn trap(&self, phase: Phase) -> Trap {
        let (set, trap) = trap::set(phase);
        locked(&self.shared.traps).push(set);
        trap
    }

    /// Every mail that was taken, in order: also those whose senders never heard of it.
    #[must_use]
    pub fn journal(&self) -> Vec<Arc<Mail>> {
        locked(&self.shared.journal).clone()
    }

    /// The same number, for whoever watches.
    pub fn counter(&self) -> impl Fn() -> usize + Send + use<> {
        let shared = Arc::clone(&self.shared);
        move || locked(&shared.journal).len()
    }

    /// Begins its journal anew.
    pub fn forget(&self) {
        locked(&self.shared.journal).clear();
    }

    /// How many there are.
    #[must_use]
    pub fn taken(&self) -> usize {
        locked(&self.shared.journal).len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Shared {
    fn take(&self, mail: Mail) {
        locked(&self.journal).push(Arc::new(mail));
    }

    fn manner(&self) -> Manner {
        locked(&self.manner).clone()
    }

    fn trap_at(&self, phase: Phase) -> Option<trap::Set> {
        let mut traps = locked(&self.traps);
        let index = traps.iter().position(|set| set.phase == phase)?;
        Some(traps.remove(index))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
