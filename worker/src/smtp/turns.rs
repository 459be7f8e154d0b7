//! The two sides speak in turns, and a turn has an end.
//!
//! lettre reads as much as it gets and takes what it finds there for the answer to whatever it asks next: after a reply that came twice, a
//! yes to MAIL would count for RCPT, and a 250 that was said before the body would count for its dot. So a reply is handed over line by
//! line, and whoever wants to speak while something unasked is there gets an error instead
//! (tests: `an_answer_before_its_question_is_none`, and the rows of tests/worker/outcomes). A reply that does not end is cut off: lettre
//! would keep all of a line in memory, however long it is.

use std::{
    error::Error,
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest reply. Real ones have some hundred bytes.
const LONGEST: usize = 16 * 1024;

/// A stream on which nobody speaks out of turn.
#[derive(Debug)]
pub(super) struct Turns<S> {
    stream: S,
    /// What has arrived, and was not handed over.
    ahead: Vec<u8>,
    /// The bytes of this turn of the server's.
    heard: usize,
    /// It is our turn, and we have begun it.
    speaking: bool,
}

/// Why our turn did not begin. Not a byte of ours was written since the server's last reply.
#[derive(Debug)]
pub(super) struct NotBegun(&'static str);

impl NotBegun {
    fn because(why: &'static str) -> io::Error {
        io::Error::other(Self(why))
    }
}

impl fmt::Display for NotBegun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for NotBegun {}

impl<S> Turns<S> {
    /// A conversation that begins: the server greets.
    pub(super) fn new(stream: S) -> Self {
        Self { stream, ahead: Vec::new(), heard: 0, speaking: false }
    }

    /// A conversation that goes on under TLS, where no server greets a second time (RFC 3207) and lettre waits for it.
    pub(super) fn resumed(stream: S) -> Self {
        Self { ahead: b"220 encrypted\r\n".to_vec(), ..Self::new(stream) }
    }
}

impl<S: AsyncRead + Unpin> Turns<S> {
    /// Reads once; how many bytes came.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; 4096];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        self.ahead.extend_from_slice(buffer.filled());
        self.heard += buffer.filled().len();
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// The bytes of the next line; of all that is there, at the end of the stream.
    fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                return Poll::Ready(Ok(end + 1));
            }
            if self.heard > LONGEST {
                return Poll::Ready(Err(io::Error::other("a reply without an end")));
            }
            if ready!(self.poll_more(cx))? == 0 {
                return Poll::Ready(Ok(self.ahead.len()));
            }
        }
    }

    /// An error when it is not our turn.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let unasked = "the server spoke before it was asked";
        if !self.ahead.is_empty() {
            return Err(NotBegun::because(unasked));
        }
        match self.poll_more(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(0) | Err(_)) => Err(NotBegun::because("the server has hung up")),
            Poll::Ready(Ok(_)) => Err(NotBegun::because(unasked)),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Turns<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.speaking {
            (this.speaking, this.heard) = (false, 0);
        }
        let line = ready!(this.poll_line(cx))?;
        // A code alone is a reply (RFC 5321, 4.2); lettre wants a space after it.
        if line == 5 && this.ahead[..3].iter().all(u8::is_ascii_digit) && &this.ahead[3..5] == b"\r\n" {
            this.ahead.insert(3, b' ');
            return self.poll_read(cx, into);
        }
        let piece = line.min(into.remaining());
        into.put_slice(&this.ahead[..piece]);
        this.ahead.drain(..piece);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Turns<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.speaking {
            self.poll_silence(cx)?;
            self.speaking = true;
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncTokioStream> AsyncTokioStream for Turns<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
