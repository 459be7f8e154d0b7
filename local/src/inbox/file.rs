//! One mail, one file: the envelope as headers before the mail's own, so that any mail program
//! opens it, and the mail itself to the byte.

use std::{
    fmt::Write as _,
    fs::{self, DirBuilder, File},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::Path,
    time::SystemTime,
};

use jiff::Timestamp;

use super::message::Message;
use crate::{Error, Result};

const FROM: &str = "Return-Path: <";
const TO: &str = "X-Envelope-To: <";
/// The last line of the envelope: what follows is the mail.
const AT: &str = "X-Received-At: ";

/// Writes the mail so that a file is there in full or not at all.
pub(super) fn write(directory: &Path, message: &Message) -> Result<()> {
    let path = directory.join(format!("{:06}.eml", message.id));
    let partial = path.with_extension("partial");
    let mut envelope = format!("{FROM}{}>\r\n", message.from);
    for to in &message.to {
        let _ = write!(envelope, "{TO}{to}>\r\n");
    }
    let _ = write!(envelope, "{AT}{}\r\n", message.received_at_text());

    let written = File::create(&partial).and_then(|mut file| {
        file.write_all(envelope.as_bytes())?;
        file.write_all(&message.raw)?;
        file.sync_all()?;
        fs::rename(&partial, &path)
    });
    written.map_err(Error::file("write", path))
}

/// Reads the mails of earlier runs, in the order of their numbers; makes the directory on first use.
pub(super) fn read_all(directory: &Path) -> Result<Vec<Message>> {
    // Mails hold sign-in links: they are for nobody else's eyes.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(Error::file("create", directory))?;
    let mut messages = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::file("read", directory))? {
        let path = entry.map_err(Error::file("read", directory))?.path();
        let id = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(id) = id.filter(|_| path.extension().is_some_and(|extension| extension == "eml")) {
            let content = fs::read(&path).map_err(Error::file("read", &path))?;
            // What is not in our form was put there by somebody else, and is theirs.
            messages.extend(parse(id, &content));
        }
    }
    messages.sort_by_key(|message| message.id);
    Ok(messages)
}

fn parse(id: u64, content: &[u8]) -> Option<Message> {
    let (from, mut rest) = line(content)?;
    let from = from.strip_prefix(FROM)?.strip_suffix('>')?.to_owned();
    let mut to = Vec::new();
    loop {
        let (next, after) = line(rest)?;
        rest = after;
        if let Some(at) = next.strip_prefix(AT) {
            let received_at = SystemTime::from(at.parse::<Timestamp>().ok()?);
            return Some(Message { id, from, to, received_at, raw: rest.to_vec() });
        }
        to.push(next.strip_prefix(TO)?.strip_suffix('>')?.to_owned());
    }
}

fn line(content: &[u8]) -> Option<(&str, &[u8])> {
    let end = content.windows(2).position(|pair| pair == b"\r\n")?;
    Some((str::from_utf8(&content[..end]).ok()?, &content[end + 2..]))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_mail_comes_back_to_the_byte_even_when_it_looks_like_an_envelope() {
        let directory = std::env::temp_dir().join(format!("taskbell-mails-{}", std::process::id()));
        assert!(read_all(&directory).unwrap().is_empty());
        let message = Message {
            id: 7,
            from: String::new(),
            to: vec!["a@b.c".into(), "d@e.f".into()],
            received_at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            raw: b"X-Received-At: never\r\nX-Envelope-To: <x@y.z>\r\n\r\n\xff\r\n".to_vec(),
        };
        write(&directory, &message).unwrap();
        fs::write(directory.join("8.eml"), "Subject: not ours\r\n\r\n").unwrap();
        let read = read_all(&directory).unwrap();
        fs::remove_dir_all(&directory).unwrap();

        assert_eq!(read.len(), 1);
        assert_eq!((read[0].id, &read[0].from, &read[0].to), (7, &message.from, &message.to));
        assert_eq!((read[0].received_at, &read[0].raw), (message.received_at, &message.raw));
    }
}
