//! The page of a reminder: what it shows, done, and later.

use common::secrets::Token;
use harness::{Browser, Team, TestApp, Window};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    people::{assert_unchanged, everything, link, mailed_link},
    reminded::{Reminded, count, post, reminded, run, token_of},
    standards,
};

async fn status(team: &Team, task: &Value) -> Value {
    team.owner.get(&format!("/tasks/{}", task["id"].as_str().unwrap())).await.is(200).json()["status"].take()
}

#[tokio::test]
async fn a_task_is_completed_on_a_phone_without_scripts_by_the_link_in_its_reminder() {
    let app = TestApp::start().await;
    let Reminded { team, task, .. } = reminded(&app, "Oil the gears").await;
    let mut browser = Browser::start().await;
    browser.resize(Window::PHONE).await;
    browser.forbid_scripts().await;
    assert_eq!(browser.open(&mailed_link(&app, &team.member.email, "mail").await).await, 200);
    let page = browser.text("main").await;
    for fact in ["Oil the gears", "OPS-1", "A project", "A Team", &team.member.email] {
        assert!(page.contains(fact), "{fact}: {page}");
    }
    assert_eq!(status(&team, &task).await, "open");
    assert_eq!(browser.follow("form[action$='/done'] button").await, 200);
    assert_eq!(browser.text("h1").await, "Done");
    assert_eq!(status(&team, &task).await, "completed");
    let by: Uuid = sqlx::query_scalar("select actor_id from task_events where action = 'completed'")
        .fetch_one(&app.admin)
        .await
        .unwrap();
    assert_eq!(by, team.member.id.0);
    assert_eq!(browser.follow("a.button").await, 200);
    assert!(browser.text("dl").await.contains("Done") && !browser.has("form[action$='/done']").await);
}

#[tokio::test]
async fn a_keyboard_is_enough_for_every_deed() {
    let app = TestApp::start().await;
    let Reminded { team, token, .. } = reminded(&app, "Oil the gears").await;
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "mail", &token)).await;
    let stops = standards::walk(&mut browser).await;
    let names: Vec<&str> = stops.iter().map(|stop| stop.split(['\'', '\n']).nth(1).unwrap().trim()).collect();
    assert_eq!(names[0], "Done");
    assert!(names[1].starts_with("In an hour") || names[1].starts_with("This evening"), "{names:?}");
    let quiet = ["No mail about this task", "No mail about A project", "No reminders at all from A Team"];
    assert_eq!(names[names.len() - 3..], quiet);
    browser.open(&link(&app, "mail", &token)).await;
    browser.tab().await;
    assert_eq!(browser.enter().await, 200);
    assert_eq!(browser.text("h1").await, "Done");
    drop(team);
}

#[tokio::test]
async fn looking_changes_nothing_and_only_a_button_acts() {
    let app = TestApp::start().await;
    let Reminded { token, .. } = reminded(&app, "Oil the gears").await;
    let path = format!("/links/mail/{token}");
    let before = everything(&app).await;
    let scanner = app.stranger();
    for page in [path.clone(), format!("{path}/unsubscribe")] {
        for (method, header) in [
            (Method::GET, ("Accept", "text/html")),
            (Method::GET, ("Sec-Purpose", "prefetch;prerender")),
            (Method::GET, ("X-HTTP-Method-Override", "POST")),
            (Method::GET, ("List-Unsubscribe", "One-Click")),
            (Method::HEAD, ("Accept", "*/*")),
        ] {
            let request = scanner.request(method.clone(), &page).header(header.0, header.1);
            let _ = scanner.send(request, format!("{method} {header:?}")).await.is(200);
        }
        let _ = scanner.get(&format!("{page}?_method=POST&List-Unsubscribe=One-Click")).await.is(200);
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let _ = scanner.send(scanner.request(method.clone(), &page), method.to_string()).await.is(405);
        }
    }
    for deed in ["done", "snooze", "mute"] {
        let _ = scanner.get(&format!("{path}/{deed}")).await.is(405);
    }
    for (deed, fields) in [
        ("snooze", &[][..]),
        ("snooze", &[("until", "soon")]),
        ("snooze", &[("until", "2001-01-01T00:00:00Z")]),
        ("snooze", &[("until", "2999-01-01T00:00:00Z")]),
        ("mute", &[]),
        ("mute", &[("what", "everything")]),
    ] {
        let _ = post(&app, &token, deed, fields).await.is(422);
    }
    assert_unchanged(&app, &before).await;
}

#[tokio::test]
async fn a_reminder_comes_once_more_when_its_reader_says_and_once_however_often_they_say_it() {
    let app = TestApp::start().await;
    let Reminded { team, token, .. } = reminded(&app, "Oil the gears").await;
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "mail", &token)).await;
    let until = browser.attribute("button[name=until]", "value").await.unwrap();
    assert_eq!(browser.follow("button[name=until]").await, 200);
    assert_eq!(browser.text("h1").await, "You will be reminded again");
    let _ = post(&app, &token, "snooze", &[("until", &until)]).await.is(200);
    let waiting: Vec<(String, Uuid)> = sqlx::query_as(
        r#"select to_char(m.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), m.account_id
           from mails m join deliveries d on d.mail_id = m.id where m.state = 'scheduled' and d.cancelled_at is null"#,
    )
    .fetch_all(&app.admin)
    .await
    .unwrap();
    assert_eq!(waiting, [(until, team.member.id.0)]);
}

