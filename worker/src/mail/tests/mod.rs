//! Mails as their readers get them.

use common::{
    ids::MailId,
    mails::{Content, Subject},
    secrets::{Purpose, ServerKey},
};
use mail_parser::{Message, MessageParser};
use uuid::Uuid;

use self::samples::{comment, content, digest, every_mail, invitation, reminder, reminders, verification};
use super::{Letter, Letterhead};

mod parsers;
mod samples;

const BASE_URL: &str = "https://tasks.example.org/";

/// Titles that would be something else if they could.
const TITLES: &[&str] = &[
    "x\r\nBcc: eve@example.com",
    "x\nBcc: eve@example.com\n\nbody",
    "x\r\n\r\n<html>",
    "\0\r\u{85}\u{2028}Cc: eve@example.com",
    "=?utf-8?q?x=0D=0ABcc:_eve=40example.com?=",
    "\u{202e}gnp.exe\u{2066}",
    "--=_00000000000000000000000000000007--",
    "\r\n.\r\nMAIL FROM:<eve@example.com>",
    "🔔\u{200d}🔔 \"quoted\", <angled> (round); eve@example.com",
];

fn letterhead() -> Letterhead {
    Letterhead::new("Taskbell <bell@example.org>", &BASE_URL.parse().unwrap()).unwrap()
}

fn key() -> ServerKey {
    ServerKey::new("k".repeat(32).into()).unwrap()
}

fn write(id: MailId, content: &Content) -> Letter {
    letterhead().write(id, content, &key()).unwrap()
}

fn written(about: Subject) -> Letter {
    write(MailId(Uuid::from_u128(7)), &content(about))
}

fn parsed(letter: &Letter) -> Message<'_> {
    MessageParser::new().parse(&letter.bytes).unwrap()
}

/// The names of the headers, and how many recipients there are.
fn shape(letter: &Letter) -> (Vec<String>, usize) {
    let message = parsed(letter);
    let names = message.headers().iter().map(|header| header.name().to_owned()).collect();
    (names, message.to().unwrap().as_list().unwrap().len())
}

fn text(letter: &Letter) -> String {
    parsed(letter).body_text(0).unwrap().into_owned()
}

fn html(letter: &Letter) -> String {
    parsed(letter).body_html(0).unwrap().into_owned()
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    for about in every_mail() {
        assert_eq!(written(about.clone()), written(about));
    }
}

