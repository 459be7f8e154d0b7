use std::time::SystemTime;

use jiff::Timestamp;
use local::Message;
use uuid::Uuid;

/// A mail that the server has taken.
#[derive(Clone, Debug)]
pub struct Mail {
    /// When MAIL came, by the server's clock: whoever sends has decided by then that it is time.
    pub begun_at: Timestamp,
    /// When the 354 went out: up to here, nobody has written `sending`.
    pub asked_at: Timestamp,
    /// When the dot had come.
    pub taken_at: Timestamp,
    /// To whom, by the envelope.
    pub to: Vec<String>,
    /// The bytes, without the dots of the transfer.
    pub raw: Vec<u8>,
}

impl Mail {
    /// Everything that a reader sees: the subject, the text, the HTML.
    #[must_use]
    pub fn parts(&self) -> [String; 3] {
        let message = self.message();
        [message.subject(), message.text().unwrap_or_default(), message.html().unwrap_or_default()]
    }

    /// The Message-ID as it stands there.
    #[must_use]
    pub fn message_id(&self) -> String {
        self.message().header("Message-ID").unwrap_or_default()
    }

    /// The id of the mail that the Message-ID names.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.message_id().trim_start_matches('<').split('@').next()?.parse().ok()
    }

    fn message(&self) -> Message {
        Message {
            id: 0,
            from: String::new(),
            to: self.to.clone(),
            received_at: SystemTime::UNIX_EPOCH,
            raw: self.raw.clone(),
        }
    }
}
