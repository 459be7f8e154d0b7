//! The same at STARTTLS and at what EHLO offers.

use super::{Place, Stage, server::Deed};

/// Tries a mail over `scheme`, and returns what the log of attempts says; then another one, since the worker lives.
async fn tried(scheme: &str, place: Place, deed: Deed) -> (String, String) {
    let stage = Stage::set(deed, scheme).await;
    stage.server.misbehave(place, deed);
    let first = stage.owe().await;
    let first = stage.tries(first, 1).await.remove(0);
    assert_eq!((first.phase.as_str(), first.outcome.as_str()), ("connect", "retry"), "{deed:?}");
    let second = stage.owe().await;
    assert_eq!(stage.tries(second, 1).await[0].outcome, "retry", "{deed:?}");
    let verbs = stage.server.verbs();
    assert!(!verbs.iter().any(|verb| verb == "AUTH" || verb == "MAIL"), "{deed:?}: {verbs:?}");
    stage.worker.stop().await;
    (first.outcome, first.reply.unwrap())
}

#[tokio::test]
async fn without_tls_nothing_is_told() {
    for (place, deed, reply) in [
        (Place::Ehlo, Deed::OffersNothing, "the server does not offer STARTTLS"),
        (Place::StartTls, Deed::Says(b"454 4.7.0 not now\r\n"), "454 4.7.0 not now"),
        (Place::StartTls, Deed::Says(b"502 5.5.1 not here\r\n"), "502 5.5.1 not here"),
        (Place::StartTls, Deed::HangsUp, ""),
        (Place::StartTls, Deed::Nothing, "no answer within 1 s"),
        (Place::StartTls, Deed::Twice, ""),
        (Place::StartTls, Deed::AndThen421, ""),
    ] {
        let (_, said) = tried("smtp", place, deed).await;
        assert!(said.starts_with(reply) && !said.is_empty(), "{deed:?}: {said}");
    }
}

#[tokio::test]
async fn a_server_that_offers_no_auth_gets_no_mail() {
    let (_, said) = tried("smtp+plain", Place::Ehlo, Deed::OffersNothing).await;
    assert!(said.contains("authentication mechanism"), "{said}");
}
