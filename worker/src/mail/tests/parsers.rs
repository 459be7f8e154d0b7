//! Our mails as two programs read them that are not ours: mail-parser everywhere, and Python's email package where there is Python.

use std::{env, fs, io::ErrorKind, path::PathBuf, process::Command};

use serde_json::{Value, json};

use super::*;

/// What Python makes of each file, a line of JSON for each.
const READER: &str = r#"
import email, json, sys
from email import policy
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file, policy=policy.default)
    parts = list(mail.walk())
    defects = [repr(defect) for part in parts for defect in part.defects]
    defects += [f"{name}: {defect!r}" for name, value in mail.items() for defect in getattr(value, "defects", ())]
    print(json.dumps({
        "defects": defects, "headers": mail.keys(), "types": [part.get_content_type() for part in parts],
        "subject": str(mail["Subject"]), "id": str(mail["Message-ID"]), "date": mail["Date"].datetime.isoformat(),
        "from": [str(one) for one in mail["From"].addresses], "to": [[one.display_name, one.addr_spec] for one in mail["To"].addresses],
        "thread": str(mail["References"]), "unsubscribe": str(mail["List-Unsubscribe"]), "post": str(mail["List-Unsubscribe-Post"]),
        "text": mail.get_body(("plain",)).get_content(), "html": mail.get_body(("html",)).get_content(),
    }))
"#;

/// None where there is no Python.
fn read_by_python(letters: &[Letter]) -> Option<Vec<Value>> {
    let directory = env::temp_dir().join(format!("taskbell-mails-{}", Uuid::now_v7()));
    fs::create_dir_all(&directory).unwrap();
    let file = |(nth, letter): (usize, &Letter)| {
        let path = directory.join(format!("{nth}.eml"));
        fs::write(&path, &letter.bytes).unwrap();
        path
    };
    let files: Vec<PathBuf> = letters.iter().enumerate().map(file).collect();
    let output = Command::new("python3").args(["-X", "utf8", "-c", READER]).args(&files).output();
    fs::remove_dir_all(&directory).unwrap();
    let output = match output {
        Err(fault) if fault.kind() == ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[test]
fn two_programs_that_are_not_ours_read_the_same_mail() {
    let titled = TITLES.iter().map(|title| Subject::Reminder(reminder(title)));
    let folded = TITLES.iter().map(|title| reminders(&[title, "Wind the clock", title]));
    let days = TITLES.iter().map(|title| digest(title));
    let all: Vec<Subject> = every_mail().into_iter().chain(titled).chain(folded).chain(days).collect();
    let letters: Vec<Letter> = all.iter().cloned().map(written).collect();
    let Some(read) = read_by_python(&letters) else { return };
    assert_eq!(read.len(), letters.len());
    for ((about, letter), read) in all.iter().zip(&letters).zip(read) {
        let message = parsed(letter);
        assert_eq!(read["defects"], json!([]), "{about:?}");
        let mut names: Vec<String> =
            read["headers"].as_array().unwrap().iter().map(|name| name.to_string().to_lowercase()).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), count), (count, message.headers().len()), "{about:?}");
        assert_eq!(read["types"], json!(["multipart/alternative", "text/plain", "text/html"]), "{about:?}");
        assert_eq!(read["to"], json!([["Ada Lovelace", "ada@example.net"]]), "{about:?}");
        assert_eq!(read["from"], json!(["Taskbell <bell@example.org>"]), "{about:?}");
        assert_eq!(read["date"], "2026-12-01T08:00:01+00:00");
        assert_eq!(read["id"], "<00000000-0000-0000-0000-000000000007@tasks.example.org>");
        assert_eq!(read["subject"].as_str(), message.subject(), "{about:?}");
        assert_eq!(unix(read["text"].as_str().unwrap()), unix(&text(letter)), "{about:?}");
        assert_eq!(unix(read["html"].as_str().unwrap()), unix(&html(letter)), "{about:?}");
    }
}

#[test]
fn a_subject_is_read_as_it_was_written_whatever_it_is_written_in() {
    for title in [
        "Ölen der Zahnräder bis übermorgen, und zwar gründlich, damit nichts quietscht und alles läuft",
        "歯車に油を差す。それから時計のねじを巻き、植物に水をやり、鐘を鳴らすことも忘れないでください",
        "שמן את גלגלי השיניים",
        "🔔🔔🔔 Wind the clock 🔔🔔🔔",
        "a  b   c",
        "Title with a trailing bracket ]",
    ] {
        let letter = written(Subject::Reminder(reminder(title)));
        assert_eq!(parsed(&letter).subject(), Some(format!("{title} [OPS-42]").as_str()));
        if let Some(read) = read_by_python(std::slice::from_ref(&letter)) {
            assert_eq!(read[0]["subject"], format!("{title} [OPS-42]"));
        }
    }
}

#[test]
fn mails_about_a_task_stand_together_in_a_mailbox() {
    // By the root that they refer to, and for programs that go by subjects: by those, without what they put in front of answers.
    let mails = [Subject::Reminder(reminder("Oil the gears")), comment("Done.", false), comment("Really?", true)];
    let mut places = mails.map(|about| {
        let letter = written(about);
        let message = parsed(&letter);
        let base = message.subject().unwrap().trim_start_matches("Re: ").to_owned();
        let root = message.references().as_text().unwrap().to_owned();
        assert_eq!(message.in_reply_to().as_text(), Some(root.as_str()));
        assert_ne!(message.message_id(), Some(root.as_str()));
        (root, base)
    });
    places.sort();
    assert_eq!(places[0], places[2]);
    assert_eq!(places[0].1, "Oil the gears [OPS-42]");
}

#[test]
fn who_has_enough_of_a_mail_finds_the_way_in_its_headers() {
    let page = |delivery: u128| {
        let token = key().mailed_token(Purpose::Delivery, Uuid::from_u128(delivery)).reveal();
        format!("<https://tasks.example.org/links/mail/{token}/unsubscribe>")
    };
    for (about, delivery) in [
        (Subject::Reminder(reminder("Oil the gears")), 77),
        (reminders(&["Oil the gears", "Wind the clock"]), 201),
        (comment("Done.", false), 78),
        (digest("Oil the gears"), 79),
    ] {
        let letter = written(about);
        let header = |name: &str| parsed(&letter).header_raw(name).map(|value| value.trim().to_owned());
        assert_eq!(header("List-Unsubscribe"), Some(page(delivery)));
        assert_eq!(header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
        let said = page(delivery).replace(['<', '>'], "");
        assert!(text(&letter).lines().any(|line| line == said) && html(&letter).contains(&said));
    }
    // What protects an account, or was asked for, cannot be had enough of.
    let wanted = |about: &Subject| {
        matches!(about, Subject::Reminder(_) | Subject::Reminders { .. } | Subject::Comment(_) | Subject::Digest(_))
    };
    for about in every_mail().into_iter().filter(|about| !wanted(about)) {
        assert!(parsed(&written(about)).header("List-Unsubscribe").is_none());
    }
}
