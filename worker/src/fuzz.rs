//! What must hold of a mail, whatever its words are: for `tests/fuzz`, which cannot see how mails are written.

use common::{
    ids::{MailId, TaskId},
    mails::{CommentContent, Content, ReminderContent, Subject},
    secrets::ServerKey,
    text::EmailAddress,
};
use jiff::Timestamp;

use crate::mail::Letterhead;

/// RFC 5322, 2.1.1, without the CRLF.
const LONGEST_LINE: usize = 998;
/// What stands in front of a mail. No title adds to it.
const HEADERS: [&str; 13] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// A reminder, many of them, and a comment with these words in every place that has room for some.
///
/// # Panics
/// When a mail cannot be written, or is more, or something else, than it should be.
pub fn mail(to: &EmailAddress, words: &str) {
    let text = || words.to_owned();
    let reminder = || ReminderContent {
        organization: text(),
        org_slug: "acme".into(),
        project: text(),
        task_id: TaskId::default().0,
        task_key: "OPS-42".into(),
        title: text(),
        due: Some(text()),
        time_zone: "Europe/Berlin".into(),
        due_at: Timestamp::UNIX_EPOCH,
        delivery: TaskId::default().0,
        occurrence: Some(1),
    };
    let comment = Subject::Comment(CommentContent {
        organization: text(),
        org_slug: "acme".into(),
        project: text(),
        task_id: TaskId::default().0,
        task_key: "OPS-42".into(),
        title: text(),
        author: text(),
        body: text(),
        mentioned: true,
        delivery: TaskId::default().0,
    });
    let many = Subject::Reminders { reminders: vec![reminder(), reminder()] };
    for about in [Subject::Reminder(reminder()), many, comment] {
        let (name, date) = (Some(text()), Timestamp::UNIX_EPOCH);
        let content = Content { to: to.to_string(), name, date, deliveries: Vec::new(), about };
        let id = MailId::default();
        let bytes = written(id, &content);
        assert_eq!(bytes, written(id, &content), "the same words, other bytes");
        looks_right(&bytes);
    }
}

fn written(id: MailId, content: &Content) -> Vec<u8> {
    let key = ServerKey::new("k".repeat(32).into()).map_err(std::string::ToString::to_string);
    let base = url::Url::parse("https://tasks.example.org/").map_err(|fault| fault.to_string());
    let written = key.and_then(|key| {
        let letterhead = Letterhead::new("Taskbell <bell@example.org>", &base?).map_err(|fault| fault.to_string())?;
        letterhead.write(id, content, &key).map_err(|fault| fault.to_string())
    });
    match written {
        Ok(letter) => letter.bytes,
        Err(fault) => panic!("{fault}: {content:?}"),
    }
}

fn looks_right(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    assert!(text.is_ascii() && !text.is_empty(), "not ASCII");
    assert!(!text.contains('\0'), "U+0000");
    let lines = || text.split("\r\n");
    assert!(lines().all(|line| !line.contains(['\r', '\n'])), "a line that CRLF does not end");
    assert!(lines().all(|line| line.len() <= LONGEST_LINE), "a line that is too long");
    let mut seen = Vec::new();
    for line in lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with([' ', '\t'])) {
        let name = line.split(':').next().unwrap_or_default();
        assert!(HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name)), "{line:?}");
        assert!(!seen.contains(&name), "{name} twice");
        seen.push(name);
    }
}
