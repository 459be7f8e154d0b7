//! The conversation against a server that plays a part.

use super::script::{Peer, envelope, play, stage};
use crate::smtp::{Accepted, Cause, Step};

const BODY: &[u8] = b"Subject: hello\r\n\r\n.hidden dot\r\nworld\r\n";

#[tokio::test]
async fn a_mail_is_handed_over_and_the_connection_is_used_again() {
    let (relay, server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        let mut bodies = Vec::new();
        for number in [1, 2] {
            peer.envelope().await;
            bodies.push(peer.body().await);
            peer.say(&format!("250 2.0.0 queued as {number}")).await;
        }
        bodies
    })
    .await;
    for number in [1, 2] {
        let ready = relay.open(&envelope()).await.unwrap();
        let accepted = ready.send(BODY).await.unwrap();
        assert_eq!(accepted, Accepted { reply: format!("250 2.0.0 queued as {number}") });
    }
    let bodies = server.await.unwrap();
    assert_eq!(bodies[0], ["Subject: hello", "", "..hidden dot", "world", ""]);
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn a_refused_recipient_leaves_the_connection_usable() {
    for (reply, code) in [("450 4.2.1 mailbox busy", 450), ("550 5.1.1 no such user", 550)] {
        let (relay, server) = play(async move |listener| {
            let mut peer = Peer::greet(&listener).await;
            peer.answer("MAIL FROM:<bell@example.org>", "250 ok").await;
            peer.answer("RCPT TO:<ada@example.net>", reply).await;
            peer.answer("RSET", "250 ok").await;
            peer.envelope().await;
        })
        .await;
        let failure = relay.open(&envelope()).await.unwrap_err();
        assert_eq!((failure.step, failure.cause, failure.text.as_str()), (Step::Rcpt, Cause::Refused(code), reply));
        drop(relay.open(&envelope()).await.unwrap());
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_sender_is_told_from_a_refused_recipient() {
    let (relay, server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        peer.answer("MAIL FROM:<bell@example.org>", "550 not from you").await;
        peer.answer("RSET", "250 ok").await;
    })
    .await;
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Mail, Cause::Refused(550)));
    server.await.unwrap();
}

#[tokio::test]
async fn a_no_to_the_dot_is_the_servers_last_word() {
    for (reply, code) in [("451 try later", 451), ("554 5.7.1 spam", 554)] {
        let (relay, server) = play(async move |listener| {
            let mut peer = Peer::greet(&listener).await;
            peer.envelope().await;
            peer.body().await;
            peer.say(reply).await;
            peer.envelope().await;
        })
        .await;
        let failure = relay.open(&envelope()).await.unwrap().send(BODY).await.unwrap_err();
        assert_eq!((failure.step, failure.cause), (Step::Body, Cause::Refused(code)));
        drop(relay.open(&envelope()).await.unwrap());
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_lost_before_the_354_is_lost_before_the_body() {
    let (relay, _server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        peer.answer("MAIL FROM:<bell@example.org>", "250 ok").await;
        peer.answer("RCPT TO:<ada@example.net>", "250 ok").await;
        peer.hear().await;
    })
    .await;
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Data, Cause::Lost));
}

#[tokio::test]
async fn a_connection_lost_after_the_354_is_lost_in_the_body() {
    let (relay, _server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        peer.envelope().await;
        peer.hear().await;
    })
    .await;
    let failure = relay.open(&envelope()).await.unwrap().send(BODY).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Body, Cause::Lost));
}

#[tokio::test]
async fn dropped_before_the_body_nothing_is_sent() {
    let (relay, server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        peer.envelope().await;
        peer.hear().await
    })
    .await;
    drop(relay.open(&envelope()).await.unwrap());
    assert_eq!(server.await.unwrap(), None, "the server has seen the end of the connection, and not a byte before it");
}

#[tokio::test]
async fn a_server_that_closed_the_idle_connection_costs_no_mail() {
    for farewell in [None, Some("421 4.4.2 timeout")] {
        let (relay, server) = play(async move |listener| {
            let mut first = Peer::greet(&listener).await;
            first.envelope().await;
            first.body().await;
            first.say("250 queued").await;
            if let Some(farewell) = farewell {
                first.say(farewell).await;
            }
            drop(first);
            let mut second = Peer::greet(&listener).await;
            second.envelope().await;
            second.body().await;
            second.say("250 queued again").await;
        })
        .await;
        relay.open(&envelope()).await.unwrap().send(BODY).await.unwrap();
        let accepted = relay.open(&envelope()).await.unwrap().send(BODY).await.unwrap();
        assert_eq!(accepted.reply, "250 queued again");
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_reply_out_of_step_is_no_go_ahead() {
    let (relay, _server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        peer.answer("MAIL FROM:<bell@example.org>", "250 ok").await;
        peer.answer("RCPT TO:<ada@example.net>", "250 ok").await;
        peer.answer("DATA", "250 ok").await;
    })
    .await;
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Data, Cause::Lost));
}

