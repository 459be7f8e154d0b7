//! The mail server as settings name it.

use std::{fmt, time::Duration};

use lettre::transport::smtp::{authentication::Credentials, client::TlsParameters, extension::ClientId};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// Where mail is handed over, and how.
#[derive(Clone)]
pub(crate) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    pub(super) hello: ClientId,
    pub(super) patience: Patience,
}

/// How long the server may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// A command and its reply.
    pub(crate) command: Duration,
    /// The body and the reply to its dot.
    pub(crate) body: Duration,
}

/// TLS is required and verified, or (in development) absent: there is no "if available".
#[derive(Clone)]
pub(super) enum Security {
    /// `smtp+plain://`
    None,
    /// `smtp://`
    StartTls(TlsParameters),
    /// `smtps://`
    Tls(TlsParameters),
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}:{})", self.host, self.port)
    }
}

impl Server {
    /// Reads `smtp://`, `smtps://` or `smtp+plain://`, with the user and password for AUTH, if any. `ours` is the URL under
    /// which the product itself is known: its host introduces us.
    ///
    /// # Errors
    /// A sentence part for the operator; never the value.
    pub(crate) fn from_url(url: &Url, ours: &Url, patience: Patience) -> Result<Self, String> {
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it has no host")?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = || TlsParameters::new(host.clone()).map_err(|fault| fault.to_string());
        let (security, port) = match url.scheme() {
            "smtp" => (Security::StartTls(tls()?), 587),
            "smtps" => (Security::Tls(tls()?), 465),
            "smtp+plain" => (Security::None, 25),
            _ => return Err("it must begin with smtp://, smtps:// or smtp+plain://".to_owned()),
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) => return Err("it has a password and no user".to_owned()),
            (_, None) => return Err("it has a user and no password".to_owned()),
            (user, Some(password)) => Some(Credentials::new(decoded(user)?, decoded(password)?)),
        };
        Ok(Self { port: url.port().unwrap_or(port), host, security, credentials, hello: hello(ours), patience })
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| "its user or password is not UTF-8")?;
    Ok(text.into_owned())
}

fn hello(ours: &Url) -> ClientId {
    match ours.host() {
        Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        Some(Host::Ipv4(address)) => ClientId::Ipv4(address),
        Some(Host::Ipv6(address)) => ClientId::Ipv6(address),
        None => ClientId::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Result<Server, String> {
        let second = Duration::from_secs(1);
        let patience = Patience { command: second, body: second };
        Server::from_url(&url.parse().unwrap(), &"https://tasks.example.org".parse().unwrap(), patience)
    }

    #[test]
    fn the_scheme_decides_tls_and_port() {
        let smtp = server("smtp://mail.example.org").unwrap();
        assert!(matches!(smtp.security, Security::StartTls(_)) && smtp.port == 587);
        let smtps = server("smtps://mail.example.org").unwrap();
        assert!(matches!(smtps.security, Security::Tls(_)) && smtps.port == 465);
        let plain = server("smtp+plain://[::1]:1025").unwrap();
        assert!(matches!(plain.security, Security::None) && plain.port == 1025 && plain.host == "::1");
        assert_eq!(smtp.hello.to_string(), "tasks.example.org");
    }

    #[test]
    fn user_and_password_are_decoded_and_never_shown() {
        let server = server("smtps://ada%40example.org:p%2Fss%20word@mail.example.org").unwrap();
        let expected = Credentials::new("ada@example.org".into(), "p/ss word".into());
        assert_eq!(server.credentials, Some(expected));
        assert!(!format!("{server:?}").contains("p/ss"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for url in ["http://mail.example.org", "smtp://ada@mail.example.org", "smtp://:secret@mail.example.org"] {
            let fault = server(url).unwrap_err();
            assert!(!fault.contains("secret"), "{fault}");
        }
    }
}
