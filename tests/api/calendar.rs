//! One's due tasks in a calendar, at an address that is a secret.

use std::collections::BTreeMap;

use common::access::Role;
use harness::{Actor, PASSWORD, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{call, deeds, logged, personal_token};

/// Where a deployment lives that says nothing of it.
const HOME: &str = "http://127.0.0.1:8000";

/// Gives somebody's calendar an address: its path.
async fn link(person: &Actor) -> String {
    let url = person.post("/v1/me/calendar", json!(null)).await.is(201).text_at("/url");
    let path = &url[url.find("/calendars/").unwrap()..];
    assert!(path.len() == 58 && path.strip_suffix(".ics").is_some(), "{url}");
    path.to_owned()
}

/// An event: each property by its name, parameters and all, unescaped.
type Event = BTreeMap<String, String>;

fn unescaped(value: &str) -> String {
    let (mut text, mut characters) = (String::new(), value.chars());
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            ('\\', Some(next)) => {
                text.push(if next == 'n' { '\n' } else { next });
                characters.next();
            }
            _ => text.push(character),
        }
    }
    text
}

/// What a program reads, which takes the standard at its word.
fn read(text: &str) -> Vec<Event> {
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']), "{text:?}");
    assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
    let unfolded = text.replace("\r\n ", "").replace("\r\n\t", "");
    let mut lines = unfolded.trim_end().split("\r\n").map(|line| line.split_once(':').unwrap());
    assert_eq!((lines.next(), lines.next()), (Some(("BEGIN", "VCALENDAR")), Some(("VERSION", "2.0"))));
    let (mut open, mut event, mut events) = (vec!["VCALENDAR"], Event::new(), Vec::new());
    for (name, value) in lines {
        match name {
            "BEGIN" => open.push(value),
            "END" => {
                assert_eq!(open.pop(), Some(value), "{text}");
                if value == "VEVENT" {
                    events.push(std::mem::take(&mut event));
                }
            }
            name if open.last() == Some(&"VEVENT") => {
                assert_eq!(event.insert(name.to_owned(), unescaped(value)), None, "{name} twice");
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    events
}

async fn titles(stranger: &Actor, path: &str) -> Vec<String> {
    read(stranger.get(path).await.is(200).text()).iter().map(|event| event["SUMMARY"].clone()).collect()
}

async fn ask(stranger: &Actor, method: Method, path: &str, header: Option<(&str, &str)>) -> Reply {
    let request = stranger.request(method, path);
    let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    stranger.send(request, path.to_owned()).await
}

#[tokio::test]
async fn an_address_is_shown_once_replaced_by_the_next_and_void_when_it_is_taken_away() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (ada, stranger) = (&team.member, app.stranger());
    let told = async || ada.get("/v1/me/calendar").await.is(200).json();
    let nothing = json!({ "linked": false, "created_at": null, "last_used_at": null });
    assert_eq!(told().await, nothing);
    let first = ada.post_once("a-key", "/v1/me/calendar", json!(null)).await.is(201).json();
    ada.post_once("a-key", "/v1/me/calendar", json!(null)).await.is_problem(409, "shown_once");
    let url = first["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{HOME}/calendars/")), "{url}");
    let token = &url[url.len() - 47..url.len() - 4];
    let path = format!("/calendars/{token}");
    let calendar = stranger.get(&format!("{path}.ics")).await.is(200);
    assert_eq!(calendar.header("content-type"), Some("text/calendar; charset=utf-8"));
    assert_eq!(calendar.appearance(), stranger.get(&path).await.is(200).appearance(), "with its ending and without");
    let known = told().await;
    assert_eq!((&known["linked"], &known["created_at"]), (&json!(true), &first["created_at"]));
    assert!(!known.to_string().contains(token));
    let stored: Vec<String> =
        sqlx::query_scalar("select t::text from calendar_links t").fetch_all(&app.admin).await.unwrap();
    assert!(stored.len() == 1 && !stored[0].contains(token), "{stored:?}");
    let used =
        harness::eventually("the use is written down", async || told().await["last_used_at"].is_string().then_some(()));
    used.await;

    let second = link(ada).await;
    assert_eq!(told().await["last_used_at"], Value::Null, "nobody has asked for the new one");
    stranger.get(&path).await.is_problem(404, "not_found");
    let _ = stranger.get(&second).await.is(200);
    let _ = call(ada, Method::DELETE, "/v1/me/calendar", "unlinking", Value::Null).await.is(204);
    stranger.get(&second).await.is_problem(404, "not_found");
    assert_eq!(told().await, nothing);
    let _ = ada.delete("/v1/me/calendar").await.is(204);
    let _ = logged(&app, ada.id, "calendar.unlinked", "unlinking").await;
    let deeds = deeds(&app, ada.id).await;
    assert_eq!(deeds, ["calendar.linked", "calendar.linked", "calendar.unlinked"], "what was not there was not taken");
    // A program manages no account.
    let program = personal_token(ada, &team.slug).await;
    program.get("/v1/me/calendar").await.is_problem(403, "session_needed");
    program.post("/v1/me/calendar", json!(null)).await.is_problem(403, "session_needed");
}

