//! What follows from how mails end: addresses that refuse them are flagged, and what was noted is forgotten in the end.

use common::{
    db::Db,
    ids::MailId,
    mails::{self, Attempt, Outcome, Phase},
};
use harness::{Team, TestApp};
use serde_json::Value;
use uuid::Uuid;

use crate::last_moment::{in_hand, is_marked};

/// A mail to the member, and how it ends.
async fn ends(app: &TestApp, db: &Db, team: &Team, outcome: Outcome, phase: Phase) {
    let id: Uuid = sqlx::query_scalar(
        "insert into mails (id, org_id, account_id, kind, due_at, next_at, expires_at)
         values (gen_random_uuid(), $1, $2, 'reminder', now(), now(), now() + interval '1 hour') returning id",
    )
    .bind(team.id.0)
    .bind(team.member.id.0)
    .fetch_one(&app.admin)
    .await
    .unwrap();
    let claim = mails::claim(db, MailId(id), "hand").await.unwrap().unwrap();
    if phase == Phase::Done {
        let sending = "update mails set state = 'sending' where id = $1";
        sqlx::query(sending).bind(id).execute(&app.admin).await.unwrap();
    }
    let attempt = Attempt { worker: "hand", phase, reply: None };
    assert!(mails::finish(db, &claim, &outcome, &attempt).await.unwrap());
}

async fn flagged(team: &Team) -> [bool; 3] {
    let me = team.member.get("/v1/me").await.is(200).json();
    let seen_by = async |actor: &harness::Actor| {
        let members = actor.get("/members").await.is(200).json();
        let of = |member: &&Value| member["account_id"] == team.member.id.to_string();
        members["data"].as_array().unwrap().iter().find(of).unwrap()["mail_refused_at"].is_string()
    };
    [me["mail_refused_at"].is_string(), seen_by(&team.admin).await, seen_by(&team.guest).await]
}

#[tokio::test]
async fn an_address_that_refuses_five_mails_in_a_row_is_flagged_until_it_takes_one() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (db, _) = app.worker_db().await;
    // The guest sees who is in a project with them.
    let project = team.project("OPS", "open").await;
    for actor in [&team.member, &team.guest] {
        let grant = serde_json::json!({ "role": "viewer" });
        let _ = team.owner.put(&format!("/projects/{project}/grants/{}", actor.id), grant).await;
    }
    let refused = async |times: usize| {
        for _ in 0..times {
            ends(&app, &db, &team, Outcome::Dead, Phase::Envelope).await;
        }
    };
    refused(4).await;
    ends(&app, &db, &team, Outcome::Sent, Phase::Done).await;
    refused(4).await;
    // What was refused after the body was no address.
    ends(&app, &db, &team, Outcome::Dead, Phase::Body).await;
    assert_eq!(flagged(&team).await, [false, false, false], "not in a row");
    refused(1).await;
    assert_eq!(flagged(&team).await, [true, true, false]);
    ends(&app, &db, &team, Outcome::Sent, Phase::Done).await;
    assert_eq!(flagged(&team).await, [false, false, false]);
    // Another address has refused nothing.
    refused(5).await;
    sqlx::query("update accounts set email = 'other@example.org' where id = $1")
        .bind(team.member.id.0)
        .execute(&app.admin)
        .await
        .unwrap();
    assert_eq!(flagged(&team).await, [false, false, false]);
}

#[tokio::test]
async fn what_was_noted_of_mails_that_ended_long_ago_is_forgotten() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (db, _) = app.worker_db().await;
    let days = std::num::NonZeroU32::new(30).unwrap();
    ends(&app, &db, &team, Outcome::Dead, Phase::Envelope).await;
    ends(&app, &db, &team, Outcome::Retry(std::time::Duration::from_mins(1)), Phase::Connect).await;
    let counts = async || -> (i64, i64) {
        sqlx::query_as("select (select count(*) from mail_steps), (select count(*) from attempts)")
            .fetch_one(&app.admin)
            .await
            .unwrap()
    };
    let before = counts().await;
    assert_eq!(common::purge::forget_tries(&db, days).await.unwrap(), 0);
    assert_eq!(counts().await, before);
    sqlx::raw_sql(
        "update mail_steps set at = now() - interval '31 days'; update attempts set ended_at = now() - interval '31 days'",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    // Of the one that waits nothing is.
    assert_eq!(common::purge::forget_tries(&db, days).await.unwrap(), 3);
    assert_eq!(counts().await, (2, 1));
}

#[tokio::test]
async fn what_a_mail_said_is_forgotten_when_its_end_is_long_ago_and_that_it_was_sent_is_not() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let (db, _) = app.worker_db().await;
    let task = team.reminded_task(&project, "Burn after reading", 3600).await;
    is_marked(&db, in_hand(&app, &db).await).await;
    team.reminded_task(&project, "Taken or not", 3600).await;
    let (claim, said) = in_hand(&app, &db).await;
    assert!(mails::mark_sending(&db, &claim, &said).await.unwrap());
    let attempt = Attempt { worker: "hand", phase: Phase::Body, reply: None };
    assert!(mails::finish(&db, &claim, &Outcome::Uncertain, &attempt).await.unwrap());
    let words = async || -> Vec<(String, Option<String>)> {
        sqlx::query_as("select state, content -> 'about' ->> 'title' from mails order by id")
            .fetch_all(&app.admin)
            .await
            .unwrap()
    };
    let said = |state: &str, title: Option<&str>| (state.to_owned(), title.map(str::to_owned));
    let uncertain = said("uncertain", Some("Taken or not"));
    assert_eq!(words().await, [said("sent", Some("Burn after reading")), uncertain.clone()]);
    let days = std::num::NonZeroU32::new(30).unwrap();
    // Planned long ago, and sent just now.
    let planned = "update mail_steps set at = now() - interval '31 days' where to_state = 'claimed'";
    sqlx::query(planned).execute(&app.admin).await.unwrap();
    assert_eq!(common::purge::forget_tries(&db, days).await.unwrap(), 1);
    assert_eq!(words().await, [said("sent", Some("Burn after reading")), uncertain.clone()]);
    sqlx::query("update mail_steps set at = now() - interval '31 days'").execute(&app.admin).await.unwrap();
    assert_eq!(common::purge::forget_tries(&db, days).await.unwrap(), 2);
    assert_eq!(words().await, [said("sent", None), uncertain]);
    let path = format!("/deliveries?task={}", task["id"].as_str().unwrap());
    assert_eq!(team.member.get(&path).await.is(200).json()["data"][0]["state"], "sent");
}
