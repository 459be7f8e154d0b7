//! From a name to a connection that may send.

use std::time::Duration;

use lettre::transport::smtp::{
    authentication::Mechanism,
    client::{AsyncSmtpConnection, AsyncTokioStream},
    response::Severity,
};
use tokio::{net::TcpStream, time::timeout};

use super::{
    Failure, Server, Step,
    conversation::COMMAND,
    failure::{exchange, within},
    lines::Lines,
    server::Security,
    tls::Encrypted,
};

/// Name, socket and TLS from the first byte.
const CONNECT: Duration = Duration::from_secs(10);

/// Greeting, EHLO, TLS and AUTH, as the settings want it.
pub(super) async fn connect(server: &Server) -> Result<AsyncSmtpConnection, Failure> {
    let socket = open(server).await?;
    let stream: Box<dyn AsyncTokioStream> = match &server.security {
        Security::Tls(tls) => Box::new(within(Step::Connect, CONNECT, Encrypted::over(socket, tls.clone())).await?),
        Security::StartTls(_) => Box::new(Lines(socket)),
        Security::None => Box::new(socket),
    };
    let hello = &server.hello;
    let greeting = AsyncSmtpConnection::connect_with_transport(stream, hello);
    let mut connection = within(Step::Connect, COMMAND, greeting).await?;
    if let Security::StartTls(tls) = &server.security {
        // A server that does not offer it is an error here, never a reason to go on without
        // (tests: `a_server_without_starttls_gets_no_mail_and_no_password`).
        within(Step::Connect, COMMAND, connection.starttls(tls.clone(), hello)).await?;
    }
    if let Some(credentials) = &server.credentials {
        let auth = connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials);
        exchange(Step::Auth, COMMAND, Severity::PositiveCompletion, auth).await?;
    }
    Ok(connection)
}

async fn open(server: &Server) -> Result<TcpStream, Failure> {
    let lost = |why: &dyn std::fmt::Display| Failure::lost(Step::Connect, why);
    let socket = timeout(CONNECT, TcpStream::connect((server.host.as_str(), server.port)))
        .await
        .map_err(|_| lost(&format_args!("no connection within {} s", CONNECT.as_secs())))?
        .map_err(|fault| lost(&fault))?;
    // lettre writes body and dot apart: with Nagle's algorithm, 22 mails a second on a connection instead of thousands
    // (test: `nagle_is_off`).
    socket.set_nodelay(true).map_err(|fault| lost(&fault))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nagle_is_off() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("smtp+plain://{}", listener.local_addr().unwrap());
        let server = Server::from_url(&url.parse().unwrap(), &"http://localhost".parse().unwrap()).unwrap();
        assert!(open(&server).await.unwrap().nodelay().unwrap());
    }
}
