//! Settings: environment variables named `TASKBELL_…`, read once at the edge by the binary.
//!
//! `TASKBELL_X_FILE` names a file that holds the value of `TASKBELL_X`, which is how secrets arrive in containers.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    num::{NonZeroU16, NonZeroU32},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use figment::{Figment, providers::Serialized};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::{
    origins::AllowedOrigins,
    proxies::TrustedProxies,
    quotas::Quotas,
    rates::{self, Rates},
    secrets::ServerKey,
};

/// Everything an operator can set. docs/operations.md lists it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `postgres://role@host/database`; the role decides what the process may do.
    database_url: Option<SecretString>,
    /// Put into `database_url`.
    database_password: Option<SecretString>,
    /// Connections that a process keeps; about twice the cores of the database's machine serve best.
    #[serde(default = "ten", deserialize_with = "number")]
    pub database_connections: u32,
    /// `redis://host:6379`.
    redis_url: Option<SecretString>,
    /// Keeps deployments apart that share a Redis.
    #[serde(default = "namespace")]
    pub redis_namespace: String,
    /// Put into `redis_url`.
    redis_password: Option<SecretString>,
    /// At least 32 characters, the same for API and worker.
    server_key: Option<SecretString>,
    /// The one that was in its place, while it is changed.
    server_key_before: Option<SecretString>,
    /// Where clients reach the API; links in mails begin with it.
    #[serde(default = "local_url")]
    pub base_url: Url,
    /// Where the API listens.
    #[serde(default = "loopback")]
    pub address: IpAddr,
    /// Where the API listens.
    #[serde(default = "port", deserialize_with = "number")]
    pub port: u16,
    /// Networks of the proxies whose `X-Forwarded-For` is believed, separated by commas; of nobody's by default.
    #[serde(default)]
    pub trusted_proxies: TrustedProxies,
    /// `smtp://` (STARTTLS required), `smtps://` (TLS from the first byte) or `smtp+plain://` (no TLS, for development).
    smtp_url: Option<SecretString>,
    /// Put into `smtp_url`.
    smtp_password: Option<SecretString>,
    /// How long the mail server may take for a command.
    #[serde(default = "half_a_minute", deserialize_with = "seconds")]
    pub smtp_timeout: Duration,
    /// How long it may take for a body and the reply to its dot: ten minutes (RFC 5321, 4.5.3.2.6), since giving up early makes repeats.
    #[serde(default = "ten_minutes", deserialize_with = "seconds")]
    pub smtp_body_timeout: Duration,
    /// The most connections to the mail server at a time. Mails in hand are twice as many: those of one half are with Postgres.
    #[serde(default = "thirty_two", deserialize_with = "number")]
    pub smtp_connections: NonZeroU16,
    /// The most mails a second of each worker; without a limit if it is not set.
    #[serde(default, deserialize_with = "optional")]
    pub smtp_rate: Option<NonZeroU32>,
    /// The name of a header by which the relay drops repeats; it gets the mail's id.
    #[serde(default, deserialize_with = "optional")]
    pub idempotency_header: Option<String>,
    /// Days after which the steps and tries of mails that have ended are forgotten, and what they said.
    #[serde(default = "a_year", deserialize_with = "number")]
    pub keep_attempts: NonZeroU32,
    /// The sender of every mail.
    #[serde(default = "sender")]
    pub mail_from: String,
    /// What becomes of a mail whose fate is unknown: `resend` (default) or `hold`.
    #[serde(default)]
    pub uncertain: Uncertain,
    #[serde(default, deserialize_with = "optional")]
    reminders_paused: Option<bool>,
    /// Who may sign up: `open` (default), `invited` or `closed`.
    #[serde(default)]
    pub registration: Registration,
    /// The most bytes of an import.
    #[serde(default = "sixty_four_mebibytes", deserialize_with = "number")]
    pub import_limit: u64,
    /// Where exports and imports lie while they pass through; they have no names there, and outlive nothing.
    #[serde(default = "std::env::temp_dir")]
    pub spool_directory: PathBuf,
    /// The origins whose scripts browsers let read answers, separated by commas; none by default.
    #[serde(default)]
    pub cors_origins: AllowedOrigins,
    /// See [`Settings::rates`].
    #[serde(default, deserialize_with = "optional")]
    rate_credential: Option<rates::Setting>,
    #[serde(default, deserialize_with = "optional")]
    rate_address: Option<rates::Setting>,
    /// See [`Settings::quotas`].
    #[serde(default, deserialize_with = "optional")]
    quota_organizations: Option<u32>,
    /// See [`Settings::quotas`].
    #[serde(default, deserialize_with = "optional")]
    quota_members: Option<u32>,
    #[serde(default, deserialize_with = "optional")]
    quota_projects: Option<u32>,
    #[serde(default, deserialize_with = "optional")]
    quota_tasks: Option<u32>,
    #[serde(default, deserialize_with = "optional")]
    quota_labels: Option<u32>,
    #[serde(default, deserialize_with = "optional")]
    quota_reminders: Option<u32>,
    #[serde(default, deserialize_with = "optional")]
    quota_tokens: Option<u32>,
    /// Where the process shows its metrics; nowhere by default.
    #[serde(default, deserialize_with = "optional")]
    pub metrics_address: Option<SocketAddr>,
    /// A file that a worker touches at each completed read of its queue; `healthcheck worker` looks at its age.
    pub heartbeat: Option<PathBuf>,
    /// The password `migrate` gives to the role `taskbell_app`.
    pub app_password: Option<SecretString>,
    /// The password `migrate` gives to the role `taskbell_worker`.
    pub worker_password: Option<SecretString>,
    /// `text` (default) or `json`.
    #[serde(default)]
    pub log_format: LogFormat,
}

