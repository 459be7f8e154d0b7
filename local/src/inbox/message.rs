//! A mail as it was received.

use std::time::SystemTime;

use jiff::Timestamp;
use mail_parser::{MessageParser, PartType};

/// A mail, with its envelope and the very bytes that came.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its number in this inbox, from 1.
    pub id: u64,
    /// The sender by the envelope; empty for a bounce.
    pub from: String,
    /// The recipients by the envelope.
    pub to: Vec<String>,
    /// When its last byte came.
    pub received_at: SystemTime,
    /// Headers and body as sent, with the dots of the transfer taken away.
    pub raw: Vec<u8>,
}

impl Message {
    /// The subject, decoded; empty without one.
    #[must_use]
    pub fn subject(&self) -> String {
        let parsed = self.parsed();
        parsed.as_ref().and_then(|mail| mail.subject()).unwrap_or_default().to_owned()
    }

    /// The plain text, decoded, when there is such a part.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let parsed = self.parsed()?;
        parsed.text_bodies().find_map(|part| match &part.body {
            PartType::Text(text) => Some(text.to_string()),
            _ => None,
        })
    }

    /// The HTML, decoded, when there is such a part.
    #[must_use]
    pub fn html(&self) -> Option<String> {
        let parsed = self.parsed()?;
        parsed.html_bodies().find_map(|part| match &part.body {
            PartType::Html(html) => Some(html.to_string()),
            _ => None,
        })
    }

    /// A header as sent, unfolded, without the white space around it; names in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers().into_iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All headers in their order, as [`Message::header`] gives them.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let parsed = self.parsed();
        let headers = parsed.iter().flat_map(mail_parser::Message::headers_raw);
        headers.map(|(name, value)| (name.to_owned(), unfolded(value))).collect()
    }

    /// When it came, in RFC 3339 with milliseconds.
    #[must_use]
    pub fn received_at_text(&self) -> String {
        Timestamp::try_from(self.received_at).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
    }

    fn parsed(&self) -> Option<mail_parser::Message<'_>> {
        MessageParser::default().parse(&self.raw)
    }
}

fn unfolded(value: &str) -> String {
    value.replace("\r\n", "").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(raw: &str) -> Message {
        let raw = raw.replace('\n', "\r\n").into_bytes();
        Message { id: 1, from: String::new(), to: vec![], received_at: SystemTime::UNIX_EPOCH, raw }
    }

    #[test]
    fn both_parts_and_the_headers_are_decoded() {
        let mail = message(
            "Subject: =?utf-8?q?Caf=C3=A9?=\nX-Long: one\n two\nMIME-Version: 1.0\n\
             Content-Type: multipart/alternative; boundary=b\n\n\
             --b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
             d=C3=A9j=C3=A0\n--b\nContent-Type: text/html\n\n<p>vu</p>\n--b--\n",
        );
        assert_eq!(mail.subject(), "Café");
        assert_eq!(mail.text().unwrap().trim(), "déjà");
        assert_eq!(mail.html().unwrap().trim(), "<p>vu</p>");
        assert_eq!(mail.header("x-long").unwrap(), "one two");
        assert_eq!(mail.received_at_text(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_part_that_is_not_there_is_not_made_up() {
        let html = message("Content-Type: text/html\n\n<p>only</p>\n");
        assert_eq!(html.text(), None);
        let text = message("Subject: plain\n\nonly\n");
        assert_eq!(text.html(), None);
        assert_eq!(text.header("Message-ID"), None);
    }
}
