//! The sweep: what crashes and outages leave behind.

use common::{
    config::Uncertain,
    db::Db,
    ids::{DeliveryId, MailId},
    mails::{self, Content, Subject},
};
use harness::TestApp;
use sqlx::PgPool;

/// A mail that is due, in the hands of a worker that is lost at once: its lease is over.
async fn lost(app: &TestApp, db: &Db, id: MailId, sending: bool) {
    set(&app.admin, "next_at = now() - interval '1 second'").await;
    let claim = mails::claim(db, id, "lost").await.unwrap().unwrap();
    if sending {
        let date = claim.claimed_at.to_jiff();
        let content = Content {
            to: "a@example.org".to_owned(),
            name: None,
            date,
            deliveries: deliveries(app, id).await,
            about: Subject::AlreadyRegistered,
        };
        assert!(mails::mark_sending(db, &claim, &content).await.unwrap());
    }
    set(&app.admin, "lease_until = now() - interval '1 second'").await;
}

/// What a mail is for.
async fn deliveries(app: &TestApp, id: MailId) -> Vec<DeliveryId> {
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar("select id from deliveries where mail_id = $1")
        .bind(id.0)
        .fetch_all(&app.admin)
        .await
        .unwrap();
    ids.into_iter().map(DeliveryId).collect()
}

async fn set(admin: &PgPool, change: &str) {
    sqlx::query(sqlx::AssertSqlSafe(format!("update mails set {change}"))).execute(admin).await.unwrap();
}

/// One mail that is not due yet.
async fn one_mail(app: &TestApp) -> MailId {
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    team.reminded_task(&project, "Swept", 3600).await;
    MailId(sqlx::query_scalar("select id from mails").fetch_one(&app.admin).await.unwrap())
}

#[tokio::test]
async fn a_mail_past_its_life_expires() {
    let app = TestApp::start().await;
    one_mail(&app).await;
    let (db, _) = app.worker_db().await;
    set(&app.admin, "next_at = now() - interval '13 hours', expires_at = now() - interval '1 hour'").await;
    assert_eq!(mails::sweep(&db, Uncertain::Resend, 10).await.unwrap().expired, 1);
    assert_eq!(app.mail_states().await, ["expired"]);
}

#[tokio::test]
async fn a_mail_that_five_workers_were_lost_over_is_dead() {
    let app = TestApp::start().await;
    let id = one_mail(&app).await;
    let (db, _) = app.worker_db().await;
    for state in ["retry", "retry", "retry", "retry", "dead"] {
        lost(&app, &db, id, false).await;
        mails::sweep(&db, Uncertain::Resend, 10).await.unwrap();
        assert_eq!(app.mail_states().await, [state]);
    }
}

#[tokio::test]
async fn a_mail_of_unknown_fate_is_held_or_sent_again_after_a_while_as_the_setting_says() {
    let app = TestApp::start().await;
    let id = one_mail(&app).await;
    let (db, _) = app.worker_db().await;
    lost(&app, &db, id, true).await;
    for _ in 0..3 {
        mails::sweep(&db, Uncertain::Hold, 10).await.unwrap();
        assert_eq!(app.mail_states().await, ["uncertain"]);
    }
    mails::sweep(&db, Uncertain::Resend, 10).await.unwrap();
    assert_eq!(app.mail_states().await, ["retry"]);
    let later: bool = sqlx::query_scalar("select next_at > now() from mails").fetch_one(&app.admin).await.unwrap();
    assert!(later, "a relay that drops connections is not flooded");
    // The same words at the next try: they were frozen.
    set(&app.admin, "next_at = now()").await;
    let again = mails::claim(&db, id, "another").await.unwrap().unwrap();
    assert_eq!(again.frozen.unwrap().to, "a@example.org");
}

#[tokio::test]
async fn what_waits_for_a_lost_hint_is_found_after_three_seconds() {
    let app = TestApp::start().await;
    let id = one_mail(&app).await;
    let (db, _) = app.worker_db().await;
    set(&app.admin, "next_at = now() - interval '2 seconds'").await;
    assert_eq!(mails::sweep(&db, Uncertain::Resend, 10).await.unwrap().overdue, []);
    set(&app.admin, "next_at = now() - interval '4 seconds'").await;
    assert_eq!(mails::sweep(&db, Uncertain::Resend, 10).await.unwrap().overdue, [id]);
}
