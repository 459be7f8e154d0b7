//! iCalendar (RFC 5545, with two properties of RFC 7986), as far as a list of due tasks needs it.

use std::fmt::Write as _;

use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

use crate::time::Due;

/// A line has so many octets at most, without its end (RFC 5545, 3.1).
const LINE: usize = 75;
/// How often programs should look: they may, and then mostly get a 304.
const REFRESH: &str = "PT15M";
const DAY: &str = "%Y%m%d";
const MOMENT: &str = "%Y%m%dT%H%M%SZ";

/// When an event is.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Day(Date),
    Moment(Timestamp),
}

/// What a calendar shows of a task.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: Uuid,
    pub(super) when: When,
    pub(super) due: Due,
    pub(super) title: String,
    pub(super) key: String,
    pub(super) project: String,
    pub(super) organization: String,
    pub(super) address: String,
    pub(super) updated_at: Timestamp,
    pub(super) version: i32,
}

impl Event {
    /// Where to look, and what the task itself says of a local time: the event has it in UTC.
    fn description(&self) -> String {
        let mut text = format!("{} · {} · {}", self.key, self.project, self.organization);
        if let Due::Local { local, time_zone } = &self.due {
            // Writing to a String cannot fail.
            let _ = write!(text, "\nDue {} ({time_zone})", local.strftime("%Y-%m-%d %H:%M"));
        }
        text
    }
}

/// A file that is being written.
pub(super) struct Calendar {
    text: String,
    events: usize,
}

impl Calendar {
    pub(super) fn begin() -> Self {
        let mut calendar = Self { text: String::new(), events: 0 };
        calendar.line("BEGIN", "VCALENDAR");
        calendar.line("VERSION", "2.0");
        calendar.line("PRODID", "-//Taskbell//Taskbell//EN");
        calendar.line("CALSCALE", "GREGORIAN");
        calendar.line("NAME", "Taskbell");
        calendar.line("X-WR-CALNAME", "Taskbell");
        calendar.line("REFRESH-INTERVAL;VALUE=DURATION", REFRESH);
        calendar.line("X-PUBLISHED-TTL", REFRESH);
        calendar
    }

    /// A task. There is no METHOD, so DTSTAMP is when it last changed (RFC 5545, 3.8.7.2), and the same task gives the same bytes.
    pub(super) fn add(&mut self, event: &Event) {
        self.events += 1;
        self.line("BEGIN", "VEVENT");
        self.line("UID", &event.id.to_string());
        self.line("DTSTAMP", &event.updated_at.strftime(MOMENT).to_string());
        self.line("LAST-MODIFIED", &event.updated_at.strftime(MOMENT).to_string());
        self.line("SEQUENCE", &(event.version - 1).max(0).to_string());
        self.when(event);
        self.line("SUMMARY", &escaped(&event.title));
        self.line("DESCRIPTION", &escaped(&event.description()));
        self.line("CATEGORIES", &escaped(&event.project));
        self.line("URL", &event.address);
        // It is due then; nobody is busy because of it.
        self.line("TRANSP", "TRANSPARENT");
        self.line("END", "VEVENT");
    }

    /// A day, or a moment in UTC. A moment has no end: an end must be later than the beginning, and a task has no length.
    fn when(&mut self, event: &Event) {
        match event.when {
            When::Day(date) => {
                self.line("DTSTART;VALUE=DATE", &date.strftime(DAY).to_string());
                let next = date.tomorrow().unwrap_or(date);
                self.line("DTEND;VALUE=DATE", &next.strftime(DAY).to_string());
            }
            When::Moment(at) => self.line("DTSTART", &at.strftime(MOMENT).to_string()),
        }
    }

    /// A calendar must hold something: where there is no event, the zone that everybody has.
    pub(super) fn end(mut self) -> String {
        if self.events == 0 {
            for (name, value) in [
                ("BEGIN", "VTIMEZONE"),
                ("TZID", "Etc/UTC"),
                ("BEGIN", "STANDARD"),
                ("DTSTART", "19700101T000000"),
                ("TZOFFSETFROM", "+0000"),
                ("TZOFFSETTO", "+0000"),
                ("END", "STANDARD"),
                ("END", "VTIMEZONE"),
            ] {
                self.line(name, value);
            }
        }
        self.line("END", "VCALENDAR");
        self.text
    }

