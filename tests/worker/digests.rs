//! Somebody's day, from the hour that they have set to their inbox.

use common::digests;
use harness::{Actor, Team, TestApp};
use jiff::{SignedDuration, Span, Timestamp, civil::Date, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};

/// Half an hour off, and often another day than in UTC.
const ZONE: &str = "Pacific/Marquesas";

async fn arrange(app: &TestApp, statement: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&app.admin).await.unwrap();
}

/// The member lives in the zone of these tests, and wants a digest each day.
async fn subscribed(app: &TestApp) -> (Team, String) {
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let _ = team.member.patch("/v1/me", json!({ "time_zone": ZONE })).await.is(200);
    arrange(app, "delete from replans").await;
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let _ = team
        .member
        .patch("/notification-settings", json!({ "digest": { "hour": "07:30", "days": days } }))
        .await
        .is(200);
    (team, project)
}

/// The hour has come, so long ago.
async fn due(app: &TestApp, ago: &str) {
    arrange(app, &format!("update notification_settings set next_digest_at = now() - interval '{ago}'")).await;
}

/// What time it is in the database, and the day of the member.
async fn today(app: &TestApp) -> (Timestamp, Date) {
    let now: jiff_sqlx::Timestamp = sqlx::query_scalar("select now()").fetch_one(&app.admin).await.unwrap();
    let now = now.to_jiff();
    (now, now.to_zoned(TimeZone::get(ZONE).unwrap()).date())
}

async fn task(of: &Actor, project: &str, title: &str, due: Value, assignees: &[&Actor]) {
    let assignees: Vec<_> = assignees.iter().map(|person| person.id).collect();
    let new = json!({ "project": project, "title": title, "assignees": assignees, "due": due, "reminders": [] });
    let _ = of.post("/tasks", new).await.is(201);
}

/// The state of each digest, and why it was cancelled, the first that was owed first.
async fn owed(app: &TestApp) -> Vec<(String, Option<String>)> {
    sqlx::query_as(
        "select m.state, case m.state when 'cancelled' then m.reason end from deliveries d join mails m on m.id = d.mail_id
         where d.kind = 'digest' order by d.id",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap()
}

fn sent() -> (String, Option<String>) {
    ("sent".into(), None)
}

/// The titles below each headline of a digest.
fn parts(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut parts: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("- ") {
            parts.last_mut().unwrap().1.push(title);
        } else if let Some(headline) = line.strip_suffix(':') {
            parts.push((headline, Vec::new()));
        }
    }
    parts.retain(|(_, titles)| !titles.is_empty());
    for (_, titles) in &mut parts {
        titles.sort_unstable();
    }
    parts
}

