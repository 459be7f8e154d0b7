//! Every mail, as a program shows it that shows HTML: one that understands style sheets, and one that throws them away.

use harness::{Browser, TestApp, Window};
use local::Message;
use serde_json::json;
use url::Url;

use crate::{
    people::{PASSWORD, invite, sign_up, signed_in, with_account},
    reminded::run,
    standards::assert_contrast,
};

/// What a browser shows when it is given a text itself.
fn page(html: &str) -> Url {
    let mut page = Url::parse("data:text/html;charset=utf-8,").unwrap();
    page.set_path(&format!("text/html;charset=utf-8,{}", html.replace('%', "%25").replace('#', "%23")));
    page
}

fn without_style_sheet(html: &str) -> String {
    let (before, rest) = html.split_once("<style>").unwrap();
    format!("{before}{}", rest.split_once("</style>").unwrap().1)
}

/// Looks at a mail, and keeps pictures.
async fn look(browser: &mut Browser, name: &str, html: &str) {
    for (html, how) in [(html.to_owned(), ""), (without_style_sheet(html), "-bare")] {
        browser.open(&page(&html)).await;
        for (window, size) in [(Window::NARROW, "narrow"), (Window::PHONE, "phone"), (Window::DESKTOP, "desktop")] {
            browser.resize(window).await;
            for (dark, scheme) in [(true, "dark"), (false, "light")] {
                browser.prefer_dark(dark).await;
                let place = format!("inbox-{name}{how}-{size}-{scheme}");
                assert!(browser.overhang().await <= 0, "{place} must be scrolled sideways");
                assert_contrast(&place, &browser.texts().await, 4.5);
                browser.picture(&place).await;
            }
        }
        let links = browser.evaluate("[...document.querySelectorAll('a')].length").await;
        let buttons = browser
            .evaluate("[...document.querySelectorAll('a.button')].map(e => e.getBoundingClientRect().height)")
            .await;
        let heights: Vec<f64> = serde_json::from_value(buttons).unwrap();
        assert!(heights.iter().all(|height| *height >= 44.0), "{name}: {heights:?} is hard to hit");
        let quiet = browser.evaluate("[...document.querySelectorAll('a.quiet')].length").await;
        assert_eq!(heights.is_empty(), links == quiet, "{name}: what is to be followed has a button");
    }
    assert!(!html.contains("<img") && !html.contains("url(") && !html.contains("<script"), "{name} loads something");
}

/// One mail of each kind, each by the way that leads to it; with a name for its picture.
async fn every_mail(app: &TestApp) -> Vec<(&'static str, String)> {
    let worker = app.work();
    let mut mails = Vec::new();
    let mut take = async |name: &'static str, subject: &str| {
        let subject = subject.to_owned();
        let wanted = move |mail: &Message| mail.subject().contains(&subject);
        let mail = app.inbox.wait_for(wanted, harness::PATIENCE).await.expect(name);
        mails.push((name, mail.html().unwrap()));
    };
    sign_up(app, "new@example.org", "New").await;
    take("verification", "Confirm your e-mail").await;
    with_account(app, "ada@example.org", "Ada").await;
    sign_up(app, "ada@example.org", "Ada").await;
    take("already-registered", "already have").await;
    let ada = signed_in(app, "ada@example.org", PASSWORD).await.unwrap();
    let _ = app.stranger().post("/v1/password-resets", json!({ "email": "ada@example.org" })).await.is(202);
    take("reset", "Set a new password").await;
    let _ = ada.post("/v1/me/email", json!({ "email": "lovelace@example.net", "password": PASSWORD })).await.is(202);
    take("email-old", "Shall your account").await;
    take("email-new", "Confirm your new").await;
    let change = json!({ "password": PASSWORD, "new_password": "another good password" });
    let _ = ada.put("/v1/me/password", change).await.is(204);
    take("notice", "password was changed").await;

    let team = app.team().await;
    invite(app, &team.owner, "zoe@example.org", "member").await;
    take("invitation", "invites you").await;
    let names = "update organizations set name = 'Analytical Engines'; update accounts set name = 'Ada Lovelace' where name = 'member'";
    run(app, names).await;
    let project = team.project("OPS", "open").await;
    run(app, "update projects set name = 'Operations'").await;
    team.reminded_task(&project, "Oil the gears before the Countess comes", 1).await;
    take("reminder", "Oil the gears").await;
    let said =
        json!({ "body": format!("<@{}>, look at the third gear:\n\n    torque = 12\n\nIt squeaks.", team.member.id) });
    let _ = team.owner.post("/tasks/OPS-1/comments", said).await.is(201);
    take("comment", "Re: Oil the gears").await;
    worker.stop().await;

    // Many at once, which the first one carries.
    for title in ["Water the plants", "Wind the clock", &format!("W{}", "ide".repeat(60))] {
        team.reminded_task(&project, title, 3600).await;
    }
    run(
        app,
        "with waiting as (select d.id, d.mail_id from deliveries d join mails m on m.id = d.mail_id
                          where m.state = 'scheduled' and d.kind = 'reminder'),
              carrier as (select mail_id from waiting order by id limit 1),
              moved as (update deliveries d set mail_id = c.mail_id, due_at = now() - interval '20 minutes' from carrier c, waiting w
                        where d.id = w.id),
              folded as (update mails m set state = 'cancelled', reason = 'folded' from carrier c, waiting w
                         where m.id = w.mail_id and m.id <> c.mail_id)
         update mails m set next_at = now(), due_at = now() from carrier c where m.id = c.mail_id",
    )
    .await;
    let worker = app.work();
    take("reminders", "3 tasks").await;
    worker.stop().await;

    let due = json!({ "project": project, "title": "Feed the cat", "assignees": [team.member.id], "due": { "date": "2026-01-01" } });
    let _ = team.owner.post("/tasks", due).await.is(201);
    let every = json!({ "digest": { "hour": "07:30", "days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] } });
    let _ = team.member.patch("/notification-settings", every).await.is(200);
    let too_late = "update mails set state = 'expired' where state = 'scheduled';
                    update notification_settings set next_digest_at = now() - interval '1 hour'";
    let _ = team.reminded_task(&project, "Call the mill", 3600).await;
    run(app, too_late).await;
    let worker = app.work();
    take("digest", "overdue, ").await;
    worker.stop().await;
    mails
}

#[tokio::test]
async fn every_mail_reads_well_on_a_phone_and_in_the_dark_and_without_its_style_sheet() {
    let app = TestApp::start().await;
    let mut browser = Browser::start().await;
    browser.forbid_scripts().await;
    for (name, html) in every_mail(&app).await {
        look(&mut browser, name, &html).await;
    }
}