/// See [`Settings::uncertain`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncertain {
    /// Send again; relay or mailbox can drop the repeat by its Message-ID.
    #[default]
    Resend,
    /// Wait for an operator.
    Hold,
}

/// See [`Settings::registration`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Everybody.
    #[default]
    Open,
    /// Whom an organization has invited.
    Invited,
    /// Nobody.
    Closed,
}

/// See [`Settings::log_format`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// A setting is missing or wrong; one sentence that names it.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not set.
    #[error("{0} is not set (nor {0}_FILE)")]
    Missing(&'static str),
    /// Set to something unusable.
    #[error("{name} is not usable: {why}")]
    Wrong {
        /// The variable.
        name: String,
        /// A sentence part; never the value.
        why: String,
    },
}

impl Settings {
    /// Reads the variables that begin with `TASKBELL_`. An empty one is none.
    ///
    /// # Errors
    /// The first variable that is unknown or cannot be read.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let mut values = BTreeMap::new();
        for (name, value) in variables {
            let Some(key) = name.strip_prefix("TASKBELL_") else { continue };
            let (key, value) = match key.strip_suffix("_FILE") {
                Some(key) => {
                    let text = std::fs::read_to_string(&value).map_err(|fault| SettingsError::Wrong {
                        name: name.clone(),
                        why: format!("{value}: {fault}"),
                    })?;
                    (key, text.trim_end().to_owned())
                }
                None => (key, value),
            };
            // Compose passes on what `.env` leaves empty, and has a file for each secret that there may be.
            if !value.trim().is_empty() {
                values.insert(key.to_lowercase(), value);
            }
        }
        Figment::from(Serialized::defaults(values)).extract().map_err(|fault| {
            let key = fault.path.first().map_or_else(String::new, |key| key.to_uppercase());
            SettingsError::Wrong { name: format!("TASKBELL_{key}"), why: fault.kind.to_string() }
        })
    }

    /// The database, with its password.
    ///
    /// # Errors
    /// Missing or no URL.
    pub fn database_url(&self) -> Result<Url, SettingsError> {
        url("TASKBELL_DATABASE_URL", self.database_url.as_ref(), self.database_password.as_ref())
    }

    /// The queue, with its password.
    ///
    /// # Errors
    /// Missing or no URL.
    pub fn redis_url(&self) -> Result<Url, SettingsError> {
        url("TASKBELL_REDIS_URL", self.redis_url.as_ref(), self.redis_password.as_ref())
    }

    /// The mail server, with its password.
    ///
    /// # Errors
    /// Missing or no URL.
    pub fn smtp_url(&self) -> Result<Url, SettingsError> {
        url("TASKBELL_SMTP_URL", self.smtp_url.as_ref(), self.smtp_password.as_ref())
    }

    /// Whether reminders and digests wait until this is over: they are neither sent nor do they expire.
    #[must_use]
    pub fn reminders_paused(&self) -> bool {
        self.reminders_paused.unwrap_or(false)
    }

    /// How many requests there may be.
    #[must_use]
    pub fn rates(&self) -> Rates {
        let usual = Rates::default();
        Rates {
            credential: self.rate_credential.map_or(usual.credential, |setting| setting.0),
            address: self.rate_address.map_or(usual.address, |setting| setting.0),
        }
    }

    /// How much of everything there may be.
    #[must_use]
    pub fn quotas(&self) -> Quotas {
        let usual = Quotas::default();
        Quotas {
            organizations: self.quota_organizations.unwrap_or(usual.organizations),
            members: self.quota_members.unwrap_or(usual.members),
            projects: self.quota_projects.unwrap_or(usual.projects),
            tasks: self.quota_tasks.unwrap_or(usual.tasks),
            labels: self.quota_labels.unwrap_or(usual.labels),
            reminders: self.quota_reminders.unwrap_or(usual.reminders),
            tokens: self.quota_tokens.unwrap_or(usual.tokens),
        }
    }

    /// The server key, with the one before it if there is one.
    ///
    /// # Errors
    /// Missing, or one of them too short.
    pub fn server_key(&self) -> Result<ServerKey, SettingsError> {
        let key = |name: &str, key: &SecretString| {
            ServerKey::new(key.clone()).map_err(|why| SettingsError::Wrong { name: name.into(), why: why.into() })
        };
        let present = self.server_key.as_ref().ok_or(SettingsError::Missing("TASKBELL_SERVER_KEY"))?;
        let present = key("TASKBELL_SERVER_KEY", present)?;
        match &self.server_key_before {
            Some(before) => Ok(present.after(key("TASKBELL_SERVER_KEY_BEFORE", before)?)),
            None => Ok(present),
        }
    }
}

