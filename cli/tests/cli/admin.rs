//! `taskbell admin`, against a whole stack.

use std::fs;

use serde_json::{Value, json};

use crate::{
    exchange::Owner,
    process::{Directory, Running, taskbell},
};

/// Runs it: whether it went well, what it wrote, what it said.
fn admin(database: &str, arguments: &[&str]) -> (bool, String, String) {
    let output = taskbell(&["admin"]).args(arguments).env("TASKBELL_DATABASE_URL", database).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_operator_finds_mail_holds_it_lets_it_go_and_sees_how_late_it_was() {
    let directory = Directory::new("admin");
    let mut up = Running::start(&mut taskbell(&["up", "--data", directory.0.to_str().unwrap()]));
    up.until("Sign-ins of the demo");
    let database = up.said.split_whitespace().find(|word| word.starts_with("postgres://")).unwrap().to_owned();
    let owner = Owner::of(&up.said);
    let ask = |arguments: &[&str]| admin(&database, arguments);

    // The tour has sent some.
    let (well, text, said) = ask(&["deliveries", "list", "--state", "sent", "--kind", "reminder,invitation", "--json"]);
    assert!(well, "{said}");
    let sent = lines(&text);
    assert!(!sent.is_empty() && sent.iter().all(|one| one["state"] == "sent" && one["to"].is_string()), "{text}");
    let id = sent[0]["id"].as_str().unwrap();
    let (_, text, _) = ask(&["deliveries", "show", id]);
    assert!(["claimed", "sending", "250 ", id].iter().all(|words| text.contains(words)), "{text}");
    let (well, _, said) = ask(&["deliveries", "retry", id]);
    assert!(!well && said.contains("is sent"), "{said}");
    let (well, _, said) = ask(&["deliveries", "show", "019a0000-0000-7000-8000-000000000000"]);
    assert!(!well && said.starts_with("taskbell: there is no delivery"), "{said}");

    // One that waits for its time is told when it is asked for, or held.
    let _ = owner.post("v1/orgs", &json!({ "slug": "waiting", "name": "Waiting" }));
    let project = owner.post("v1/orgs/waiting/projects", &json!({ "key": "WAIT", "name": "Waiting" }));
    let me = owner.get("v1/me")["id"].clone();
    let task = json!({ "project": project["id"], "title": "Later", "assignees": [me],
                       "due": { "at": "2099-01-01T00:00:00Z" }, "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }] });
    let _ = owner.post("v1/orgs/waiting/tasks", &task);
    let waiting =
        |more: &[&str]| lines(&ask(&[&["deliveries", "list", "--json", "--org", "waiting"], more].concat()).1);
    assert_eq!(waiting(&[]).len(), 0);
    let found = waiting(&["--state", "scheduled"]);
    let id = found[0]["id"].as_str().unwrap();
    let (well, text, said) = ask(&["deliveries", "hold", id]);
    assert!(well && text.contains("(scheduled)"), "{text}{said}");
    assert_eq!(waiting(&[])[0]["reason"], "held back by an operator");
    let (well, _, said) = ask(&["deliveries", "hold", id]);
    assert!(!well && said.contains("scheduled, held"), "{said}");
    let (_, text, _) = ask(&["deliveries", "list"]);
    assert!(text.contains("scheduled, held") && text.contains("What has not come to its end:"), "{text}");
    let paused = taskbell(&["admin", "deliveries", "list", "--state", "scheduled"])
        .env("TASKBELL_DATABASE_URL", &database)
        .env("TASKBELL_REMINDERS_PAUSED", "true")
        .output()
        .unwrap();
    assert!(String::from_utf8(paused.stdout).unwrap().contains("Reminders and digests are paused"));
    let (well, text, _) = ask(&["deliveries", "release", "--all"]);
    assert!(well && text.ends_with("1 released\n"), "{text}");
    let (_, text, _) = ask(&["deliveries", "retry", "--state", "dead"]);
    assert_eq!(text, "0 sent again\n");

    let app = up.said.split_whitespace().filter(|word| word.starts_with("postgres://")).nth(1).unwrap();
    let (well, _, said) = admin(app, &["deliveries", "list"]);
    assert!(!well && said.contains("use the TASKBELL_DATABASE_URL of `taskbell migrate`"), "{said}");

    let place = |name: &str| directory.0.join(name).to_str().unwrap().to_owned();
    let (json, svg) = (place("late.json"), place("late.svg"));
    let (well, text, said) = ask(&["lateness", "--since", "1h", "--json", &json, "--svg", &svg]);
    assert!(well && text.contains("P99.9") && text.contains("reminder"), "{text}{said}");
    let told: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert!(told["kinds"]["reminder"]["count"].as_u64().unwrap() > 0 && told["early"] == 0, "{told}");
    assert!(fs::read_to_string(&svg).unwrap().contains("</svg>"));
}

#[test]
fn an_operator_is_told_in_one_sentence_what_is_missing() {
    let (well, _, said) = admin("postgres://nobody@127.0.0.1:1/x", &["deliveries", "list"]);
    assert!(!well && said.starts_with("taskbell: Postgres does not answer"), "{said}");
    let (well, _, said) = admin("postgres://nobody@127.0.0.1:1/x", &["deliveries", "hold"]);
    assert!(!well && said.contains("required"), "{said}");
}
