//! The same at STARTTLS and at what EHLO offers.

use super::{Place, SHORT, Stage, server::Deed};

/// Tries two mails, since the worker lives; what the log of attempts says of them.
async fn said(stage: &Stage, place: Place, deed: Deed) -> String {
    stage.server.misbehave(place, deed);
    let mut replies = Vec::new();
    for _ in 0..2 {
        let mail = stage.owe().await;
        let first = stage.tries(mail, 1).await.remove(0);
        assert_eq!((first.phase.as_str(), first.outcome.as_str()), ("connect", "retry"), "{deed:?}");
        replies.push(first.reply.unwrap());
    }
    let verbs = stage.server.verbs();
    assert!(!verbs.iter().any(|verb| verb == "AUTH" || verb == "MAIL"), "{deed:?}: {verbs:?}");
    replies.remove(0)
}

#[tokio::test]
async fn without_tls_nothing_is_told() {
    let stage = Stage::with(SHORT, "smtp").await;
    for (place, deed, reply) in [
        (Place::Ehlo, Deed::OffersNothing, "the server does not offer STARTTLS"),
        (Place::StartTls, Deed::Says(b"454 4.7.0 not now\r\n"), "454 4.7.0 not now"),
        (Place::StartTls, Deed::Says(b"502 5.5.1 not here\r\n"), "502 5.5.1 not here"),
        (Place::StartTls, Deed::HangsUp, ""),
        (Place::StartTls, Deed::Nothing, "no answer within"),
        (Place::StartTls, Deed::Twice, ""),
        (Place::StartTls, Deed::AndThen421, ""),
    ] {
        let said = said(&stage, place, deed).await;
        assert!(said.starts_with(reply) && !said.is_empty(), "{deed:?}: {said}");
    }
    stage.worker.stop().await;
}

#[tokio::test]
async fn a_server_that_offers_no_auth_gets_no_mail() {
    let stage = Stage::with(&[], "smtp+plain").await;
    let said = said(&stage, Place::Ehlo, Deed::OffersNothing).await;
    assert!(said.contains("authentication mechanism"), "{said}");
    stage.worker.stop().await;
}