#[test]
fn a_relay_that_drops_repeats_finds_the_mails_id_in_a_header_of_its_own() {
    let id = MailId(Uuid::from_u128(7));
    let named = |name: &str| letterhead().with_repeat(Some(name));
    let letter =
        named("X-Relay-Idempotency").unwrap().write(id, &content(verification(Uuid::from_u128(2))), &key()).unwrap();
    assert_eq!(parsed(&letter).header_raw("X-Relay-Idempotency").map(str::trim), Some(id.to_string().as_str()));
    for wrong in ["Message-ID", "to", "X-Relay\r\nBcc", "X Relay", ""] {
        assert!(named(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn every_mail_is_ascii_in_short_lines_ended_by_crlf() {
    for about in every_mail() {
        let bytes = String::from_utf8(written(about).bytes).unwrap();
        assert!(bytes.is_ascii() && bytes.ends_with("\r\n"));
        for line in bytes.split("\r\n") {
            // An address cannot be broken.
            assert!(line.len() <= 78 || line.starts_with("List-Unsubscribe: <https://"), "{line:?}");
            assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        }
    }
}

#[test]
fn a_reminder_has_the_headers_it_should() {
    let letter = written(Subject::Reminder(reminder("Oil the gears")));
    let message = parsed(&letter);
    assert_eq!(message.subject(), Some("Oil the gears [OPS-42]"));
    assert_eq!(message.from().unwrap().first().unwrap().address(), Some("bell@example.org"));
    assert_eq!(message.to().unwrap().first().unwrap().address(), Some("ada@example.net"));
    assert_eq!(message.to().unwrap().first().unwrap().name(), Some("Ada Lovelace"));
    assert_eq!(message.date().unwrap().to_rfc3339(), "2026-12-01T08:00:01Z");
    assert_eq!(message.message_id(), Some("00000000-0000-0000-0000-000000000007@tasks.example.org"));
    let thread = Some("00000000-0000-0000-0000-00000000002a@tasks.example.org");
    assert_eq!(message.references().as_text(), thread);
    assert_eq!(message.in_reply_to().as_text(), thread);
    assert_eq!(message.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
    assert_eq!(letter.envelope.to.to_string(), "ada@example.net");
    assert_eq!(letter.envelope.from.to_string(), "bell@example.org");
}

#[test]
fn text_and_html_say_the_same() {
    let letter = written(Subject::Reminder(reminder("Oil the gears")));
    let address = "https://tasks.example.org/v1/orgs/engines/tasks/00000000-0000-0000-0000-00000000002a";
    for body in [text(&letter), html(&letter)] {
        for fact in ["Oil the gears", "OPS-42", "Operations", "Analytical Engines", "2026-12-01 10:00", address] {
            assert!(body.contains(fact), "{fact} is missing in {body}");
        }
    }
}

/// What a mail's links open.
fn links(letter: &Letter) -> Vec<String> {
    let html = html(letter);
    html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn links_lead_to_our_own_pages_and_stand_in_the_text_too() {
    let (id, expires_at): (_, jiff::Timestamp) = (Uuid::from_u128(9), "2026-12-02T08:00:00Z".parse().unwrap());
    let address = || "countess@example.net".to_owned();
    for (about, purpose, page) in [
        (invitation(id, "Engines"), Purpose::Invitation, "invitation"),
        (verification(id), Purpose::Verification, "verify"),
        (Subject::PasswordReset { id, expires_at }, Purpose::PasswordReset, "reset"),
        (Subject::EmailChange { id, old: true, new_email: address(), expires_at }, Purpose::EmailOld, "email"),
        (Subject::EmailChange { id, old: false, new_email: address(), expires_at }, Purpose::EmailNew, "email"),
    ] {
        let letter = written(about);
        let link = format!("https://tasks.example.org/links/{page}/{}", key().mailed_token(purpose, id).reveal());
        assert_eq!(links(&letter), [link.as_str()]);
        assert!(text(&letter).lines().any(|line| line == link), "{}", text(&letter));
        assert!(html(&letter).contains(&format!("<br>{link}<")), "for those whose program shows no buttons");
    }
    for about in every_mail() {
        for link in links(&written(about)) {
            assert!(link.starts_with("https://tasks.example.org/links/"), "{link} leads nowhere");
        }
    }
}

#[test]
fn a_hostile_title_adds_no_header_and_no_recipient() {
    let harmless = shape(&written(Subject::Reminder(reminder("Oil the gears"))));
    let long = ["é".repeat(200), "x".repeat(200), "x\u{301}".repeat(100)];
    for title in TITLES.iter().copied().chain(long.iter().map(String::as_str)) {
        let letter = written(Subject::Reminder(reminder(title)));
        assert_eq!(shape(&letter), harmless, "{title:?}");
        let message = parsed(&letter);
        let subject = message.subject().unwrap();
        assert!(!subject.contains(char::is_control) && !subject.contains('\u{202e}'), "{subject:?}");
        assert_eq!(message.parts.len(), 3, "{title:?}");
    }
}

#[test]
fn a_hostile_name_adds_no_recipient() {
    let mut content = content(Subject::Reminder(reminder("Oil the gears")));
    let harmless = shape(&write(MailId::new(), &content));
    for name in [
        "Ada\r\nBcc: eve@example.com",
        "Ada\" <eve@example.com>, \"x",
        "",
        " ",
        "a@b",
        "Ädä 🔔\\\"",
        "=?utf-8?q?=0D=0A?=",
        "\u{202e}",
    ] {
        content.name = Some(name.into());
        let letter = write(MailId::new(), &content);
        assert_eq!(shape(&letter), harmless, "{name:?}");
        let name = parsed(&letter).to().unwrap().first().unwrap().name().unwrap_or_default().to_owned();
        assert!(!name.contains(char::is_control), "{name:?}");
    }
}

#[test]
fn html_is_escaped_and_text_is_not() {
    let title = "<script>alert('1 & 2')</script>";
    let letter = written(Subject::Reminder(reminder(title)));
    assert!(text(&letter).contains(title));
    assert!(!html(&letter).contains("<script>"));
    assert!(!html(&written(invitation(Uuid::nil(), title))).contains("<script>"));
}

#[test]
fn a_token_stands_on_a_line_of_its_own_with_what_to_do_with_it() {
    let (id, expires_at): (_, jiff::Timestamp) = (Uuid::from_u128(9), "2026-12-02T08:00:00Z".parse().unwrap());
    for (about, purpose, what_to_do) in [
        (invitation(id, "Engines"), Purpose::Invitation, "POST https://tasks.example.org/v1/me/memberships"),
        (verification(id), Purpose::Verification, "POST https://tasks.example.org/v1/verifications"),
        (
            Subject::PasswordReset { id, expires_at },
            Purpose::PasswordReset,
            "POST https://tasks.example.org/v1/password-resets/completions",
        ),
        (
            Subject::EmailChange { id, old: false, new_email: "countess@example.net".into(), expires_at },
            Purpose::EmailNew,
            "POST https://tasks.example.org/v1/email-changes/confirmations",
        ),
    ] {
        let token = key().mailed_token(purpose, id).reveal();
        let letter = written(about);
        assert!(text(&letter).lines().any(|line| line == token), "{}", text(&letter));
        assert!(text(&letter).contains(what_to_do) && html(&letter).contains(what_to_do));
        assert!(html(&letter).contains(&token));
        assert!(!parsed(&letter).subject().unwrap().contains(&token));
    }
}

#[test]
fn a_late_reminder_says_so_in_its_subject() {
    let mut content = content(Subject::Reminder(reminder("Oil the gears")));
    content.date = "2026-12-01T09:30:00Z".parse().unwrap();
    let letter = write(MailId::new(), &content);
    assert_eq!(parsed(&letter).subject(), Some("Oil the gears [OPS-42] (delayed, was 09:00)"));
}

#[test]
fn an_address_without_a_name_has_no_name() {
    let mut content = content(invitation(Uuid::nil(), "Engines"));
    content.name = None;
    let letter = write(MailId::new(), &content);
    assert_eq!(parsed(&letter).to().unwrap().first().unwrap().name(), None);
}

#[test]
fn what_somebody_says_stays_in_its_place() {
    let hostile = "Look\r\n-- \r\nTaskbell\rTask: https://example.net/<b>\u{202e}\0\n\n   x\n\n";
    let letter = written(comment(hostile, true));
    let said: Vec<String> = text(&letter).lines().filter(|line| line.starts_with('>')).map(str::to_owned).collect();
    assert_eq!(said, ["> Look", "> --", "> Taskbell", "> Task: https://example.net/<b>", "> ", ">    x"]);
    assert_eq!(text(&letter).lines().filter(|line| *line == "-- ").count(), 1);
    assert!(html(&letter).contains("&#60;b&#62;<br>"), "{}", html(&letter));
    assert_eq!(shape(&letter), shape(&written(comment("Done.", true))));
    let thread = written(Subject::Reminder(reminder("Oil the gears")));
    assert_eq!(parsed(&letter).in_reply_to().as_text(), parsed(&thread).in_reply_to().as_text());
}

#[test]
fn many_reminders_are_one_line_of_subject_and_each_tells_how_late_it_is() {
    let titles: Vec<String> = (1..=7).map(|nth| format!("Task number {nth} of the seven")).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let Subject::Reminders { reminders: mut each } = reminders(&titles) else { unreachable!() };
    each[1].due_at = "2026-12-01T06:00:00Z".parse().unwrap();
    let letter = written(Subject::Reminders { reminders: each.clone() });
    let subject = parsed(&letter).subject().unwrap().to_owned();
    assert_eq!(
        subject,
        "7 tasks: Task number 1 of the seven, Task number 2 of the seven, Task number 3 of the seven, … (1 delayed)"
    );
    for body in [text(&letter), html(&letter)] {
        assert_eq!(body.matches("(delayed, was 07:00)").count(), 1, "{body}");
        assert!(titles.iter().all(|title| body.contains(title)), "{body}");
    }
    assert_eq!(links(&letter).len(), 8, "one for each, and enough of them all");
    assert_eq!(parsed(&letter).in_reply_to().as_text(), None, "it is about many tasks");

    for reminder in &mut each {
        reminder.due_at = "2026-12-01T06:00:00Z".parse().unwrap();
        (reminder.title, reminder.task_key) = ("Oil the gears".into(), "OPS-42".into());
    }
    let letter = written(Subject::Reminders { reminders: each });
    assert_eq!(parsed(&letter).subject(), Some("1 task: Oil the gears (delayed)"));
}

#[test]
fn a_digest_tells_the_day_in_parts_and_counts_them_in_its_subject() {
    let letter = written(digest("Oil the gears"));
    let subject = "Analytical Engines: 2 overdue, 1 due today, 1 due within a week";
    assert_eq!(parsed(&letter).subject(), Some(subject));
    assert_eq!(parsed(&letter).in_reply_to().as_text(), None, "it is about many tasks");
    let said = text(&letter).replace("\r\n", "\n");
    let day = "this is your Tuesday, 1 December 2026 in Analytical Engines.

Overdue:

- Oil the gears
  OPS-42, Operations, due 2026-11-30
- Oil the gears
  OPS-42, Operations, due 2026-12-01 08:00 (Europe/Berlin)

Due today:

- Oil the gears
  OPS-42, Operations, due 2026-12-01

Due in the next seven days:

- Oil the gears
  OPS-42, Operations, due 2026-12-08

And 3 more.

Reminders that could not be sent in time, and will not be:

- Oil the gears
  OPS-43, was to be sent at 2026-11-30 09:00 (Europe/Berlin)
And 2 more.

The tasks in the API:
https://tasks.example.org/v1/orgs/engines/tasks
";
    assert!(said.contains(day), "{said}");
    let Subject::Digest(mut late) = digest("Oil the gears") else { unreachable!() };
    late.due_at = "2026-12-01T06:30:00Z".parse().unwrap();
    let letter = written(Subject::Digest(late));
    assert_eq!(parsed(&letter).subject(), Some(format!("{subject} (delayed, was 07:30)").as_str()));
}
