//! Fewer mails, by their links and by one click of a mail program.

use harness::{Browser, Team, TestApp};
use reqwest::Method;
use serde_json::json;

use crate::{
    people::mailed_link,
    reminded::{Reminded, count, post, reminded, run},
};

#[tokio::test]
async fn one_click_of_a_mail_program_ends_the_reminders_of_the_organization_and_of_no_other() {
    let app = TestApp::start().await;
    let Reminded { team, project, token, .. } = reminded(&app, "Oil the gears").await;
    team.reminded_task(&project, "Still to come", 3600).await;
    // The same person elsewhere.
    let other = app.team().await;
    run(
        &app,
        &format!(
            "insert into memberships (org_id, account_id, role) values ('{}', '{}', 'member')",
            other.id, team.member.id
        ),
    )
    .await;
    let elsewhere = other.project("OPS", "open").await;
    let at = json!({ "project": elsewhere, "title": "Elsewhere", "reminders": [{ "when": { "at": "2199-01-01T00:00:00Z" }, "to": team.member.id }] });
    let _ = other.owner.post("/tasks", at).await.is(201);

    let mail = app.inbox.messages().remove(0);
    let header = mail.header("List-Unsubscribe").unwrap();
    assert_eq!(mail.header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
    let address = header.trim().trim_start_matches('<').trim_end_matches('>');
    assert_eq!(address, app.url(&format!("/links/mail/{token}/unsubscribe")).as_str());
    let form = "application/x-www-form-urlencoded";
    let parts = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    for (media, body) in [(form, "List-Unsubscribe=One-Click"), ("multipart/form-data; boundary=x", parts)] {
        let stranger = app.stranger();
        let path = format!("/links/mail/{token}/unsubscribe");
        let request = stranger.request(Method::POST, &path).header("Content-Type", media).body(body);
        let reply = stranger.send(request, media.to_owned()).await.is(200);
        assert!(reply.text().contains("No more reminders"), "{}", reply.text());
        assert_eq!(reply.header("location"), None);
    }
    assert_eq!(count(&app, "notification_settings where not reminders and version = 1").await, 1);
    let of = |team: &Team| format!("deliveries where org_id = '{}' and cancelled_at is null", team.id);
    assert_eq!(count(&app, &of(&other)).await, 1, "another organization is not meant");
    assert_eq!(count(&app, &of(&team)).await, 1, "what was sent was sent");
    assert_eq!(count(&app, "mails where state = 'cancelled' and reason = 'unsubscribed'").await, 1);
}

#[tokio::test]
async fn a_task_or_its_project_is_muted_by_the_link() {
    let app = TestApp::start().await;
    let Reminded { team, project, token, task } = reminded(&app, "Oil the gears").await;
    let more = json!({ "when": { "at": "2199-01-01T00:00:00Z" }, "to": team.member.id });
    let path = format!("/tasks/{}/reminders", task["id"].as_str().unwrap());
    let _ = team.owner.post(&path, more).await.is(201);
    team.reminded_task(&project, "Water the plants", 3600).await;
    for _ in 0..2 {
        let _ = post(&app, &token, "mute", &[("what", "task")]).await.is(200);
        assert_eq!(count(&app, "mails where state = 'cancelled' and reason = 'muted'").await, 1);
        assert_eq!(count(&app, "mails where state = 'scheduled'").await, 1);
    }
    for _ in 0..2 {
        let _ = post(&app, &token, "mute", &[("what", "project")]).await.is(200);
        assert_eq!(count(&app, "mails where state = 'cancelled' and reason = 'project muted'").await, 1);
        assert_eq!(count(&app, &format!("project_mutes where account_id = '{}'", team.member.id)).await, 1);
    }
}

#[tokio::test]
async fn whoever_has_enough_of_a_comments_mails_mutes_its_task() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let _ = team.owner.post("/tasks", json!({ "project": project, "title": "Oil the gears" })).await.is(201);
    let said = json!({ "body": format!("<@{}>, look", team.member.id) });
    let _ = team.owner.post("/tasks/OPS-1/comments", said.clone()).await.is(201);
    let worker = app.work();
    let page = mailed_link(&app, &team.member.email, "mail").await;
    let mut browser = Browser::start().await;
    assert_eq!(browser.open(&page).await, 200);
    assert!(!browser.has("form[action$='/done']").await && !browser.has("form[action$='/snooze']").await);
    let address = app.inbox.messages()[0].header("List-Unsubscribe").unwrap();
    let address = address.trim().trim_matches(['<', '>']).parse().unwrap();
    assert_eq!(browser.open(&address).await, 200);
    assert_eq!(browser.text("h1").await, "No more of these mails?");
    assert_eq!(browser.follow("button").await, 200);
    assert_eq!(browser.text("h1").await, "It is quiet now");
    let _ = team.owner.post("/tasks/OPS-1/comments", said).await.is(201);
    app.all_settled().await;
    assert_eq!(app.inbox.messages().len(), 1);
    worker.stop().await;
}