#[tokio::test]
async fn nobody_there_is_a_failure_to_connect() {
    let (listener, relay) = stage("smtp+plain", "").await;
    drop(listener);
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Connect, Cause::Lost));
}

#[tokio::test]
async fn a_greeting_that_says_no_is_a_failure_to_connect() {
    let (relay, _server) =
        play(async |listener| Peer::accept(&listener).await.say("554 no service for you").await).await;
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Connect, Cause::Refused(554)));
}

#[tokio::test]
async fn a_wrong_password_is_a_failure_to_authenticate() {
    let (listener, relay) = stage("smtp+plain", "bell:secret@").await;
    let server = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.say("220 hello").await;
        peer.answer("EHLO tasks.example.org", "250-hello\r\n250 AUTH PLAIN LOGIN").await;
        peer.answer("AUTH PLAIN AGJlbGwAc2VjcmV0", "535 5.7.8 wrong").await;
    });
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Auth, Cause::Refused(535)));
    server.await.unwrap();
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_mail_and_no_password() {
    let (listener, relay) = stage("smtp", "bell:secret@").await;
    let server = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.say("220 hello").await;
        peer.answer("EHLO tasks.example.org", "250-hello\r\n250 AUTH PLAIN LOGIN").await;
        peer.hear().await
    });
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Connect, Cause::Unusable));
    assert_eq!(server.await.unwrap(), None);
}

#[tokio::test]
async fn words_slipped_in_before_tls_break_the_connection() {
    let (listener, relay) = stage("smtp", "").await;
    let server = tokio::spawn(async move {
        let mut peer = Peer::accept(&listener).await;
        peer.say("220 hello").await;
        peer.answer("EHLO tasks.example.org", "250-hello\r\n250 STARTTLS").await;
        peer.answer("STARTTLS", "220 go ahead\r\n250 slipped in").await;
        while peer.hear().await.is_some() {}
    });
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Connect, Cause::Unusable), "{failure:?}");
    server.await.unwrap();
}

#[tokio::test]
async fn smtps_speaks_tls_from_the_first_byte() {
    let (listener, relay) = stage("smtps", "").await;
    let server = tokio::spawn(async move { Peer::accept(&listener).await.byte().await });
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!(failure.step, Step::Connect);
    assert_eq!(server.await.unwrap(), 0x16, "a handshake record");
}

#[tokio::test]
async fn an_answer_before_its_question_is_none() {
    // A 250 that was said with the 354 is no answer to the dot; and nothing of the body was written.
    let (relay, server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        peer.answer("MAIL FROM:<bell@example.org>", "250 ok").await;
        peer.answer("RCPT TO:<ada@example.net>", "250 ok").await;
        peer.answer("DATA", "354 go ahead\r\n250 queued").await;
        peer.hear().await
    })
    .await;
    let failure = relay.open(&envelope()).await.unwrap().send(BODY).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Data, Cause::Lost), "{failure:?}");
    assert_eq!(server.await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_hangs_up_between_the_354_and_the_body_has_nothing_of_it() {
    let (relay, server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        peer.envelope().await;
    })
    .await;
    let ready = relay.open(&envelope()).await.unwrap();
    server.await.unwrap();
    let failure = ready.send(BODY).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Data, Cause::Lost), "{failure:?}");
}

#[tokio::test]
async fn a_yes_that_came_twice_is_not_the_next_ones() {
    let (relay, server) = play(async |listener| {
        let mut first = Peer::greet(&listener).await;
        first.envelope().await;
        first.body().await;
        first.say("250 queued\r\n250 queued").await;
        let mut second = Peer::greet(&listener).await;
        second.envelope().await;
        second.body().await;
        second.say("250 queued again").await;
    })
    .await;
    for reply in ["250 queued", "250 queued again"] {
        let accepted = relay.open(&envelope()).await.unwrap().send(BODY).await.unwrap();
        assert_eq!(accepted.reply, reply);
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_code_alone_is_a_reply() {
    let (relay, server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        peer.answer("MAIL FROM:<bell@example.org>", "250").await;
        peer.answer("RCPT TO:<ada@example.net>", "250").await;
        peer.answer("DATA", "354").await;
        peer.body().await;
        peer.say("250").await;
    })
    .await;
    relay.open(&envelope()).await.unwrap().send(BODY).await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn bytes_that_are_no_text_are_no_certificate_that_is_refused() {
    let (relay, _server) = play(async |listener| {
        let mut peer = Peer::greet(&listener).await;
        peer.hear().await;
        peer.bytes(b"250 \xff\xfe\r\n").await;
        peer.hear().await
    })
    .await;
    let failure = relay.open(&envelope()).await.unwrap_err();
    assert_eq!((failure.step, failure.cause), (Step::Mail, Cause::Lost), "{failure:?}");
}
