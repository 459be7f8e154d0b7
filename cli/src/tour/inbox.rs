//! The mail catcher, read the way a person reads their mail.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::sleep;
use url::Url;

use crate::Failure;

/// A mail may be held up by a worker that was killed with it in hands: its lease, a retry, and some more.
const PATIENCE: Duration = Duration::from_secs(90);

/// A mail, as the catcher lists it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) received_at: Timestamp,
    pub(super) text: Option<String>,
}

impl Mail {
    /// The token that stands on a line of its own.
    pub(super) fn token(&self) -> Result<&str, Failure> {
        let is_token =
            |line: &&str| line.len() == 43 && line.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        let mut lines = self.text.as_deref().unwrap_or_default().lines().map(str::trim);
        lines.find(is_token).ok_or_else(|| format!("the mail \"{}\" holds no token", self.subject).into())
    }
}

/// The catcher's list.
pub(super) struct Inbox {
    http: reqwest::Client,
    list: Url,
}

impl Inbox {
    pub(super) fn new(page: &Url) -> Result<Self, Failure> {
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build()?;
        Ok(Self { http, list: page.join("messages")? })
    }

    /// All mails to somebody whose subject has these words.
    pub(super) async fn mails(&self, to: &str, words: &str) -> Result<Vec<Mail>, Failure> {
        let mut url = self.list.clone();
        url.query_pairs_mut().append_pair("to", to);
        let mails: Vec<Mail> = self.http.get(url).send().await?.error_for_status()?.json().await?;
        Ok(mails.into_iter().filter(|mail| mail.subject.contains(words)).collect())
    }

    /// Waits for such a mail.
    pub(super) async fn wait_for(&self, to: &str, words: &str) -> Result<Mail, Failure> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(mail) = self.mails(to, words).await?.into_iter().next() {
                return Ok(mail);
            }
            sleep(Duration::from_millis(20)).await;
        }
        Err(format!("no mail to {to} with \"{words}\" in its subject came within {} s", PATIENCE.as_secs()).into())
    }
}
