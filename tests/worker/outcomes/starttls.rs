//! The same at STARTTLS, and at what EHLO offers: what docs/reminders.md has in its second table.

use super::{Place, SHORT, Stage, server::Deed};

/// Tries two mails, since the worker lives, and compares what the log of attempts says of them, and whether our settings are to blame.
async fn without_tls(scheme: &str, place: Place, deed: Deed, reply: &str, alarm: bool) {
    let stage = Stage::with(SHORT, scheme).await;
    stage.server.misbehave(place, deed);
    for count in 1..=2 {
        let mail = stage.owe().await;
        let first = stage.tries(mail, 1).await.remove(0);
        assert_eq!((first.phase.as_str(), first.outcome.as_str()), ("connect", "retry"), "{deed:?}");
        let said = first.reply.unwrap();
        assert!(said.contains(reply) && !said.is_empty(), "{deed:?}: {said}");
        let expected = if alarm { f64::from(count) } else { 0.0 };
        assert!((stage.alarms().await - expected).abs() < 0.5, "{deed:?}: {said}");
    }
    let verbs = stage.server.verbs();
    assert!(!verbs.iter().any(|verb| verb == "AUTH" || verb == "MAIL"), "{deed:?}: {verbs:?}");
    stage.worker.stop().await;
}

macro_rules! rows {
    ($($test:ident: $place:expr, $deed:expr, $reply:literal, $alarm:literal;)*) => {
        $(#[tokio::test] async fn $test() { without_tls("smtp", $place, $deed, $reply, $alarm).await; })*
    };
}

rows! {
    starttls_is_not_offered: Place::Ehlo, Deed::OffersNothing, "the server does not offer STARTTLS", true;
    starttls_is_refused_for_now: Place::StartTls, Deed::Says(b"454 4.7.0 not now\r\n"), "454 4.7.0 not now", false;
    starttls_is_refused: Place::StartTls, Deed::Says(b"502 5.5.1 not here\r\n"), "502 5.5.1 not here", true;
    starttls_ends_the_connection: Place::StartTls, Deed::HangsUp, "", false;
    starttls_is_not_answered: Place::StartTls, Deed::Nothing, "no answer within", false;
    what_follows_starttls_is_no_tls: Place::StartTls, Deed::Twice, "", true;
}

#[tokio::test]
async fn a_server_that_offers_no_auth_gets_no_mail() {
    without_tls("smtp+plain", Place::Ehlo, Deed::OffersNothing, "authentication mechanism", true).await;
}
