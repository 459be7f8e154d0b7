//! A socket that gives out one line at a time, for what is said before STARTTLS.
//!
//! lettre reads ahead. Whoever sits on the wire could append replies of their own to the server's last words in plain text,
//! and lettre would take them for what the server says under TLS: mails would seem accepted that never were. So nothing beyond
//! a line is handed over; what follows the go-ahead for TLS then arrives where it belongs, in the handshake, and breaks it
//! (test: `words_slipped_in_before_tls_break_the_connection`).

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// See the module. Under TLS the bytes pass in pieces that mean nothing, which costs some calls and no correctness.
#[derive(Debug)]
pub(super) struct Lines(pub(super) TcpStream);

impl AsyncTokioStream for Lines {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}

impl AsyncRead for Lines {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let unfilled = into.initialize_unfilled();
        let seen = ready!(self.0.poll_peek(cx, &mut ReadBuf::new(unfilled)))?;
        let line = unfilled[..seen].iter().position(|byte| *byte == b'\n').map_or(seen, |end| end + 1);
        let mut piece = ReadBuf::new(&mut unfilled[..line]);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut piece))?;
        let read = piece.filled().len();
        into.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Lines {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
