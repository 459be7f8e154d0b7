//! Every misbehaviour of a mail server, at every step: what docs/reminders.md says of it is what happens.

mod figures;
mod page;
mod server;
mod starttls;

use std::{borrow::Cow, fmt};

use common::ids::MailId;
use harness::{Actor, Figures, TestApp, eventually, variable};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use self::{
    page::{PLACES, Place},
    server::{Deed, Server},
};

macro_rules! rows {
    ($($test:ident: $row:literal, $deed:expr;)*) => {
        const ROWS: &[&str] = &[$($row),*];
        $(#[tokio::test] async fn $test() { play($row, $deed).await; })*
    };
}

rows! {
    says_4xx: "says 4xx", Deed::Says(b"451 4.3.0 try later\r\n");
    says_421_and_hangs_up: "says 421 and hangs up", Deed::SaysAndHangsUp(b"421 4.3.2 going away\r\n");
    says_5xx: "says 5xx", Deed::Says(b"554 5.7.1 no\r\n");
    says_a_yes_of_the_wrong_kind: "says a yes of the wrong kind: 354, or 250 to DATA", Deed::WrongYes;
    says_words_that_are_no_reply: "says words that are no reply", Deed::Says(b"hello there\r\n");
    says_bytes_that_are_no_text: "says bytes that are no text", Deed::Says(b"\x00\xff\xfe\x80\r\n");
    says_a_code_that_there_is_not: "says a code that there is not", Deed::Says(b"999 what\r\n");
    says_lines_with_different_codes: "says lines with different codes", Deed::Says(b"250-yes\r\n451 no\r\n");
    says_a_line_of_100_000_bytes: "says a line of 100,000 bytes", Deed::LongLine;
    says_lines_without_end: "says lines without end", Deed::EndlessLines;
    says_one_line_without_end: "says one line without end", Deed::EndlessLine;
    says_nothing: "says nothing", Deed::Nothing;
    never_says_the_last_byte: "says one byte after the other, and never the last", Deed::DripsForEver;
    drips: "says the right thing one byte after the other", Deed::Drips;
    says_a_bare_code: "says the right code and nothing more", Deed::BareCode;
    says_half_a_line: "says half a line and hangs up", Deed::SaysAndHangsUp(b"250 ok, th");
    hangs_up: "hangs up instead of an answer", Deed::HangsUp;
    hangs_up_before_it_was_asked: "hangs up before it was asked", Deed::HangsUpUnasked;
    resets_the_connection: "resets the connection", Deed::Resets;
    says_it_twice: "says the right thing twice", Deed::Twice;
    says_it_and_421: "says the right thing and 421, and hangs up", Deed::AndThen421;
    says_the_next_answer_too: "says the right thing and the next answer too", Deed::AndTheNext;
}

#[test]
fn every_row_of_the_page_is_played() {
    assert_eq!(page::names(), ROWS);
    assert!(ROWS.len() >= 18 && page::names().iter().all(|name| page::row(name).len() == PLACES.len()));
}

/// A row, cell by cell.
async fn play(row: &'static str, deed: Deed) {
    let expected = page::row(row);
    let stage = Stage::set(deed, "smtp+plain").await;
    let rounds = if variable("TASKBELL_TESTS").as_deref() == Some("full") { 100 } else { 1 };
    for _ in 0..rounds {
        for (place, expected) in PLACES.into_iter().zip(&expected) {
            stage.cell(&Cell { row, place, deed, expected }).await;
        }
    }
    stage.worker.stop().await;
}

/// As long as a test can wait; what ships is thirty seconds and ten minutes.
const SHORT: &[(&str, &str)] = &[("TASKBELL_SMTP_TIMEOUT", "0.6"), ("TASKBELL_SMTP_BODY_TIMEOUT", "0.6")];

/// A worker, its database and its mail server.
struct Stage {
    app: TestApp,
    server: Server,
    reader: Actor,
    worker: harness::RunningWorker,
    /// Where the worker shows its figures.
    figures: String,
}

struct Cell<'a> {
    row: &'a str,
    place: Place,
    deed: Deed,
    /// The page's word.
    expected: &'a str,
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a server that {} at {:?}", self.row, self.place)
    }
}

