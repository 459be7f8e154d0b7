//! One connection, from the greeting to its end.

use std::{io, sync::Arc};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::sleep,
};

use super::{Mail, Phase, Shared, Then};
use crate::verify::now;

/// What becomes of a command.
enum Next {
    Go,
    Refused,
}

struct Talk {
    stream: BufReader<TcpStream>,
    shared: Arc<Shared>,
}

pub(super) async fn hold(socket: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let mut talk = Talk { stream: BufReader::new(socket), shared };
    if matches!(talk.reach(Phase::Connect).await?, Next::Refused) {
        return Ok(());
    }
    talk.say("220 a mail server of the tests").await?;
    let (mut begun_at, mut to) = (now(), Vec::new());
    loop {
        let line = talk.line().await?;
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => talk.say("250-tests\r\n250-8BITMIME\r\n250 SMTPUTF8").await?,
            "MAIL" => {
                begun_at = now();
                talk.answer(Phase::Mail, "250 from there").await?;
            }
            "RCPT" => {
                to = vec![address(&line)];
                talk.answer(Phase::Rcpt, "250 to there").await?;
            }
            "DATA" => {
                if matches!(talk.reach(Phase::Data).await?, Next::Refused) {
                    continue;
                }
                talk.think().await;
                let asked_at = now();
                talk.say("354 go ahead").await?;
                talk.mail(Mail { begun_at, asked_at, taken_at: asked_at, to: to.clone(), raw: Vec::new() }).await?;
            }
            "RSET" | "NOOP" => talk.say("250 done").await?,
            "QUIT" => return talk.say("221 goodbye").await,
            _ => talk.say("500 what?").await?,
        }
    }
}

impl Talk {
    /// From the first byte of the body to the reply.
    async fn mail(&mut self, mut mail: Mail) -> io::Result<()> {
        let mut first = true;
        loop {
            let line = self.line().await?;
            if std::mem::take(&mut first) && matches!(self.reach(Phase::Body).await?, Next::Refused) {
                return Ok(());
            }
            if line == b".\r\n" {
                break;
            }
            mail.raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        if matches!(self.reach(Phase::Dot).await?, Next::Refused) {
            return Ok(());
        }
        self.think().await;
        mail.taken_at = now();
        self.shared.take(mail);
        if rand::random_range(0..100) < self.shared.manner().mute {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.answer(Phase::Taken, "250 taken").await?;
        self.reach(Phase::Replied).await.map(drop)
    }

    async fn think(&self) {
        let slow = self.shared.manner().slow;
        if !slow.is_zero() {
            sleep(slow).await;
        }
    }

    async fn answer(&mut self, phase: Phase, reply: &str) -> io::Result<()> {
        match self.reach(phase).await? {
            Next::Go => self.say(reply).await,
            Next::Refused => Ok(()),
        }
    }

    /// Stops at a trap, or says what the manner wants to be said here. An error: the conversation is over.
    async fn reach(&mut self, phase: Phase) -> io::Result<Next> {
        let reply = match self.shared.trap_at(phase) {
            Some(set) => match set.spring().await {
                Then::GoOn => None,
                Then::Say(reply) => Some(reply),
                Then::HangUp => return Err(io::ErrorKind::ConnectionAborted.into()),
            },
            None => self.shared.manner().refuse.filter(|(at, _)| *at == phase).map(|(_, reply)| reply),
        };
        match reply {
            None => Ok(Next::Go),
            Some(reply) => self.say(reply).await.map(|()| Next::Refused),
        }
    }

    async fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        if line.ends_with(b"\n") { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await
    }
}

fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(address, _)| address.to_owned())
}
