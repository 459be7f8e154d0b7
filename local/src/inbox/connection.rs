//! One SMTP connection: lines in, replies out.

use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use super::{
    session::{Envelope, MAX_SIZE, Session, Turn},
    store::Store,
};

/// The longest command line; RFC 5321 asks for 512 and extensions for somewhat more.
const MAX_COMMAND: usize = 2048;

/// The longest line of a mail, with its end (RFC 5321, 4.5.3.1.6).
const MAX_LINE: usize = 1000;

/// How long a silent connection is kept.
const PATIENCE: Duration = Duration::from_mins(5);

struct Connection {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

/// A line as it came, with its end.
struct Line {
    bytes: Vec<u8>,
    is_whole: bool,
}

/// What came of a mail's text.
enum Taken {
    Mail(Vec<u8>),
    Refused(&'static str),
}

/// Talks until the other side hangs up; whatever goes wrong ends the conversation and no more.
pub(super) async fn converse(stream: TcpStream, store: Arc<Store>) {
    // Short replies to short commands: without this, each may wait 40 ms for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    let mut connection = Connection { reader: BufReader::new(reader), writer };
    let _ = connection.converse(&store).await;
}

impl Connection {
    async fn converse(&mut self, store: &Arc<Store>) -> io::Result<()> {
        self.say("220 taskbell inbox ESMTP").await?;
        let mut session = Session::default();
        while let Some(line) = self.line(MAX_COMMAND).await? {
            if !line.is_whole {
                self.say("500 5.5.2 line too long").await?;
                continue;
            }
            let line = line.bytes.trim_ascii_end();
            let Ok(line) = str::from_utf8(line) else {
                self.say("500 5.5.2 not UTF-8").await?;
                continue;
            };
            match session.command(line) {
                Turn::Reply(reply) => self.say(&reply).await?,
                Turn::HangUp(reply) => return self.say(&reply).await,
                Turn::TakeMail(reply) => {
                    self.say(&reply).await?;
                    let taken = self.mail().await?;
                    let reply = keep(store, session.finish(), taken).await;
                    self.say(&reply).await?;
                }
            }
        }
        Ok(())
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        self.writer.write_all(format!("{reply}\r\n").as_bytes()).await
    }

    /// The next line with its end; of a line longer than `max` only the end. `None` when the stream
    /// ended.
    async fn line(&mut self, max: usize) -> io::Result<Option<Line>> {
        let mut line = Line { bytes: Vec::new(), is_whole: true };
        while self.fill(&mut line.bytes, max).await? > 0 {
            if line.bytes.ends_with(b"\n") {
                return Ok(Some(line));
            }
            line.is_whole = false;
            // Two bytes tell how the line ends, and no line can fill the memory.
            line.bytes.drain(..line.bytes.len().saturating_sub(2));
        }
        Ok(None)
    }

    async fn fill(&mut self, line: &mut Vec<u8>, max: usize) -> io::Result<usize> {
        let max = u64::try_from(max).unwrap_or(u64::MAX);
        let mut limited = (&mut self.reader).take(max);
        timeout(PATIENCE, limited.read_until(b'\n', line)).await?
    }

    /// Reads a mail up to the dot on a line of its own. Refused mails are read to their end, too:
    /// only then does the other side listen.
    async fn mail(&mut self) -> io::Result<Taken> {
        let mut mail = Vec::new();
        let mut refused = None;
        let mut after_line_end = true;
        loop {
            let Some(Line { bytes, is_whole }) = self.line(MAX_LINE).await? else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            // A bare line feed is no line end: to take it for one lets mails be smuggled.
            if after_line_end && is_whole && bytes == b".\r\n" {
                return Ok(refused.map_or(Taken::Mail(mail), Taken::Refused));
            }
            let text = if after_line_end { bytes.strip_prefix(b".") } else { None };
            let text = text.unwrap_or(&bytes);
            after_line_end = bytes.ends_with(b"\r\n");
            if !is_whole {
                refused.get_or_insert("554 5.6.0 a line too long");
            } else if !after_line_end {
                refused.get_or_insert("554 5.6.0 a bare line feed");
            } else if mail.len() + text.len() > MAX_SIZE {
                refused.get_or_insert("552 5.3.4 too large");
            } else if refused.is_none() {
                mail.extend_from_slice(text);
            }
        }
    }
}

async fn keep(store: &Arc<Store>, envelope: Envelope, taken: Taken) -> String {
    let mail = match taken {
        Taken::Mail(mail) => mail,
        Taken::Refused(reply) => return reply.into(),
    };
    let (store, received_at) = (Arc::clone(store), now());
    // The mail is on disk before the reply takes responsibility for it; that may block.
    match tokio::task::spawn_blocking(move || store.add(envelope, mail, received_at)).await {
        Ok(Ok(id)) => format!("250 2.0.0 kept as {id}"),
        Ok(Err(error)) => format!("451 4.3.0 {}", error.to_string().replace(char::is_control, " ")),
        Err(_) => "451 4.3.0 not kept".into(),
    }
}

#[expect(clippy::disallowed_methods, reason = "when a mail really came is what the inbox is asked for")]
fn now() -> SystemTime {
    SystemTime::now()
}
