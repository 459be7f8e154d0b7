//! A wire between a process and Postgres that stops a chosen statement before Postgres sees it, or its reply after Postgres
//! has committed it, and tells the test. It knows just enough of the protocol to tell statements apart.

mod wire;

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
};
use url::Url;

/// On which side of Postgres' work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Postgres has not heard of it.
    Before,
    /// It is committed, and nobody knows.
    After,
}

/// Which statement.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// What its text contains.
    pub statement: &'static str,
    /// What another statement contains that its transaction has had before.
    pub after: Option<&'static str>,
    /// Where it is stopped.
    pub side: Side,
}

/// A statement that stands still. Dropped, its connection is cut.
#[derive(Debug)]
pub struct Held {
    release: oneshot::Sender<()>,
}

impl Held {
    /// Lets it pass.
    pub fn go_on(self) {
        // The process may be dead by now.
        let _ = self.release.send(());
    }
}

/// Where a test waits.
#[derive(Debug)]
pub struct Watched {
    point: Point,
    held: oneshot::Receiver<Held>,
}

impl Watched {
    /// Waits until the statement has come.
    ///
    /// # Panics
    /// When it does not.
    pub async fn reached(self) -> Held {
        let held = tokio::time::timeout(crate::PATIENCE, self.held).await;
        held.unwrap_or_else(|_| panic!("nobody came to {:?}", self.point)).unwrap()
    }
}

#[derive(Debug)]
struct Armed {
    point: Point,
    held: oneshot::Sender<Held>,
}

impl Armed {
    /// Tells the test, and waits. False: the connection is to be cut.
    async fn stop(self) -> bool {
        let (release, released) = oneshot::channel();
        match self.held.send(Held { release }) {
            Ok(()) => released.await.is_ok(),
            Err(_) => true,
        }
    }
}

#[derive(Debug)]
struct Shared {
    target: u16,
    armed: Mutex<Vec<Armed>>,
    /// Rises when everything is cut.
    cut: watch::Sender<u32>,
}

impl Shared {
    /// The point that this statement has come to, if any.
    fn at(&self, statement: &str, before: &[String]) -> Option<Armed> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let index = armed.iter().position(|Armed { point, .. }| {
            statement.contains(point.statement)
                && point.after.is_none_or(|after| before.iter().any(|text| text.contains(after)))
        })?;
        Some(armed.remove(index))
    }
}

/// A running wire. Dropped, it is cut.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// To the Postgres on a port of 127.0.0.1.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { target, armed: Mutex::default(), cut: watch::Sender::new(0) });
        let serving = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            let mut wires = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                wires.spawn(connect(client, Arc::clone(&serving)));
                while wires.try_join_next().is_some() {}
            }
        });
        Self { port, shared, listening }
    }

    /// The same database, over this wire.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn over(&self, url: &Url) -> Url {
        let mut url = url.clone();
        url.set_port(Some(self.port)).unwrap();
        url
    }

    /// The next statement that comes to this point stops there. Once.
    #[must_use]
    pub fn watch(&self, point: Point) -> Watched {
        let (tell, held) = oneshot::channel();
        self.shared.armed.lock().unwrap_or_else(PoisonError::into_inner).push(Armed { point, held: tell });
        Watched { point, held }
    }

    /// Cuts every connection at whatever it is doing.
    pub fn cut(&self) {
        self.shared.cut.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn connect(client: TcpStream, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.target)).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut cut = shared.cut.subscribe();
    tokio::select! {
        // Either side's end is the end of both.
        _ = wire::carry(client, server, &shared) => {}
        _ = cut.changed() => {}
    }
}
