//! A mail server that plays a part, for the tests of the conversation.

use std::{future::Future, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::smtp::{Envelope, Limits, Patience, Relay, Server};

pub(super) const LIMITS: Limits = Limits { connections: 4 };

/// A listener and a relay that connects to it with `scheme`; `credentials` is empty or `user:password@`.
pub(super) async fn stage(scheme: &str, credentials: &str) -> (TcpListener, Relay) {
    let (listener, server) = listen(scheme, credentials).await;
    (listener, Relay::new(server, LIMITS))
}

/// The same, while the settings can still be changed.
pub(super) async fn listen(scheme: &str, credentials: &str) -> (TcpListener, Server) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("{scheme}://{credentials}localhost:{}", listener.local_addr().unwrap().port());
    let patience = Patience { command: Duration::from_secs(30), body: Duration::from_mins(1) };
    let server =
        Server::from_url(&url.parse().unwrap(), &"https://tasks.example.org".parse().unwrap(), patience).unwrap();
    (listener, server)
}

/// A server that plays `part`, and the relay that talks to it.
pub(super) async fn play<F>(part: impl FnOnce(TcpListener) -> F) -> (Relay, JoinHandle<F::Output>)
where
    F: Future<Output: Send> + Send + 'static,
{
    let (listener, relay) = stage("smtp+plain", "").await;
    (relay, tokio::spawn(part(listener)))
}

pub(super) fn envelope() -> Envelope {
    Envelope { from: "bell@example.org".parse().unwrap(), to: "ada@example.net".parse().unwrap() }
}

/// A socket, encrypted or not.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

/// The server's side of one connection.
pub(super) struct Peer(BufReader<Box<dyn Wire>>);

impl Peer {
    /// The next client.
    pub(super) async fn accept(listener: &TcpListener) -> Self {
        Self(BufReader::new(Box::new(listener.accept().await.unwrap().0)))
    }

    /// The same connection under TLS; none when the client breaks it off.
    pub(super) async fn secure(self, tls: &TlsAcceptor) -> Option<Self> {
        let stream = tls.accept(self.0.into_inner()).await.ok()?;
        Some(Self(BufReader::new(Box::new(stream))))
    }

    /// The next client, greeted.
    pub(super) async fn greet(listener: &TcpListener) -> Self {
        let mut peer = Self::accept(listener).await;
        peer.say("220 hello").await;
        peer.answer("EHLO tasks.example.org", "250 pleased to meet you").await;
        peer
    }

    pub(super) async fn say(&mut self, line: &str) {
        self.bytes(format!("{line}\r\n").as_bytes()).await;
    }

    pub(super) async fn bytes(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    pub(super) async fn answer(&mut self, expected: &str, reply: &str) {
        assert_eq!(self.hear().await.as_deref(), Some(expected));
        self.say(reply).await;
    }

    /// A line; none at the end.
    pub(super) async fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).await.unwrap_or(0);
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Whatever comes first.
    pub(super) async fn byte(&mut self) -> u8 {
        self.0.read_u8().await.unwrap()
    }

    pub(super) async fn envelope(&mut self) {
        self.answer("MAIL FROM:<bell@example.org>", "250 ok").await;
        self.answer("RCPT TO:<ada@example.net>", "250 ok").await;
        self.answer("DATA", "354 go ahead").await;
    }

    /// The lines up to the dot.
    pub(super) async fn body(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.hear().await.filter(|line| line != ".") {
            lines.push(line);
        }
        lines
    }
}