#[tokio::test]
async fn nothing_tells_why_an_address_is_void() {
    let app = TestApp::start().await;
    let (ada, stranger) = (app.person("ada").await, app.stranger());
    let replaced = link(&ada).await;
    let revoked = link(&ada).await;
    let _ = ada.delete("/v1/me/calendar").await.is(204);
    let unknown = format!("/calendars/{}.ics", "A".repeat(43));
    let expected = stranger.get(&unknown).await.is(404).appearance();
    for path in
        [replaced.as_str(), revoked.as_str(), "/calendars/garbage", "/calendars/~not~one~.ics", "/calendars/.ics"]
    {
        let reply = stranger.get(path).await.is(404);
        assert_eq!(reply.appearance(), expected, "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_calendar_ends_with_the_account() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let stranger = app.stranger();
    app.give_password(&team.member).await;
    let path = link(&team.member).await;
    let _ = team.member.put("/v1/me/deletion", json!({ "password": PASSWORD })).await.is(200);
    stranger.get(&path).await.is_problem(404, "not_found");
    // Made again in the fortnight in between, it goes when the account does.
    let path = link(&team.member).await;
    let end = "update accounts set deleted_at = now(), deletion_due_at = null where id = $1";
    sqlx::query(end).bind(team.member.id.0).execute(&app.admin).await.unwrap();
    stranger.get(&path).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_calendar_has_ones_own_open_due_tasks_of_all_organizations_and_no_others() {
    let app = TestApp::start().await;
    let (team, other, left) = (app.team().await, app.team().await, app.team().await);
    let (ada, stranger) = (&team.member, app.stranger());
    for (place, role, status) in [(&other, Role::Guest, "active"), (&left, Role::Member, "suspended")] {
        let join = "insert into memberships (org_id, account_id, role, status) values ($1, $2, $3, $4)";
        let join = sqlx::query(join).bind(place.id.0).bind(ada.id.0).bind(role.as_str()).bind(status);
        join.execute(&app.admin).await.unwrap();
    }
    let assign = async |place: &harness::Team, task: &str| {
        let assign = "insert into task_assignees (org_id, task_id, account_id) values ($1, $2::uuid, $3)";
        sqlx::query(assign).bind(place.id.0).bind(task).bind(ada.id.0).execute(&app.admin).await.unwrap();
    };
    let project = team.project("OPS", "open").await;
    let due = json!({ "date": "2031-03-01" });
    let new = |title: &str, who: &[&Actor]| {
        let who: Vec<_> = who.iter().map(|person| person.id).collect();
        json!({ "project": project, "title": title, "assignees": who, "due": due })
    };
    let id = |reply: Reply| reply.is(201).text_at("/id");
    let _ = id(team.owner.post("/tasks", new("hers", &[ada])).await);
    let _ = id(team.owner.post("/tasks", new("hers and another's", &[ada, &team.admin])).await);
    let _ = id(ada.post("/tasks", new("nobody's, made by her", &[])).await);
    let _ = id(ada.post("/tasks", new("made by her for another", &[&team.admin])).await);
    let _ = id(team.owner.post("/tasks", new("nobody's", &[])).await);
    let _ = id(ada.post("/tasks", json!({ "project": project, "title": "some day", "assignees": [ada.id] })).await);
    let done = id(ada.post("/tasks", new("done", &[ada])).await);
    let _ = ada.put(&format!("/tasks/{done}/completion"), json!(null)).await.is(200);
    let deleted = id(ada.post("/tasks", new("deleted", &[ada])).await);
    let _ = ada.delete(&format!("/tasks/{deleted}")).await.is(204);

    let path = link(ada).await;
    let hers = ["hers", "hers and another's", "nobody's, made by her"];
    assert_eq!(titles(&stranger, &path).await, hers);
    // In a project that she does not see, or that is closed; as if she had been assigned before.
    for (place, key, visibility, archived) in [
        (&team, "SEC", "private", false),
        (&team, "OLD", "open", true),
        (&other, "OPS", "open", false),
        (&left, "OPS", "open", false),
    ] {
        let project = place.project(key, visibility).await;
        let task = json!({ "project": project, "title": key, "due": due });
        assign(place, &id(place.owner.post("/tasks", task).await)).await;
        if archived {
            let _ = place.owner.put(&format!("/projects/{project}/archive"), json!(null)).await.is(200);
        }
    }
    assert_eq!(titles(&stranger, &path).await, hers);
    // A guest of the other one sees it by a grant.
    let project = other.owner.get("/projects").await.is(200).text_at("/data/0/id");
    let grant = format!("/projects/{project}/grants/{}", ada.id);
    let _ = other.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    assert_eq!(titles(&stranger, &path).await, [&hers[..], &["OPS"]].concat());
    let _ = other.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    let place = format!("/members/{}", ada.id);
    let _ = other.owner.delete(&place).await.is(204);
    assert_eq!(titles(&stranger, &path).await, hers, "from the next request on");
    let _ = team.owner.delete(&place).await.is(204);
    assert_eq!(titles(&stranger, &path).await, [] as [&str; 0]);
}

#[tokio::test]
async fn an_event_says_when_it_is_where_it_is_and_which_version_it_is() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let stranger = app.stranger();
    let new = json!({ "key": "OPS", "name": "Rent; water, power", "visibility": "open" });
    let project = team.owner.post("/projects", new).await.is(201).text_at("/id");
    let mut ids = Vec::new();
    for due in [
        json!({ "date": "2031-12-31" }),
        // Clocks skip this time.
        json!({ "local": "2032-03-28T02:30", "time_zone": "Europe/Berlin" }),
        json!({ "at": "2033-07-01T09:00:00+02:00" }),
    ] {
        let new = json!({ "project": project, "title": "Due", "assignees": [team.member.id], "due": due });
        ids.push(team.owner.post("/tasks", new).await.is(201).text_at("/id"));
    }
    let path = link(&team.member).await;
    let events = read(stranger.get(&path).await.is(200).text());
    assert_eq!(events.iter().map(|event| event["UID"].as_str()).collect::<Vec<_>>(), ids);
    assert_eq!((&*events[0]["DTSTART;VALUE=DATE"], &*events[0]["DTEND;VALUE=DATE"]), ("20311231", "20320101"));
    assert_eq!((&*events[1]["DTSTART"], &*events[2]["DTSTART"]), ("20320328T013000Z", "20330701T070000Z"));
    assert!(!events[1].contains_key("DTEND") && !events[1].contains_key("DURATION"));
    assert_eq!(events[0]["DESCRIPTION"], "OPS-1 · Rent; water, power · A Team");
    assert_eq!(events[1]["DESCRIPTION"], "OPS-2 · Rent; water, power · A Team\nDue 2032-03-28 02:30 (Europe/Berlin)");
    assert_eq!((&*events[0]["CATEGORIES"], &*events[0]["TRANSP"]), ("Rent; water, power", "TRANSPARENT"));
    assert_eq!(events[0]["URL"], format!("{HOME}/v1/orgs/{}/tasks/{}", team.slug, ids[0]));
    assert_eq!(events[0]["SEQUENCE"], "0");
    let _ = team.owner.patch(&format!("/tasks/{}", ids[0]), json!({ "due": { "date": "2031-12-30" } })).await.is(200);
    let moved = read(stranger.get(&path).await.is(200).text());
    assert_eq!((&moved[0]["UID"], &*moved[0]["SEQUENCE"]), (&ids[0], "1"));
    assert_eq!(moved[0]["DTSTART;VALUE=DATE"], "20311230");
    assert!(moved[0]["LAST-MODIFIED"] >= events[0]["LAST-MODIFIED"]);
}

#[tokio::test]
async fn whoever_has_a_calendar_already_is_told_so_until_it_changes() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let stranger = app.stranger();
    let project = team.project("OPS", "open").await;
    let path = link(&team.member).await;
    let empty = stranger.get(&path).await.is(200);
    assert_eq!(read(empty.text()), [] as [Event; 0]);
    let new =
        json!({ "project": project, "title": "New", "assignees": [team.member.id], "due": { "date": "2031-03-01" } });
    let _ = team.owner.post("/tasks", new).await.is(201);
    let tag = ("If-None-Match", empty.header("etag").unwrap());
    let full = ask(&stranger, Method::GET, &path, Some(tag)).await.is(200);
    assert_eq!(full.header("cache-control"), Some("private, max-age=300"));
    // A browser would keep it under the name of its address.
    assert_eq!(full.header("content-disposition"), Some("attachment; filename=\"taskbell.ics\""));
    let tag = full.header("etag").unwrap();
    let same = ask(&stranger, Method::GET, &path, Some(("If-None-Match", tag))).await.is(304);
    assert_eq!((same.text(), same.header("etag")), ("", Some(tag)));
    assert_eq!(same.header("cache-control"), Some("private, max-age=300"));
    let head = ask(&stranger, Method::HEAD, &path, None).await.is(200);
    assert_eq!((head.text(), head.header("etag")), ("", Some(tag)));
    // Whatever a program says it reads: it asked for a calendar.
    for accept in ["text/html", "application/json", "text/calendar;q=0.1", "*/*"] {
        let _ = ask(&stranger, Method::GET, &path, Some(("Accept", accept))).await.is(200);
    }
    ask(&stranger, Method::POST, &path, None).await.is_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn whatever_a_title_says_it_is_a_title() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let stranger = app.stranger();
    let project = team.project("OPS", "open").await;
    let long = "🔔é,".repeat(66);
    let hostile = [
        "a\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:b",
        "comma, semicolon; backslash \\ colon: \"quoted\"",
        "\\n is no new line, \\, no comma",
        " spaces around and a tab\t ",
        "\u{2028}\u{2029}\u{85}\u{feff}\u{202e}",
        &long,
    ];
    let mut ids = Vec::new();
    for title in hostile {
        let new =
            json!({ "project": project, "title": "x", "assignees": [team.member.id], "due": { "date": "2031-03-01" } });
        let id = team.owner.post("/tasks", new).await.is(201).text_at("/id");
        // Past the API, which refuses some of these.
        let set = "update tasks set title = $1 where id = $2::uuid";
        sqlx::query(set).bind(title).bind(&id).execute(&app.admin).await.unwrap();
        ids.push(id);
    }
    let path = link(&team.member).await;
    let text = stranger.get(&path).await.is(200).text().to_owned();
    let unfolded = text.replace("\r\n ", "");
    assert_eq!(unfolded.matches("\r\nBEGIN:VEVENT\r\n").count(), hostile.len(), "{text}");
    let summaries: Vec<&str> = unfolded.lines().filter_map(|line| line.strip_prefix("SUMMARY:")).collect();
    assert_eq!(
        summaries,
        [
            "a\\nEND:VEVENT\\nBEGIN:VEVENT\\nSUMMARY:b",
            "comma\\, semicolon\\; backslash \\\\ colon: \"quoted\"",
            "\\\\n is no new line\\, \\\\\\, no comma",
            " spaces around and a tab\t ",
            "\\n\\n\\n\u{feff}\u{202e}",
            &long.replace(',', "\\,"),
        ]
    );
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
}

#[tokio::test]
async fn of_too_many_tasks_those_are_shown_that_are_due_nearest_to_now() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    // 600 lie ahead and 600 are overdue, a day after the other.
    sqlx::query(
        "insert into tasks (org_id, id, project_id, number, title, due_at, created_by)
         select $1, gen_random_uuid(), $2::uuid, n, (case when n <= 600 then n else 600 - n end)::text,
                now() + (case when n <= 600 then n else 600 - n end) * interval '1 day', $3
         from generate_series(1, 1200) n",
    )
    .bind(team.id.0)
    .bind(&project)
    .bind(team.member.id.0)
    .execute(&app.admin)
    .await
    .unwrap();
    let path = link(&team.member).await;
    let days: Vec<i32> = titles(&app.stranger(), &path).await.iter().map(|day| day.parse().unwrap()).collect();
    assert_eq!(days, (-500..=500).filter(|day| *day != 0).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_guess_is_counted_like_any_request_of_an_address() {
    let app = TestApp::with_settings(&[("TASKBELL_RATE_ADDRESS", "5/5000")]).await;
    let stranger = app.stranger();
    for _ in 0..5 {
        let guess = format!("/calendars/{}A", &format!("{0}{0}", Uuid::now_v7().simple())[..42]);
        stranger.get(&guess).await.is_problem(404, "not_found");
    }
    stranger.get(&format!("/calendars/{}", "A".repeat(43))).await.is_problem(429, "rate_limited");
}
