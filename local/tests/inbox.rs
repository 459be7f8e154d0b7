//! The mail catcher, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at what it did not expect")]

use std::{net::SocketAddr, time::Duration};

use local::{Error, Inbox};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const SOON: Duration = Duration::from_secs(5);

/// An SMTP client that says what it is told.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(inbox: &Inbox) -> Self {
        let mut client = Self(BufReader::new(TcpStream::connect(inbox.smtp_addr()).await.unwrap()));
        assert!(client.answer().await.starts_with("220 "));
        client
    }

    async fn answer(&mut self) -> String {
        let mut answer = String::new();
        loop {
            let mut line = String::new();
            let read = tokio::time::timeout(SOON, self.0.read_line(&mut line)).await;
            assert_ne!(read.expect("no answer").unwrap(), 0, "hung up after {answer:?}");
            answer.push_str(&line);
            if line.as_bytes().get(3) == Some(&b' ') {
                return answer;
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    /// Sends a mail whose text already has its dots doubled.
    async fn send(&mut self, to: &str, text: &str) -> String {
        assert!(self.say("MAIL FROM:<taskbell@example.com>").await.starts_with("250 "));
        assert!(self.say(&format!("RCPT TO:<{to}>")).await.starts_with("250 "));
        assert!(self.say("DATA").await.starts_with("354 "));
        self.say(&format!("{text}\r\n.")).await
    }
}

async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn a_mail_arrives_to_the_byte_and_shows_as_json() {
    let inbox = Inbox::start(ANYWHERE, None).await.unwrap();
    let web = inbox.serve_web(ANYWHERE).await.unwrap();
    let mut client = Client::connect(&inbox).await;
    assert!(client.say("EHLO test").await.contains("250-SIZE 10485760\r\n"));
    let text = "Subject: Dots\r\nMessage-ID: <1@test>\r\n\r\n..\r\n..start\r\nmiddle.dot";
    assert!(client.send("ada@example.com", text).await.starts_with("250 "));
    assert!(client.send("bob@example.com", "Subject: Other\r\n\r\nHello").await.starts_with("250 "));
    assert!(client.say("QUIT").await.starts_with("221 "));

    let mail = inbox.wait_for(|mail| mail.subject() == "Dots", SOON).await.unwrap();
    assert_eq!(mail.raw, b"Subject: Dots\r\nMessage-ID: <1@test>\r\n\r\n.\r\n.start\r\nmiddle.dot\r\n");
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("taskbell@example.com", &["ada@example.com".to_owned()][..]));

    let (head, body) = get(web.addr(), "/messages?to=ADA@example.com").await;
    assert!(head.contains("application/json"), "{head}");
    let list: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["subject"], "Dots");
    assert_eq!(list[0]["headers"]["Message-ID"], "<1@test>");
    assert_eq!(list[0]["received_at"].as_str().unwrap().len(), "2026-01-02T03:04:05.678Z".len());

    let (head, page) = get(web.addr(), "/").await;
    assert!(head.to_lowercase().contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(page.contains("Dots") && page.find("Other") < page.find("Dots"), "newest first");
    let (_, raw) = get(web.addr(), &format!("/messages/{}/raw", mail.id)).await;
    assert_eq!(raw.as_bytes(), mail.raw);
    assert!(get(web.addr(), "/999").await.0.contains("404"));

    let taken = inbox.serve_web(web.addr()).await;
    assert!(matches!(taken, Err(Error::Page(_))));

    let address = web.addr();
    web.shutdown().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn waiting_ends_with_the_mail_or_at_the_deadline() {
    let inbox = Inbox::start(ANYWHERE, None).await.unwrap();
    let nothing = inbox.wait_for(|_| true, Duration::from_millis(1)).await;
    assert!(matches!(nothing, Err(Error::NoMail { held: 0, .. })));

    let sending = async {
        let mut client = Client::connect(&inbox).await;
        client.say("HELO test").await;
        for number in 1..=3 {
            client.send("a@example.com", &format!("Subject: {number}\r\n\r\nHello")).await;
        }
    };
    let (found, ()) = tokio::join!(inbox.wait_for(|mail| mail.subject() == "3", SOON), sending);
    assert_eq!(found.unwrap().subject(), "3");
    assert_eq!(inbox.messages().len(), 3);
}

#[tokio::test]
async fn bad_mails_are_refused_and_the_conversation_goes_on() {
    let inbox = Inbox::start(ANYWHERE, None).await.unwrap();
    let mut client = Client::connect(&inbox).await;
    assert!(client.say("MAIL FROM:<a@b.c>").await.starts_with("503 "));
    assert!(client.say(&"x".repeat(10_000)).await.starts_with("500 "));
    assert!(client.say("EHLO test").await.starts_with("250"));

    assert!(client.send("a@b.c", &"x".repeat(2000)).await.starts_with("554 "));
    assert!(client.send("a@b.c", "smuggled\n.\r\nMAIL FROM:<x@y.z>\r\nrest").await.starts_with("554 "));
    let large = format!("{}\r\n", "x".repeat(900)).repeat(12_000);
    assert!(client.send("a@b.c", &large).await.starts_with("552 "));
    assert!(inbox.messages().is_empty());
    assert!(client.send("a@b.c", "Subject: good\r\n\r\nyes").await.starts_with("250 "));
    assert_eq!(inbox.messages().len(), 1);
}

#[tokio::test]
async fn commands_may_be_sent_all_at_once() {
    let inbox = Inbox::start(ANYWHERE, None).await.unwrap();
    let mut client = Client::connect(&inbox).await;
    let all = "EHLO test\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\nSubject: fast\r\n\r\n.\r\nQUIT";
    assert!(client.say(all).await.starts_with("250-"));
    for code in ["250 ", "250 ", "354 ", "250 ", "221 "] {
        assert!(client.answer().await.starts_with(code));
    }
    assert_eq!(inbox.messages()[0].subject(), "fast");
}

#[tokio::test]
async fn a_stored_inbox_lasts_between_runs() {
    let store = std::env::temp_dir().join(format!("taskbell-inbox-{}", std::process::id()));
    for run in 1..=2_u64 {
        let inbox = Inbox::start(ANYWHERE, Some(store.clone())).await.unwrap();
        let mut client = Client::connect(&inbox).await;
        client.say("EHLO test").await;
        assert!(client.send("a@b.c", &format!("Subject: {run}\r\n\r\nHello")).await.starts_with("250 "));
        let ids: Vec<u64> = inbox.messages().iter().map(|mail| mail.id).collect();
        assert_eq!(ids, (1..=run).collect::<Vec<_>>());
    }
    std::fs::remove_dir_all(store).unwrap();
}