/// One try, as the log of attempts has it.
#[derive(Debug, sqlx::FromRow)]
struct Try {
    phase: String,
    outcome: String,
    reply: Option<String>,
}

impl Stage {
    async fn set(deed: Deed, scheme: &str) -> Self {
        Self::with(if deed.is_slow() { SHORT } else { &[] }, scheme).await
    }

    async fn with(settings: &[(&str, &str)], scheme: &str) -> Self {
        let (app, server, figures) = (TestApp::start().await, Server::start().await, Figures::address());
        let shown = [("TASKBELL_METRICS_ADDRESS", figures.as_str())];
        let worker = app.work_as(&server.url(scheme), &[settings, &shown].concat());
        let reader = app.person("reader").await;
        Self { app, server, reader, worker, figures }
    }

    /// How many tries were put down to our settings, when all that ended are counted.
    async fn alarms(&self) -> f64 {
        eventually("every try is counted", async || {
            let ended: f64 =
                sqlx::query_scalar("select count(*)::float8 from attempts").fetch_one(&self.app.admin).await.unwrap();
            let figures = Figures::at(&self.figures).await;
            let count =
                |verdict| figures.of(&format!("taskbell_mail_attempts_total{{kind=\"notice\",verdict=\"{verdict}\"}}"));
            let all: f64 = ["sent", "retry", "misconfigured", "dead", "uncertain"].map(count).iter().sum();
            (all >= ended).then(|| count("misconfigured"))
        })
        .await
    }

    async fn cell(&self, cell: &Cell<'_>) {
        let before = self.alarms().await;
        self.server.misbehave(cell.place, cell.deed);
        let mail = self.owe().await;
        let first = self.tries(mail, 1).await.remove(0);
        self.compare(cell, mail, &first);
        let alarmed = self.alarms().await > before;
        assert_eq!(alarmed, cell.expected == "alarm", "{cell}: whether our settings are to blame");
        let tries = match first.outcome.as_str() {
            "retry" => self.until_it_expires(cell, mail).await,
            "uncertain" => self.sent_again(cell, mail).await,
            _ => self.is_settled(cell, mail).await,
        };
        // The worker lives, and is none the slower.
        self.server.behave();
        let next = self.owe().await;
        assert_eq!(self.tries(next, 1).await[0].outcome, "sent", "the mail after {cell}");
        assert_eq!(self.server.bodies(next).len(), 1, "the mail after {cell}");
        assert_eq!(self.tries(mail, tries).await.len(), tries, "{cell}: it was tried again after its end");
    }

