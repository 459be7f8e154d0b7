//! TLS is required and verified (security.md 16).

use std::sync::Arc;

use lettre::transport::smtp::client::{Certificate, TlsParameters};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::script::{LIMITS, Peer, envelope, listen};
use crate::smtp::{Cause, Relay, Step, server::Security};

/// Who the relay trusts.
#[derive(Clone, Copy)]
enum Trust {
    /// The public authorities, as in production.
    Public,
    /// The test's own certificate too.
    Ours,
}

/// A server with a certificate for `name`, and a relay that connects to `localhost`.
async fn stage(scheme: &str, name: &str, trust: Trust) -> (TcpListener, TlsAcceptor, Relay) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let (listener, mut server) = listen(scheme, "bell:secret@").await;
    if matches!(trust, Trust::Ours) {
        let root = Certificate::from_der(cert.der().to_vec()).unwrap();
        let tls = TlsParameters::builder("localhost".to_owned()).add_root_certificate(root).build().unwrap();
        server.security = match server.security {
            Security::StartTls(_) => Security::StartTls(tls),
            Security::Tls(_) => Security::Tls(tls),
            Security::None => Security::None,
        };
    }
    (listener, TlsAcceptor::from(Arc::new(config)), Relay::new(server, LIMITS))
}

/// The server's part up to the encrypted connection; none when the client breaks off.
async fn encrypt(listener: &TcpListener, tls: &TlsAcceptor, scheme: &str) -> Option<Peer> {
    let mut peer = Peer::accept(listener).await;
    if scheme == "smtp" {
        peer.say("220 hello").await;
        peer.answer("EHLO tasks.example.org", "250-hello\r\n250 STARTTLS").await;
        peer.answer("STARTTLS", "220 go ahead").await;
    }
    let mut peer = peer.secure(tls).await?;
    if scheme == "smtps" {
        peer.say("220 hello").await;
    }
    Some(peer)
}

#[tokio::test]
async fn a_server_that_proves_its_name_gets_password_and_mail() {
    for scheme in ["smtp", "smtps"] {
        let (listener, tls, relay) = stage(scheme, "localhost", Trust::Ours).await;
        let server = tokio::spawn(async move {
            let mut peer = encrypt(&listener, &tls, scheme).await.unwrap();
            peer.answer("EHLO tasks.example.org", "250-hello\r\n250 AUTH PLAIN").await;
            peer.answer("AUTH PLAIN AGJlbGwAc2VjcmV0", "235 welcome").await;
            peer.envelope().await;
            let body = peer.body().await;
            peer.say("250 queued").await;
            body
        });
        // Longer than a TLS record, so that it passes in pieces.
        let body = "x".repeat(70).repeat(1_000);
        relay.open(&envelope()).await.unwrap().send(body.as_bytes()).await.unwrap();
        assert_eq!(server.await.unwrap(), [body], "{scheme}");
    }
}

#[tokio::test]
async fn a_server_that_proves_nothing_gets_neither() {
    for (name, trust) in [("localhost", Trust::Public), ("mail.example.com", Trust::Ours)] {
        for scheme in ["smtp", "smtps"] {
            let (listener, tls, relay) = stage(scheme, name, trust).await;
            let server = tokio::spawn(async move {
                let mut peer = encrypt(&listener, &tls, scheme).await?;
                peer.hear().await
            });
            let failure = relay.open(&envelope()).await.unwrap_err();
            assert_eq!((failure.step, failure.cause), (Step::Connect, Cause::Unusable), "{scheme}: {failure:?}");
            assert_eq!(server.await.unwrap(), None, "{scheme}");
        }
    }
}