    /// One property, folded: what goes on begins with a space, and no character is cut.
    fn line(&mut self, name: &str, value: &str) {
        let mut octets = 0;
        for character in name.chars().chain([':']).chain(value.chars()) {
            if octets + character.len_utf8() > LINE {
                self.text.push_str("\r\n ");
                octets = 1;
            }
            self.text.push(character);
            octets += character.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

/// Text as a value (RFC 5545, 3.3.11). Whatever some reader takes for the end of a line is written as one; other control characters
/// cannot be written, and are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => escaped.push_str("\\n"),
            '\t' => escaped.push('\t'),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use jiff::{civil::Time, tz::TimeZone};

    use super::*;

    fn event(title: &str, due: Due) -> Event {
        Event {
            id: "01a20394-4f31-7324-a04f-3355b6a513bc".parse().unwrap(),
            when: match &due {
                Due::Date { date } => When::Day(*date),
                due => When::Moment(due.anchor(&TimeZone::UTC, Time::midnight()).unwrap().timestamp()),
            },
            due,
            title: title.into(),
            key: "OPS-7".into(),
            project: "Operations".into(),
            organization: "Acme and Sons".into(),
            address: "https://tasks.example.org/v1/orgs/acme/tasks/01a20394-4f31-7324-a04f-3355b6a513bc".into(),
            updated_at: "2026-11-30T23:59:59.999Z".parse().unwrap(),
            version: 3,
        }
    }

    fn file(event: &Event) -> String {
        let mut calendar = Calendar::begin();
        calendar.add(event);
        calendar.end()
    }

    fn due(text: &str) -> Due {
        crate::input::read(serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn a_task_is_written_as_calendars_read_it() {
        let day = file(&event("Pay the rent", due(r#"{"date": "2026-12-31"}"#)));
        assert_eq!(
            day,
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Taskbell//Taskbell//EN\r\nCALSCALE:GREGORIAN\r\nNAME:Taskbell\r\n\
             X-WR-CALNAME:Taskbell\r\nREFRESH-INTERVAL;VALUE=DURATION:PT15M\r\nX-PUBLISHED-TTL:PT15M\r\nBEGIN:VEVENT\r\n\
             UID:01a20394-4f31-7324-a04f-3355b6a513bc\r\nDTSTAMP:20261130T235959Z\r\nLAST-MODIFIED:20261130T235959Z\r\n\
             SEQUENCE:2\r\nDTSTART;VALUE=DATE:20261231\r\nDTEND;VALUE=DATE:20270101\r\nSUMMARY:Pay the rent\r\n\
             DESCRIPTION:OPS-7 · Operations · Acme and Sons\r\nCATEGORIES:Operations\r\n\
             URL:https://tasks.example.org/v1/orgs/acme/tasks/01a20394-4f31-7324-a04f-33\r\n 55b6a513bc\r\n\
             TRANSP:TRANSPARENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let local = r#"{"local": "2026-03-29T02:30", "time_zone": "Europe/Berlin"}"#;
        let local = file(&event("In the gap", due(local)));
        assert!(local.contains("\r\nDTSTART:20260329T013000Z\r\nSUMMARY"), "{local}");
        assert!(local.contains("\\nDue 2026-03-29 02:30 (Eur\r\n ope/Berlin)\r\n"), "{local}");
        let instant = file(&event("Then", due(r#"{"at": "2026-12-01T08:00:00.5+01:00"}"#)));
        assert!(instant.contains("\r\nDTSTART:20261201T070000Z\r\nSUMMARY"), "{instant}");
        assert!(Calendar::begin().end().contains("\r\nBEGIN:VTIMEZONE\r\n"), "it must hold something");
    }

    #[test]
    fn no_title_ends_a_line_begins_a_property_or_is_cut_within_a_character() {
        let hostile = [
            "Milk, eggs; bread\\butter",
            "one\r\nEND:VEVENT\r\nATTENDEE:mailto:eve@example.org",
            "one\rtwo\u{85}three\u{2028}four\u{2029}five\u{b}six\u{c}seven\u{0}\u{1b}\u{7f}",
            &"🔔".repeat(50),
            &"é,".repeat(100),
            &"\\".repeat(200),
            " leading, and\ttab ",
        ];
        for title in hostile {
            let text = file(&event(title, due(r#"{"date": "2026-12-31"}"#)));
            let lines: Vec<&str> = text.split("\r\n").collect();
            assert_eq!(lines.last(), Some(&""), "each line ends");
            for line in &lines {
                assert!(line.len() <= LINE, "{} octets: {line}", line.len());
                assert!(!line.contains(|c: char| c != '\t' && c.is_control()), "{line:?}");
            }
            let unfolded = text.replace("\r\n ", "");
            assert_eq!(unfolded.lines().filter(|line| line.starts_with("END:VEVENT")).count(), 1, "{unfolded}");
            assert!(!unfolded.lines().any(|line| line.starts_with("ATTENDEE")), "{unfolded}");
            let summary = unfolded.lines().find_map(|line| line.strip_prefix("SUMMARY:")).unwrap();
            assert_eq!(summary, escaped(title));
        }
        assert_eq!(escaped("a\r\nb\rc\nd"), "a\\nb\\nc\\nd");
        assert_eq!(escaped("a,b;c\\d:\"e\""), "a\\,b\\;c\\\\d:\"e\"");
    }
}
