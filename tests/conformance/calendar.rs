//! Calendars, as a reader sees them that is not ours: Python's icalendar (reader.py).

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use harness::TestApp;
use serde_json::{Value, json};

use crate::tool::environment;

/// What titles are made of: all that has a meaning in a calendar, that ends lines somewhere, and that has several octets.
const PIECES: [&str; 18] = [
    "a",
    ",",
    ";",
    ":",
    "\"",
    "\\",
    "\\n",
    "\\,",
    "\r\n",
    "\n",
    " ",
    "\t",
    "é",
    "🔔",
    "END:VEVENT",
    "\u{2028}",
    "\u{85}",
    "=",
];

/// As it stands in a calendar: whatever ends a line ends it alike.
fn plain(title: &str) -> String {
    title.replace("\r\n", "\n").replace(['\u{2028}', '\u{85}'], "\n")
}

fn understood(calendar: &str) -> Value {
    let python = environment("calendar", "calendar.txt").join("bin/python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/reader.py");
    let mut reader = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    reader.stdin.take().unwrap().write_all(calendar.as_bytes()).unwrap();
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success(), "{calendar}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_reader_understands_a_calendar_as_it_is_meant() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let new = json!({ "key": "OPS", "name": "Rent; water, power", "visibility": "open" });
    let project = team.owner.post("/projects", new).await.is(201).text_at("/id");
    let link = team.member.post("/v1/me/calendar", json!(null)).await.is(201).text_at("/url");
    let path = link[link.find("/calendars/").unwrap()..].to_owned();
    let stranger = app.stranger();
    let read = async || {
        let text = stranger.get(&path).await.is(200).text().to_owned();
        tokio::task::spawn_blocking(move || understood(&text)).await.unwrap()
    };
    let empty = read().await;
    assert_eq!((&empty["name"], &empty["refresh"]), (&json!("Taskbell"), &json!(900.0)));
    assert_eq!((&empty["events"], &empty["others"]), (&json!([]), &json!(["VTIMEZONE"])));

    for (title, due, start, end) in [
        ("a day", json!({ "date": "2031-12-31" }), json!(["date", "2031-12-31"]), json!(["date", "2032-01-01"])),
        (
            "in a gap",
            json!({ "local": "2032-03-28T02:30", "time_zone": "Europe/Berlin" }),
            json!(["datetime", "2032-03-28T01:30:00+00:00"]),
            Value::Null,
        ),
        (
            "in a fold",
            json!({ "local": "2033-10-30T02:30", "time_zone": "Europe/Berlin" }),
            json!(["datetime", "2033-10-30T00:30:00+00:00"]),
            Value::Null,
        ),
        (
            "then",
            json!({ "at": "2034-07-01T09:00:00+02:00" }),
            json!(["datetime", "2034-07-01T07:00:00+00:00"]),
            Value::Null,
        ),
    ] {
        let new = json!({ "project": project, "title": title, "assignees": [team.member.id], "due": due });
        let task = team.owner.post("/tasks", new).await.is(201).json();
        let events = read().await["events"].as_array().unwrap().clone();
        let event = events.last().unwrap();
        assert_eq!((&event["summary"], &event["start"], &event["end"]), (&json!(title), &start, &end));
        assert_eq!((&event["uid"], &event["sequence"]), (&task["id"], &json!(0)));
        assert_eq!(event["categories"], json!(["Rent; water, power"]));
        let changed: jiff::Timestamp = task["updated_at"].as_str().unwrap().parse().unwrap();
        let changed = changed.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
        assert_eq!((&event["stamp"][1], &event["modified"][1]), (&json!(changed), &json!(changed)));
        let address = format!("/v1/orgs/{}/tasks/{}", team.slug, task["id"].as_str().unwrap());
        assert!(event["url"].as_str().unwrap().ends_with(&address), "{event}");
    }
    let described = "OPS-2 · Rent; water, power · A Team\nDue 2032-03-28 02:30 (Europe/Berlin)";
    assert_eq!(read().await["events"][1]["description"], described);

    // Every piece beside every other, and two before it, so that each is folded somewhere; past the API, which refuses some.
    let mut titles: Vec<String> = Vec::new();
    for (nth, one) in PIECES.iter().enumerate() {
        for other in PIECES {
            let filling = "x".repeat(titles.len() % 76);
            titles.push(format!("{filling}{one}{other}{one}{}.", PIECES[(nth + titles.len()) % PIECES.len()]));
        }
    }
    sqlx::query(
        "insert into tasks (org_id, id, project_id, number, title, due_on, created_by)
         select $1, gen_random_uuid(), $2::uuid, 100 + n, title, date '2040-01-01' + n::integer, $3
         from unnest($4::text[]) with ordinality t (title, n)",
    )
    .bind(team.id.0)
    .bind(&project)
    .bind(team.member.id.0)
    .bind(&titles)
    .execute(&app.admin)
    .await
    .unwrap();
    let events = read().await["events"].as_array().unwrap().clone();
    let read: Vec<&str> = events[4..].iter().map(|event| event["summary"].as_str().unwrap()).collect();
    assert_eq!(read.len(), titles.len());
    for (read, title) in read.iter().zip(&titles) {
        assert_eq!(*read, plain(title), "{title:?}");
    }
}