#[tokio::test]
async fn what_is_put_off_into_quiet_hours_is_promised_for_their_end() {
    let app = TestApp::start().await;
    let Reminded { team, token, .. } = reminded(&app, "Oil the gears").await;
    // Quiet from one minute after seven till seven, every day: whatever is asked for comes at seven.
    let quiet = json!({ "quiet_hours": { "from": "07:01", "until": "07:00" } });
    let _ = team.member.patch("/notification-settings", quiet).await.is(200);
    let until: String = sqlx::query_scalar(
        r#"select to_char((date_trunc('day', now() at time zone 'UTC') + interval '2 days 20 hours'), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#,
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    let page = post(&app, &token, "snooze", &[("until", &until)]).await.is(200).text().to_owned();
    let planned: String = sqlx::query_scalar(
        "select to_char(d.due_at at time zone 'Europe/Berlin', 'HH24:MI') from deliveries d join mails m on m.id = d.mail_id
         where m.state = 'scheduled' and d.cancelled_at is null",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert_eq!(planned, "07:00");
    assert!(page.contains("07:00") && !page.contains("21:00") && !page.contains("22:00"), "{page}");
}

#[tokio::test]
async fn a_task_that_comes_round_is_completed_once_however_often_it_is_asked_for() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let mut task = team.reminded_task(&project, "Oil the gears", 1).await;
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    let worker = app.work();
    let first = token_of(&app, &task);
    assert_eq!(app.all_settled().await, ["sent"]);
    // What was no task that comes round when the mail was written is one now: the mail tells the first time of it.
    let change = json!({ "due": { "date": "2031-05-01" }, "recurrence": { "rule": "FREQ=DAILY", "from": "schedule" } });
    task = team.owner.patch(&path, change).await.is(200).json();
    assert_eq!(task["occurrence"], 1);
    let done = post(&app, &first, "done", &[]).await.is(200);
    assert!(done.text().contains("due again 2031-05-02"), "{}", done.text());
    for deed in [("done", &[][..]), ("snooze", &[("until", "2999-01-01T00:00:00Z")])] {
        let again = post(&app, &first, deed.0, deed.1).await.is(200);
        assert!(again.text().contains("It is done already"), "{}", again.text());
    }
    let now = team.owner.get(&path).await.is(200).json();
    assert_eq!(
        (&now["occurrence"], &now["due"]["date"], &now["status"]),
        (&json!(2), &json!("2031-05-02"), &json!("open"))
    );
    let page = app.stranger().get(&format!("/links/mail/{first}")).await.is(200).text().to_owned();
    assert!(page.contains("come round since") && !page.contains("/done\""), "{page}");
    worker.stop().await;
}

#[tokio::test]
async fn two_who_press_at_the_same_moment_complete_one_time_of_a_task() {
    let app = TestApp::start().await;
    let Reminded { team, task, token, .. } = reminded(&app, "Oil the gears").await;
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    let change = json!({ "due": { "date": "2031-05-01" }, "recurrence": { "rule": "FREQ=DAILY", "from": "schedule" } });
    let _ = team.owner.patch(&path, change).await.is(200);
    let presses = (0..6).map(|_| post(&app, &token, "done", &[]));
    for reply in futures::future::join_all(presses).await {
        let _ = reply.is(200);
    }
    assert_eq!(team.owner.get(&path).await.is(200).json()["occurrence"], 2);
}

#[tokio::test]
async fn what_is_not_possible_any_more_is_said() {
    let app = TestApp::start().await;
    let Reminded { team, project, token, .. } = reminded(&app, "Oil the gears").await;
    let page = async || app.stranger().get(&format!("/links/mail/{token}")).await;
    let done = async || post(&app, &token, "done", &[]).await;

    // Somebody else's: the reader sees the project as a guest.
    run(&app, "update memberships set role = 'guest' where role = 'member'; delete from task_assignees").await;
    assert!(page().await.is(200).text().contains("You cannot see this task any more"));
    assert!(done().await.is(404).text().contains("You cannot see this task any more"));
    let grant = format!(
        "insert into project_grants (org_id, project_id, account_id, role) values ('{}', '{project}', '{}', 'viewer')",
        team.id, team.member.id
    );
    run(&app, &grant).await;
    assert!(page().await.is(200).text().contains("not yours to complete"));
    assert!(done().await.is(403).text().contains("not yours to complete"));
    assert_eq!(count(&app, "tasks where completed_at is null").await, 1);

    run(&app, "update projects set archived_at = now()").await;
    assert!(page().await.is(200).text().contains("archived"));
    assert!(done().await.is(409).text().contains("archived"));
    run(&app, "update projects set archived_at = null; update tasks set status = 'completed', completed_at = now(), completed_by = created_by").await;
    assert!(page().await.is(200).text().contains("<dd>Done</dd>"));
    assert!(done().await.is(200).text().contains("It is done already"));
    let later = post(&app, &token, "snooze", &[("until", "2999-01-01T00:00:00Z")]).await.is(200);
    assert!(later.text().contains("It is done already"));
    run(&app, "update tasks set deleted_at = now(), deleted_by = created_by").await;
    assert!(page().await.is(200).text().contains("You cannot see this task any more"));
    // Enough of the organization one can have all the same.
    let _ = post(&app, &token, "unsubscribe", &[]).await.is(200);
    assert_eq!(count(&app, "notification_settings where not reminders").await, 1);
}

#[tokio::test]
async fn a_link_is_good_for_thirty_days_and_for_members_and_says_nothing_to_others() {
    let app = TestApp::start().await;
    let Reminded { token, .. } = reminded(&app, "Oil the gears").await;
    let stranger = app.stranger();
    let refused = async |token: &str| {
        let mut pages = Vec::new();
        let path = format!("/links/mail/{token}");
        for path in [path.clone(), format!("{path}/unsubscribe")] {
            pages.push(stranger.get(&path).await.is(404).text().to_owned());
        }
        for deed in ["done", "snooze", "mute", "unsubscribe"] {
            let fields = [("until", "2999-01-01T00:00:00Z"), ("what", "task")];
            let fields = match deed {
                "snooze" => &fields[..1],
                "mute" => &fields[1..],
                _ => &[],
            };
            pages.push(post(&app, token, deed, fields).await.is(404).text().to_owned());
        }
        pages
    };
    let mut pages = Vec::new();
    for token in [&Token::random().unwrap().reveal(), "not-a-token", "%00"] {
        pages.extend(refused(token).await);
    }
    for (statement, back) in [
        (
            "update deliveries set due_at = due_at - interval '30 days'",
            "update deliveries set due_at = due_at + interval '30 days'",
        ),
        (
            "update memberships set status = 'suspended' where role = 'member'",
            "update memberships set status = 'active'",
        ),
        (
            "update organizations set deletion_due_at = now() + interval '1 day'",
            "update organizations set deletion_due_at = null",
        ),
    ] {
        run(&app, statement).await;
        pages.extend(refused(&token).await);
        run(&app, back).await;
        let _ = stranger.get(&format!("/links/mail/{token}")).await.is(200);
    }
    // The token of a delivery is none of another kind.
    let _ = stranger.get(&format!("/links/verify/{token}")).await.is(404);
    assert!(pages.iter().all(|page| *page == pages[0] && page.contains("<h1>This link does not work</h1>")));
}

#[tokio::test]
async fn the_pages_of_a_mail_keep_the_standards_whatever_the_words_are() {
    let app = TestApp::start().await;
    let hostile = format!("{}<script>document.title='obeyed'</script> שלום {}", "W".repeat(90), "long ".repeat(10));
    let Reminded { team, token, task, .. } = reminded(&app, hostile.trim()).await;
    run(
        &app,
        &format!(
            "update projects set name = '{}'; update organizations set name = '{}'",
            "P".repeat(120),
            "O".repeat(120)
        ),
    )
    .await;
    let mut browser = Browser::start().await;
    browser.open(&link(&app, "mail", &token)).await;
    standards::hold(&mut browser, "mail-long").await;
    assert!(browser.text("h1").await.contains("<script>") && !browser.has("script").await);
    let short = "update projects set name = 'Operations'; update organizations set name = 'Analytical Engines';
                 update tasks set title = 'Oil the gears'; update accounts set email = 'ada@example.org' where name = 'member'";
    run(&app, short).await;
    let page = link(&app, "mail", &token);
    browser.open(&page).await;
    standards::hold(&mut browser, "mail").await;
    browser.open(&link(&app, "mail", &format!("{token}/unsubscribe"))).await;
    standards::hold(&mut browser, "mail-unsubscribe").await;
    browser.open(&page).await;
    browser.follow("button[name=until]").await;
    standards::hold(&mut browser, "mail-snoozed").await;
    browser.open(&page).await;
    browser.follow("button[value=task]").await;
    standards::hold(&mut browser, "mail-muted").await;
    browser.open(&page).await;
    standards::hold(&mut browser, "mail-quiet").await;
    browser.follow("form[action$='/done'] button").await;
    standards::hold(&mut browser, "mail-done").await;
    browser.open(&page).await;
    standards::hold(&mut browser, "mail-completed").await;
    let _ = team.owner.delete(&format!("/tasks/{}", task["id"].as_str().unwrap())).await.is(204);
    browser.open(&page).await;
    standards::hold(&mut browser, "mail-unseen").await;
    assert_eq!(browser.open(&link(&app, "mail", "nothing")).await, 404);
    standards::hold(&mut browser, "mail-gone").await;
}
