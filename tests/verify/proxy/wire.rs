//! One connection: messages from both sides, each passed on whole.

use std::{
    collections::HashMap,
    io,
    sync::{Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
};

use super::{Armed, Shared, Side};

const SSL_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();
const GSS_REQUEST: [u8; 4] = 80_877_104_u32.to_be_bytes();

/// A point whose reply is awaited.
type Withheld = Mutex<Option<Armed>>;

pub(super) async fn carry(mut client: TcpStream, mut server: TcpStream, shared: &Shared) -> io::Result<()> {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let mut asked = BufReader::new(from_client);
    let (mut to_server, mut to_client) = (to_server, to_client);
    greet(&mut asked, &mut to_server, &mut to_client).await?;
    let withheld = Withheld::default();
    tokio::select! {
        end = questions(asked, to_server, shared, &withheld) => end,
        end = answers(BufReader::new(from_server), to_client, &withheld) => end,
    }
}

/// The messages before the first that has a type. Encryption is declined here, so that what follows can be read.
async fn greet(
    from: &mut BufReader<ReadHalf<'_>>,
    to_server: &mut WriteHalf<'_>,
    to_client: &mut WriteHalf<'_>,
) -> io::Result<()> {
    loop {
        let length = from.read_u32().await?;
        let mut body = vec![0; (length as usize).saturating_sub(4)];
        from.read_exact(&mut body).await?;
        if body.starts_with(&SSL_REQUEST) || body.starts_with(&GSS_REQUEST) {
            to_client.write_all(b"N").await?;
            continue;
        }
        to_server.write_all(&length.to_be_bytes()).await?;
        return to_server.write_all(&body).await;
    }
}

/// What the process asks.
async fn questions(
    mut from: BufReader<ReadHalf<'_>>,
    mut to: WriteHalf<'_>,
    shared: &Shared,
    withheld: &Withheld,
) -> io::Result<()> {
    let mut known = Known::default();
    loop {
        let message = read(&mut from).await?;
        if let Some(statement) = known.run(&message) {
            if let Some(armed) = shared.at(&statement, &known.transaction) {
                if armed.point.side == Side::After {
                    *withheld.lock().unwrap_or_else(PoisonError::into_inner) = Some(armed);
                } else if !armed.stop().await {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
            known.remember(statement);
        }
        to.write_all(&message).await?;
    }
}

/// What Postgres answers.
async fn answers(mut from: BufReader<ReadHalf<'_>>, mut to: WriteHalf<'_>, withheld: &Withheld) -> io::Result<()> {
    let mut kept: Vec<u8> = Vec::new();
    loop {
        let message = read(&mut from).await?;
        let ready = message[0] == b'Z';
        kept.extend_from_slice(&message);
        let waits = withheld.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if waits && !ready {
            continue;
        }
        if waits {
            // Ready for the next query: this one is committed.
            let armed = withheld.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(armed) = armed
                && !armed.stop().await
            {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        to.write_all(&kept).await?;
        kept.clear();
    }
}

/// A message with its type and its length.
async fn read(from: &mut BufReader<ReadHalf<'_>>) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 5];
    from.read_exact(&mut message).await?;
    let length = u32::from_be_bytes([message[1], message[2], message[3], message[4]]) as usize;
    message.resize((length + 1).max(5), 0);
    from.read_exact(&mut message[5..]).await?;
    Ok(message)
}

/// The statements of a connection, by the names that they were given.
#[derive(Default)]
struct Known {
    statements: HashMap<String, String>,
    portals: HashMap<String, String>,
    transaction: Vec<String>,
}

impl Known {
    /// The text that this message makes Postgres run, if it does.
    fn run(&mut self, message: &[u8]) -> Option<String> {
        let body = &message[5..];
        match message[0] {
            b'Q' => Some(word(body).0),
            b'P' => {
                let (name, rest) = word(body);
                self.statements.insert(name, word(rest).0);
                None
            }
            b'B' => {
                let (portal, rest) = word(body);
                let text = self.statements.get(&word(rest).0).cloned().unwrap_or_default();
                self.portals.insert(portal, text);
                None
            }
            b'E' => self.portals.get(&word(body).0).cloned(),
            _ => None,
        }
    }

    fn remember(&mut self, statement: String) {
        // Every transaction here begins in a message of its own, whose last word is `begin`.
        if statement.trim_end().ends_with("begin") || self.transaction.len() > 100 {
            self.transaction.clear();
        }
        self.transaction.push(statement);
    }
}

/// Up to the next zero, and what follows it.
fn word(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), bytes.get(end + 1..).unwrap_or_default())
}
