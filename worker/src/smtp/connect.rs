//! From a name to a connection that may send.

use std::{io, os::fd::AsFd, time::Duration};

use lettre::transport::smtp::{
    authentication::Mechanism,
    client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters},
    commands::Starttls,
    response::Severity,
};
use tokio::{net::TcpStream, time::timeout};

use super::{
    Failure, Server, Step,
    failure::{exchange, within},
    lines::Lines,
    server::Security,
    tls::Encrypted,
    turns::Turns,
};

/// Name, socket and TLS from the first byte.
const CONNECT: Duration = Duration::from_secs(10);

/// Greeting, EHLO, TLS and AUTH, as the settings want it.
pub(super) async fn connect(server: &Server) -> Result<AsyncSmtpConnection, Failure> {
    // Seldom, and large: not a part of every delivery's state.
    Box::pin(introduce(server)).await
}

async fn introduce(server: &Server) -> Result<AsyncSmtpConnection, Failure> {
    let socket = open(server).await?;
    let mut connection = match &server.security {
        Security::Tls(tls) => greet(server, Turns::new(encrypt(socket, tls).await?)).await?,
        Security::StartTls(tls) => {
            ask_for_tls(server, &socket).await?;
            greet(server, Turns::resumed(encrypt(socket, tls).await?)).await?
        }
        Security::None => greet(server, Turns::new(socket)).await?,
    };
    if let Some(credentials) = &server.credentials {
        let auth = connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials);
        exchange(Step::Auth, server.patience.command, Severity::PositiveCompletion, auth).await?;
    }
    Ok(connection)
}

/// The greeting, and EHLO.
async fn greet(server: &Server, stream: impl AsyncTokioStream + 'static) -> Result<AsyncSmtpConnection, Failure> {
    let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &server.hello);
    within(Step::Connect, server.patience.command, greeting).await
}

async fn encrypt(socket: TcpStream, tls: &TlsParameters) -> Result<Encrypted, Failure> {
    within(Step::Connect, CONNECT, Encrypted::over(socket, tls.clone())).await
}

/// Up to the server's go-ahead for TLS, in a conversation of its own over the same socket: what is said under TLS begins afresh, and so
/// does what keeps the turns.
async fn ask_for_tls(server: &Server, socket: &TcpStream) -> Result<(), Failure> {
    let same = same(socket).map_err(|fault| Failure::lost(Step::Connect, fault))?;
    let mut connection = greet(server, Turns::new(Lines(same))).await?;
    // A server that does not offer it is an error here, never a reason to go on without
    // (tests: `a_server_without_starttls_gets_no_mail_and_no_password`).
    if !connection.can_starttls() {
        return Err(Failure::unusable(Step::Connect, "the server does not offer STARTTLS"));
    }
    let asked = connection.command(Starttls);
    exchange(Step::Connect, server.patience.command, Severity::PositiveCompletion, asked).await.map(drop)
}

/// A second handle of a socket.
fn same(socket: &TcpStream) -> io::Result<TcpStream> {
    TcpStream::from_std(socket.as_fd().try_clone_to_owned()?.into())
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
        let patience = crate::smtp::Patience { command: CONNECT, body: CONNECT };
        let server = Server::from_url(&url.parse().unwrap(), &"http://localhost".parse().unwrap(), patience).unwrap();
        assert!(open(&server).await.unwrap().nodelay().unwrap());
    }
}
