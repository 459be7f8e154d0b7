//! From what a mail is about to its bytes. Pure: the same content under the same letterhead gives the same bytes, at every
//! attempt and on every worker.

mod facts;
mod late;
mod style;
mod text;
mod words;

use std::time::SystemTime;

use common::{
    ids::{DeliveryId, MailId},
    mails::{Content, Subject},
    secrets::ServerKey,
};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use url::Url;

use crate::smtp::Envelope;
use facts::Pages;
use text::header;
use words::Words;

/// What all mails of a deployment have in common.
#[derive(Clone, Debug)]
pub(crate) struct Letterhead {
    from: Mailbox,
    /// Without the slash at its end.
    base_url: String,
    /// The right-hand side of every Message-ID.
    host: String,
    /// The header by which a relay tells a repeat, if it knows one.
    repeat: Option<HeaderName>,
}

/// A mail, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Who sends it to whom.
    pub(crate) envelope: Envelope,
    /// ASCII, lines ended by CRLF.
    pub(crate) bytes: Vec<u8>,
}

/// A mail that cannot be written; a fault of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritable {
    /// What passes for an address here does not for lettre.
    #[error("the recipient's address cannot be used: {0}")]
    Recipient(#[from] lettre::address::AddressError),
    /// A template failed.
    #[error("the words could not be rendered: {0}")]
    Words(#[from] askama::Error),
    /// A header is missing.
    #[error("the message could not be put together: {0}")]
    Message(#[from] lettre::error::Error),
}

impl Letterhead {
    /// `mail_from` is `Name <address>` or an address.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn new(mail_from: &str, base_url: &Url) -> Result<Self, lettre::address::AddressError> {
        let Mailbox { name, email } = mail_from.parse()?;
        Ok(Self {
            from: Mailbox::new(name.as_deref().map(header), email),
            base_url: base_url.as_str().trim_end_matches('/').to_owned(),
            host: base_url.host_str().unwrap_or("localhost").to_owned(),
            repeat: None,
        })
    }

    /// With the mail's id in a header of this name too: the same at every try, so that a relay which knows it drops a repeat.
    ///
    /// # Errors
    /// A sentence part, when it is no name of a header, or one that mails have already.
    pub(crate) fn with_repeat(self, name: Option<&str>) -> Result<Self, &'static str> {
        let Some(name) = name else { return Ok(self) };
        if TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
            return Err("every mail has such a header already");
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err("it is no name of a header");
        }
        let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|_| "it is no name of a header")?;
        Ok(Self { repeat: Some(name), ..self })
    }

    /// Writes one mail. Its tokens are derived from `key` here and are nowhere else.
    ///
    /// # Errors
    /// See [`Unwritable`].
    pub(crate) fn write(&self, id: MailId, content: &Content, key: &ServerKey) -> Result<Letter, Unwritable> {
        let to: Address = content.to.parse()?;
        let Words { subject, text, html } = words::words(content, &self.base_url, key)?;
        let name = content.name.as_deref().map(header).filter(|name| !name.is_empty());
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, to.clone()))
            .subject(header(&subject))
            .date(SystemTime::from(content.date))
            .message_id(Some(self.message_id(id)))
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()));
        if let Some(repeat) = &self.repeat {
            message = message.raw_header(HeaderValue::new(repeat.clone(), id.to_string()));
        }
        if let Some(page) = self.enough(&content.about, key) {
            // RFC 2369, and the one click of RFC 8058.
            message = message
                .raw_header(HeaderValue::new(LIST_UNSUBSCRIBE, format!("<{page}>")))
                .raw_header(HeaderValue::new(LIST_UNSUBSCRIBE_POST, "List-Unsubscribe=One-Click".to_owned()));
        }
        if let Some(thread) = self.thread(&content.about) {
            message = message.in_reply_to(thread.clone()).references(thread);
        }
        let message = message.multipart(
            // No line of quoted-printable text can look like it: there, `=` is followed by hexadecimal digits.
            MultiPart::alternative()
                .boundary(format!("=_{}", id.0.simple()))
                .singlepart(part(ContentType::TEXT_PLAIN, text))
                .singlepart(part(ContentType::TEXT_HTML, html)),
        )?;
        Ok(Letter { envelope: Envelope { from: self.from.email.clone(), to }, bytes: message.formatted() })
    }

    fn message_id(&self, id: impl std::fmt::Display) -> String {
        format!("<{id}@{}>", self.host)
    }

    /// Where there is no more of such mails to be had.
    fn enough(&self, about: &Subject, key: &ServerKey) -> Option<String> {
        let delivery = match about {
            Subject::Reminder(reminder) => reminder.delivery,
            Subject::Reminders { reminders } => reminders.first()?.delivery,
            Subject::Comment(comment) => comment.delivery,
            Subject::Digest(digest) => digest.delivery,
            Subject::Invitation { .. }
            | Subject::Verification { .. }
            | Subject::AlreadyRegistered
            | Subject::PasswordReset { .. }
            | Subject::EmailChange { .. }
            | Subject::Notice(_) => return None,
        };
        Some(format!("{}/unsubscribe", Pages { base_url: &self.base_url, key }.of(DeliveryId(delivery))))
    }

    /// What mails about one thing refer to, so that they stand together in the reader's mailbox.
    fn thread(&self, about: &Subject) -> Option<String> {
        match about {
            Subject::Reminder(reminder) => Some(self.message_id(reminder.task_id)),
            Subject::Comment(comment) => Some(self.message_id(comment.task_id)),
            // About many things at once.
            Subject::Reminders { .. }
            | Subject::Digest(_)
            | Subject::Invitation { .. }
            | Subject::Verification { .. }
            | Subject::AlreadyRegistered
            | Subject::PasswordReset { .. }
            | Subject::EmailChange { .. }
            | Subject::Notice(_) => None,
        }
    }
}

/// What no header of the operator's may be called.
const TAKEN: [&str; 15] = [
    "From",
    "To",
    "Cc",
    "Bcc",
    "Sender",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
];
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
const LIST_UNSUBSCRIBE: HeaderName = HeaderName::new_from_ascii_str("List-Unsubscribe");
const LIST_UNSUBSCRIBE_POST: HeaderName = HeaderName::new_from_ascii_str("List-Unsubscribe-Post");

fn part(of: ContentType, text: String) -> SinglePart {
    SinglePart::builder().header(of).header(ContentTransferEncoding::QuotedPrintable).body(text)
}

#[cfg(test)]
mod tests;