fn url(name: &'static str, text: Option<&SecretString>, password: Option<&SecretString>) -> Result<Url, SettingsError> {
    let text = text.ok_or(SettingsError::Missing(name))?;
    let wrong = |why: String| SettingsError::Wrong { name: name.to_owned(), why };
    let mut url = Url::parse(text.expose_secret()).map_err(|fault| wrong(fault.to_string()))?;
    if let Some(password) = password {
        url.set_password(Some(password.expose_secret())).map_err(|()| wrong("it has no host".to_owned()))?;
    }
    Ok(url)
}

/// Variables are text; only the field knows that a number is meant (a password may look like one).
fn number<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(value: D) -> Result<T, D::Error> {
    String::deserialize(value)?.trim().parse().map_err(de::Error::custom)
}

fn optional<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(value: D) -> Result<Option<T>, D::Error> {
    number(value).map(Some)
}

/// Seconds, fractions too; more than none, and at most a day.
fn seconds<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
    let seconds: f64 = number(value)?;
    if seconds > 0.0 && seconds <= 86_400.0 {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(de::Error::custom("it is a number of seconds, more than 0 and at most 86400"))
    }
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn ten_minutes() -> Duration {
    Duration::from_mins(10)
}

fn ten() -> u32 {
    10
}

fn sixty_four_mebibytes() -> u64 {
    64 * 1024 * 1024
}

fn thirty_two() -> NonZeroU16 {
    NonZeroU16::MIN.saturating_add(31)
}

fn a_year() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(364)
}

fn port() -> u16 {
    8000
}

fn namespace() -> String {
    "taskbell".to_owned()
}

fn loopback() -> IpAddr {
    IpAddr::from([127, 0, 0, 1])
}

fn sender() -> String {
    "Taskbell <taskbell@localhost.localdomain>".to_owned()
}

fn local_url() -> Url {
    Url::parse("http://127.0.0.1:8000").unwrap_or_else(|_| unreachable!("a constant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_setting_is_as_good_as_none() {
        let empty = [
            "SMTP_CONNECTIONS",
            "SMTP_RATE",
            "KEEP_ATTEMPTS",
            "DATABASE_CONNECTIONS",
            "UNCERTAIN",
            "SERVER_KEY_BEFORE",
        ];
        let empty = empty.map(|name| (format!("TASKBELL_{name}"), " ".to_owned()));
        let settings = Settings::from_variables(empty).unwrap();
        assert_eq!((settings.smtp_connections, settings.uncertain), (thirty_two(), Uncertain::Resend));
        assert!(settings.server_key_before.is_none());
        let zero = Settings::from_variables([("TASKBELL_SMTP_CONNECTIONS".to_owned(), "0".to_owned())]);
        assert!(zero.unwrap_err().to_string().starts_with("TASKBELL_SMTP_CONNECTIONS is not usable"));
    }
}