#[tokio::test]
async fn a_digest_tells_what_is_overdue_today_and_this_week_once_a_day() {
    let app = TestApp::start().await;
    let (team, project) = subscribed(&app).await;
    let (now, day) = today(&app).await;
    let (me, owner) = (&team.member, &team.owner);
    let on = |days: i64| json!({ "date": day.checked_add(Span::new().days(days)).unwrap() });
    let at = |minutes: i64| json!({ "at": now.checked_add(SignedDuration::from_mins(minutes)).unwrap() });
    task(owner, &project, "Yesterday", on(-1), &[me]).await;
    task(owner, &project, "Just now", at(-1), &[me, owner]).await;
    task(owner, &project, "Today", on(0), &[me]).await;
    task(me, &project, "My own", on(0), &[]).await;
    task(owner, &project, "On the seventh day", on(7), &[me]).await;
    task(me, &project, "Within a week", at(6 * 24 * 60), &[]).await;
    // None of these is theirs to be told of.
    task(owner, &project, "On the eighth day", on(8), &[me]).await;
    task(owner, &project, "Somebody's", on(0), &[owner]).await;
    task(owner, &project, "Nobody's", on(0), &[]).await;
    task(me, &project, "Given away", on(0), &[owner]).await;
    for title in ["Done", "Deleted", "Muted"] {
        task(owner, &project, title, on(0), &[me]).await;
    }
    arrange(
        &app,
        "update tasks set status = 'completed', completed_at = now(), completed_by = created_by where title = 'Done';
         update tasks set deleted_at = now(), deleted_by = created_by where title = 'Deleted';
         insert into task_watches (org_id, task_id, account_id, state)
         select s.org_id, s.task_id, s.account_id, 'muted' from tasks t join task_assignees s on s.task_id = t.id where t.title = 'Muted'
         on conflict (org_id, task_id, account_id) do update set state = 'muted'",
    )
    .await;
    for (key, arrangement) in [
        ("PRI", "update projects set visibility = 'private' where key = 'PRI'"),
        ("OLD", "update projects set archived_at = now() where key = 'OLD'"),
        (
            "MUT",
            "insert into project_mutes (org_id, project_id, account_id)
             select p.org_id, p.id, m.account_id from projects p join notification_settings m on m.org_id = p.org_id where p.key = 'MUT'",
        ),
    ] {
        let elsewhere = team.project(key, "open").await;
        task(owner, &elsewhere, key, on(0), &[me]).await;
        arrange(&app, arrangement).await;
    }
    due(&app, "1 minute").await;
    let worker = app.work();
    let mail = app.mail_to(&me.email).await;
    assert_eq!(app.all_settled().await, ["sent"]);
    let text = mail.text().unwrap();
    let expected = [
        ("Overdue", vec!["Just now", "Yesterday"]),
        ("Due today", vec!["My own", "Today"]),
        ("Due in the next seven days", vec!["On the seventh day", "Within a week"]),
    ];
    assert_eq!(parts(&text), expected, "{text}");
    assert!(mail.subject().ends_with("2 overdue, 2 due today, 2 due within a week"), "{}", mail.subject());
    let next: bool = sqlx::query_scalar(
        "select next_digest_at between now() and now() + interval '1 day' from notification_settings",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    assert!(next);
    // It is due again on the same day, whyever: there is no second one.
    due(&app, "0").await;
    harness::eventually("its turn has come", async || {
        let waits: i64 = sqlx::query_scalar("select count(*) from notification_settings where next_digest_at <= now()")
            .fetch_one(&app.admin)
            .await
            .unwrap();
        (waits == 0).then_some(())
    })
    .await;
    worker.stop().await;
    assert_eq!(owed(&app).await, [sent()]);
}

#[tokio::test]
async fn a_day_with_nothing_to_tell_makes_no_mail() {
    let app = TestApp::start().await;
    let (team, project) = subscribed(&app).await;
    let (_, day) = today(&app).await;
    let later = day.checked_add(Span::new().days(30)).unwrap();
    task(&team.owner, &project, "Next month", json!({ "date": later }), &[&team.member]).await;
    due(&app, "1 minute").await;
    let (db, _) = app.worker_db().await;
    assert_eq!(digests::owe_due(&db, 10).await.unwrap(), 1);
    let worker = app.work();
    assert_eq!(app.all_settled().await, ["cancelled"]);
    worker.stop().await;
    assert_eq!(owed(&app).await, [("cancelled".into(), Some("nothing to tell".into()))]);
    assert!(app.inbox.messages().is_empty());
}

#[tokio::test]
async fn a_reminder_that_came_to_nothing_is_told_in_one_digest() {
    let app = TestApp::start().await;
    let (team, project) = subscribed(&app).await;
    let (db, _) = app.worker_db().await;
    let _ = team.reminded_task(&project, "Oil the gears", 40 * 24 * 3600).await;
    arrange(&app, "update mails set state = 'expired' where kind = 'reminder'").await;
    due(&app, "1 minute").await;
    assert_eq!(digests::owe_due(&db, 10).await.unwrap(), 1);
    let worker = app.work();
    let mail = app.mail_to(&team.member.email).await;
    assert_eq!(app.all_settled().await, ["expired", "sent"]);
    let text = mail.text().unwrap();
    assert_eq!(parts(&text).last().unwrap().1, ["Oil the gears"], "{text}");
    assert!(text.contains("OPS-1, was to be sent at "), "{text}");
    // A day later there is nothing new.
    arrange(&app, "update deliveries set digest_on = digest_on - 1 where kind = 'digest'").await;
    due(&app, "1 minute").await;
    assert_eq!(
        harness::eventually("the next digest is owed", async || {
            let owed = owed(&app).await;
            (owed.len() == 2).then_some(owed[0].clone())
        })
        .await,
        sent()
    );
    app.all_settled().await;
    worker.stop().await;
    assert_eq!(owed(&app).await, [sent(), ("cancelled".into(), Some("nothing to tell".into()))]);
}

#[tokio::test]
async fn any_number_of_workers_owe_one_digest() {
    let app = TestApp::start().await;
    let (_, _) = subscribed(&app).await;
    due(&app, "1 minute").await;
    let (first, _) = app.worker_db().await;
    let (second, _) = app.worker_db().await;
    let (one, two, three, four) = tokio::join!(
        digests::owe_due(&first, 10),
        digests::owe_due(&second, 10),
        digests::owe_due(&first, 10),
        digests::owe_due(&second, 10)
    );
    let taken = one.unwrap() + two.unwrap() + three.unwrap() + four.unwrap();
    assert!(taken <= 1, "{taken}");
    // Whoever met another one may have left it to them, and they to the next.
    let rest = digests::owe_due(&first, 10).await.unwrap();
    assert_eq!((taken + rest, owed(&app).await.len()), (1, 1));
}

#[tokio::test]
async fn after_days_of_silence_there_is_one_digest_and_it_says_that_it_is_late() {
    let app = TestApp::start().await;
    let (team, project) = subscribed(&app).await;
    let (_, day) = today(&app).await;
    task(&team.owner, &project, "Oil the gears", json!({ "date": day }), &[&team.member]).await;
    due(&app, "50 hours").await;
    let worker = app.work();
    let mail = app.mail_to(&team.member.email).await;
    assert_eq!(app.all_settled().await, ["sent"]);
    worker.stop().await;
    assert!(mail.subject().contains("1 due today (delayed, was "), "{}", mail.subject());
    let (db, _) = app.worker_db().await;
    assert_eq!((digests::owe_due(&db, 10).await.unwrap(), owed(&app).await), (0, vec![sent()]));
}

#[tokio::test]
async fn one_click_on_a_digest_ends_the_digests_of_the_organization() {
    let app = TestApp::start().await;
    let (team, project) = subscribed(&app).await;
    let (_, day) = today(&app).await;
    task(&team.owner, &project, "Oil the gears", json!({ "date": day }), &[&team.member]).await;
    due(&app, "1 minute").await;
    let worker = app.work();
    let mail = app.mail_to(&team.member.email).await;
    worker.stop().await;
    let text = mail.text().unwrap();
    let link = text.lines().find(|line| line.ends_with("/unsubscribe")).unwrap();
    let path = link.split_once("/links/").map(|(_, rest)| format!("/links/{rest}")).unwrap();
    assert!(app.stranger().get(&path).await.is(200).text().contains("no more digests of"));
    // Another one is owed, and in a worker's hands that read the settings before.
    arrange(&app, "update deliveries set digest_on = digest_on - 1 where kind = 'digest'").await;
    due(&app, "1 minute").await;
    let (db, _) = app.worker_db().await;
    assert_eq!(digests::owe_due(&db, 10).await.unwrap(), 1);
    let stranger = app.stranger();
    let click = stranger
        .request(Method::POST, &path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("List-Unsubscribe=One-Click");
    let _ = stranger.send(click, "one click".to_owned()).await.is(200);
    let settings = team.member.get("/notification-settings").await.is(200).json();
    assert_eq!(settings["digest"], json!(null));
    assert_eq!(owed(&app).await, [sent(), ("cancelled".into(), Some("unsubscribed".into()))]);
    assert_eq!(digests::owe_due(&db, 10).await.unwrap(), 0);
}

#[tokio::test]
async fn a_digest_waits_for_its_readers_clock_and_is_not_for_who_is_no_active_member() {
    let app = TestApp::start().await;
    let (team, project) = subscribed(&app).await;
    let (db, _) = app.worker_db().await;
    let (_, day) = today(&app).await;
    task(&team.owner, &project, "Oil the gears", json!({ "date": day }), &[&team.member]).await;
    // Due already, and then another zone: it is late, not lost.
    due(&app, "1 minute").await;
    let _ = team.member.patch("/v1/me", json!({ "time_zone": "Pacific/Gambier" })).await.is(200);
    assert_eq!(common::reminders::replan_asked(&db, 10).await.unwrap(), 1);
    assert_eq!(digests::owe_due(&db, 10).await.unwrap(), 1);
    // Another change of clocks before it goes out: it waits until that is done.
    let asked = "insert into replans (org_id, account_id) select org_id, account_id from notification_settings
                 on conflict on constraint replans_pkey do update set asked_at = now()";
    arrange(&app, asked).await;
    let id =
        sqlx::query_scalar("select mail_id from deliveries where kind = 'digest'").fetch_one(&app.admin).await.unwrap();
    let claim = common::mails::claim(&db, common::ids::MailId(id), "hand").await.unwrap().unwrap();
    let scope = db.for_job(claim.org, claim.account).await.unwrap();
    let said = common::mails::content(scope, &claim).await.unwrap();
    assert_eq!(said, Err(common::mails::Unsaid::NotNow("the recipient's reminders are being planned anew")));
    for (state, back) in [
        (
            "update memberships set status = 'suspended' where role = 'member'",
            "update memberships set status = 'active'",
        ),
        (
            "update organizations set deletion_due_at = now() + interval '1 day'",
            "update organizations set deletion_due_at = null",
        ),
    ] {
        arrange(&app, "update deliveries set digest_on = digest_on - 1 where kind = 'digest'").await;
        due(&app, "1 minute").await;
        arrange(&app, state).await;
        assert_eq!(digests::owe_due(&db, 10).await.unwrap(), 1);
        assert_eq!((owed(&app).await.len(), digests::owe_due(&db, 10).await.unwrap()), (1, 0), "{state}");
        arrange(&app, back).await;
    }
}

#[tokio::test]
async fn whoever_cannot_be_told_stops_nobody_else() {
    let app = TestApp::start().await;
    let ((first, _), _) = (subscribed(&app).await, subscribed(&app).await);
    let poison = first.member.id;
    arrange(
        &app,
        &format!(
            "create function refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end';
             create trigger refuse before insert on deliveries for each row when (new.account_id = '{poison}') execute function refuse();
             update notification_settings set next_digest_at = now() - case account_id when '{poison}' then interval '2 minutes'
                                                                                       else interval '1 minute' end"
        ),
    )
    .await;
    let (db, _) = app.worker_db().await;
    assert!(digests::owe_due(&db, 1).await.is_err());
    assert_eq!(digests::owe_due(&db, 1).await.unwrap(), 1, "the next one has their turn");
    // They are not given up.
    assert!(digests::owe_due(&db, 1).await.is_err());
    arrange(&app, "drop trigger refuse on deliveries").await;
    assert_eq!(digests::owe_due(&db, 1).await.unwrap(), 1);
    assert_eq!(owed(&app).await.len(), 2);
}