    /// The first try, against the page.
    fn compare(&self, cell: &Cell<'_>, mail: Uuid, first: &Try) {
        let outcome = if cell.expected == "alarm" { "retry" } else { cell.expected };
        assert_eq!(first.outcome, outcome, "{cell}: {first:?}");
        let noticed = if cell.deed.is_surplus() { cell.place.next() } else { cell.place };
        let phase = if outcome == "sent" { "done" } else { noticed.phase() };
        assert_eq!(first.phase, phase, "{cell}: {first:?}");
        let reply = first.reply.as_deref().unwrap_or_default();
        let said: Cow<'_, str> = match cell.deed {
            _ if outcome == "sent" => "250".into(),
            Deed::Says(line) if line[0] == b'4' || line[0] == b'5' => String::from_utf8_lossy(line.trim_ascii()),
            Deed::SaysAndHangsUp(line) if line[0] == b'4' => String::from_utf8_lossy(line.trim_ascii()),
            _ => "".into(),
        };
        assert!(reply.starts_with(&*said) && !reply.is_empty() && reply.len() <= 500, "{cell}: {reply:?}");
        let whole = cell.place == Place::Dot && cell.deed != Deed::HangsUpUnasked;
        assert_eq!(self.server.bodies(mail).len(), usize::from(whole || outcome == "sent"), "{cell}");
        assert_eq!(self.server.misdeeds(), 1, "{cell}: tried more than once");
    }

    /// After a while once more; and when the next try would be too late, no more.
    async fn until_it_expires(&self, cell: &Cell<'_>, mail: Uuid) -> usize {
        let pause = "select state = 'retry' and next_at - (select max(ended_at) from attempts where mail_id = m.id)
                                between interval '3.9 seconds' and interval '5.1 seconds' from mails m where id = $1";
        let waits: bool = sqlx::query_scalar(pause).bind(mail).fetch_one(&self.app.admin).await.unwrap();
        assert!(waits, "{cell}: its first retry is not five seconds later");
        self.change(mail, "next_at = now(), expires_at = now() + interval '7 seconds'").await;
        self.hint(mail).await;
        let tries = self.tries(mail, 2).await;
        assert_eq!(
            (tries[1].phase.as_str(), tries[1].outcome.as_str()),
            (tries[0].phase.as_str(), "expired"),
            "{cell}"
        );
        assert_eq!(self.state(mail).await, "expired", "{cell}");
        assert_eq!(self.server.misdeeds(), 2, "{cell}: tried more than twice");
        2
    }

    /// `resend`, the default: the same bytes, to a server that behaves.
    async fn sent_again(&self, cell: &Cell<'_>, mail: Uuid) -> usize {
        self.server.behave();
        let before = self.server.bodies(mail);
        eventually("it is to be sent again", async || (self.state(mail).await == "retry").then_some(())).await;
        self.change(mail, "next_at = now()").await;
        self.hint(mail).await;
        assert_eq!(self.tries(mail, 2).await[1].outcome, "sent", "{cell}");
        let bodies = self.server.bodies(mail);
        assert_eq!(bodies.len(), before.len() + 1, "{cell}");
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{cell}: another try has other bytes");
        2
    }

    async fn is_settled(&self, cell: &Cell<'_>, mail: Uuid) -> usize {
        assert_eq!(self.state(mail).await, cell.expected, "{cell}");
        self.hint(mail).await;
        1
    }

    /// A mail that is due now.
    async fn owe(&self) -> Uuid {
        let mail = MailId::new();
        sqlx::query(
            "with mail as (
                 insert into mails (id, account_id, kind, due_at, next_at, expires_at)
                 values ($1, $2, 'notice', now(), now(), now() + interval '1 hour'))
             insert into deliveries (id, account_id, mail_id, kind, notice, due_at)
             values (gen_random_uuid(), $2, $1, 'notice', '{\"notice\": \"password_changed\"}', now())",
        )
        .bind(mail.0)
        .bind(self.reader.id.0)
        .execute(&self.app.admin)
        .await
        .unwrap();
        self.hint(mail.0).await;
        mail.0
    }

    async fn hint(&self, mail: Uuid) {
        self.app.queue.push(&[MailId(mail)]).await.unwrap();
    }

    async fn change(&self, mail: Uuid, change: &str) {
        let statement = format!("update mails set {change} where id = $1 and state in ('scheduled', 'retry')");
        let done = sqlx::query(AssertSqlSafe(statement)).bind(mail).execute(&self.app.admin).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn state(&self, mail: Uuid) -> String {
        sqlx::query_scalar("select state from mails where id = $1").bind(mail).fetch_one(&self.app.admin).await.unwrap()
    }

    /// Its tries, once there are as many.
    async fn tries(&self, mail: Uuid, count: usize) -> Vec<Try> {
        let look = "select phase, outcome, reply from attempts where mail_id = $1 order by fence";
        eventually("the mail is tried", async || {
            let tries: Vec<Try> = sqlx::query_as(look).bind(mail).fetch_all(&self.app.admin).await.unwrap();
            (tries.len() >= count).then_some(tries)
        })
        .await
    }
}
