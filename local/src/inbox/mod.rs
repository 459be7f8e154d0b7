//! A mail catcher: an SMTP server that keeps every mail, for people (a web page) and for tests.

mod connection;
mod file;
mod message;
mod page;
mod session;
mod store;
mod web;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

pub use message::Message;
use store::Store;
pub use web::WebPage;

use crate::{Error, Result};

/// A running mail catcher. Dropped, it stops listening and drops its connections.
#[derive(Debug)]
pub struct Inbox {
    address: SocketAddr,
    store: Arc<Store>,
    server: JoinHandle<()>,
}

impl Inbox {
    /// Listens on `address` (port 0: any free one). Mails are kept in the directory `store`, and
    /// those of earlier runs read from it; without one they are kept in memory.
    ///
    /// # Errors
    /// When the port is taken or the directory cannot be used.
    pub async fn start(address: SocketAddr, store: Option<PathBuf>) -> Result<Self> {
        let store = Arc::new(Store::open(store)?);
        let what = || format!("listen for mail on {address}");
        let listener = TcpListener::bind(address).await.map_err(Error::system(what()))?;
        let address = listener.local_addr().map_err(Error::system(what()))?;
        let server = tokio::spawn(serve(listener, Arc::clone(&store)));
        Ok(Self { address, store, server })
    }

    /// Where to send mail to.
    #[must_use]
    pub fn smtp_addr(&self) -> SocketAddr {
        self.address
    }

    /// All mails, in the order of their arrival.
    #[must_use]
    pub fn messages(&self) -> Vec<Arc<Message>> {
        self.store.messages()
    }

    /// The first mail that `wanted` accepts, of those that are there or come before the deadline.
    ///
    /// # Errors
    /// [`Error::NoMail`] when none came.
    pub async fn wait_for(&self, mut wanted: impl FnMut(&Message) -> bool, deadline: Duration) -> Result<Arc<Message>> {
        let mut arrivals = self.store.arrivals();
        let search = async {
            let mut seen = 0;
            loop {
                // Marked as seen before looking, so that what comes while we look wakes us again.
                arrivals.borrow_and_update();
                let messages = self.store.messages_from(seen);
                seen += messages.len();
                if let Some(found) = messages.into_iter().find(|message| wanted(message)) {
                    return Some(found);
                }
                arrivals.changed().await.ok()?;
            }
        };
        let found = timeout(deadline, search).await.ok().flatten();
        found.ok_or_else(|| Error::NoMail { waited: deadline, held: self.store.messages().len() })
    }

    /// Serves the web page and the JSON on `address` (port 0: any free one).
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn serve_web(&self, address: SocketAddr) -> Result<WebPage> {
        WebPage::start(address, Arc::clone(&self.store)).await
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Takes connections for as long as it is not aborted; the set then aborts those that are open.
async fn serve(listener: TcpListener, store: Arc<Store>) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(connection::converse(stream, Arc::clone(&store)));
        } else {
            // Out of file handles, most likely: some will be given back.
            sleep(Duration::from_millis(50)).await;
        }
        while connections.try_join_next().is_some() {}
    }
}
