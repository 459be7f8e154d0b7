//! Whose mail goes out first when there is more than can go out at once.

use common::{ids::OrgId, mails};
use harness::TestApp;
use sqlx::PgPool;

/// The API's own dispatcher takes nothing away.
async fn no_dispatcher(admin: &PgPool) {
    sqlx::raw_sql("revoke execute on function take_turns(integer, interval, interval, boolean) from taskbell_app")
        .execute(admin)
        .await
        .unwrap();
}

/// So many mails of an organization, due for an hour; they say nothing, and are not sent.
async fn due(admin: &PgPool, org: OrgId, count: i32, since: &str) {
    sqlx::query(
        "insert into mails (id, org_id, account_id, kind, due_at, next_at, expires_at)
         select gen_random_uuid(), m.org_id, m.account_id, 'reminder', now(), now() - $3::interval, now() + interval '1 hour'
         from memberships m, generate_series(1, $2) where m.org_id = $1 and m.role = 'member'",
    )
    .bind(org.0)
    .bind(count)
    .bind(since)
    .execute(admin)
    .await
    .unwrap();
}

/// A round: how many of each organization, in the order of their turns.
async fn round(admin: &PgPool, most: i32) -> Vec<OrgId> {
    let taken: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select m.org_id from take_turns($1, interval '1 second', interval '15 seconds', false) with ordinality t (id, wait, n)
         join mails m on m.id = t.id order by t.n",
    )
    .bind(most)
    .fetch_all(admin)
    .await
    .unwrap();
    taken.into_iter().map(OrgId).collect()
}

#[tokio::test]
async fn a_small_organization_does_not_wait_for_a_large_one() {
    let app = TestApp::start().await;
    let (large, small, tiny) = (app.team().await, app.team().await, app.team().await);
    no_dispatcher(&app.admin).await;
    due(&app.admin, large.id, 3_000, "1 hour").await;
    due(&app.admin, small.id, 150, "1 second").await;
    due(&app.admin, tiny.id, 1, "0 seconds").await;
    let count = |taken: &[OrgId], org: OrgId| taken.iter().filter(|other| **other == org).count();
    let first = round(&app.admin, 300).await;
    assert_eq!([large.id, small.id, tiny.id].map(|org| count(&first, org)), [150, 149, 1], "in turn");
    assert!(first[..3].contains(&tiny.id), "its only one is in the first turn");
    // What was handed out is not handed out again, and no place stays empty.
    let second = round(&app.admin, 300).await;
    assert_eq!([large.id, small.id, tiny.id].map(|org| count(&second, org)), [299, 1, 0]);
    let waiting: i64 =
        sqlx::query_scalar("select count(*) from mails where queued_at is null").fetch_one(&app.admin).await.unwrap();
    assert_eq!(waiting, 3_151 - 600);
}

#[tokio::test]
async fn what_passes_redis_by_takes_turns_too() {
    let app = TestApp::start().await;
    let (large, small) = (app.team().await, app.team().await);
    no_dispatcher(&app.admin).await;
    due(&app.admin, large.id, 1_000, "1 hour").await;
    due(&app.admin, small.id, 10, "5 seconds").await;
    let (db, _) = app.worker_db().await;
    let overdue = mails::sweep(&db, common::config::Uncertain::Resend, 100).await.unwrap().overdue;
    let ids: Vec<uuid::Uuid> = overdue.iter().map(|id| id.0).collect();
    let of_small: i64 = sqlx::query_scalar("select count(*) from mails where id = any($1) and org_id = $2")
        .bind(&ids)
        .bind(small.id.0)
        .fetch_one(&app.admin)
        .await
        .unwrap();
    assert_eq!((ids.len(), of_small), (100, 10));
    // The next worker gets others.
    let next = mails::sweep(&db, common::config::Uncertain::Resend, 100).await.unwrap().overdue;
    assert!(next.len() == 100 && next.iter().all(|id| !overdue.contains(id)));
}

#[tokio::test]
async fn what_is_held_or_paused_is_neither_hinted_at_nor_claimed_nor_swept() {
    let app = TestApp::start().await;
    let team = app.team().await;
    no_dispatcher(&app.admin).await;
    due(&app.admin, team.id, 2, "1 hour").await;
    let held: uuid::Uuid = sqlx::query_scalar(
        "update mails set held_at = now(), expires_at = now() - interval '1 minute' where id = (select min(id::text)::uuid from mails) returning id",
    )
    .fetch_one(&app.admin)
    .await
    .unwrap();
    let (db, _) = app.worker_db().await;
    let paused = db.clone().with_reminders_paused(true);
    let swept = mails::sweep(&paused, common::config::Uncertain::Resend, 10).await.unwrap();
    assert_eq!((swept.expired, swept.overdue), (0, vec![]));
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar("select id from mails").fetch_all(&app.admin).await.unwrap();
    let ids: Vec<_> = ids.into_iter().map(common::ids::MailId).collect();
    assert!(mails::claim_all(&paused, &ids, "hand").await.unwrap().iter().all(Option::is_none));
    // Without the pause: the one that nobody holds.
    let swept = mails::sweep(&db, common::config::Uncertain::Resend, 10).await.unwrap();
    assert!(swept.overdue.len() == 1 && swept.overdue[0].0 != held);
    let claimed = mails::claim_all(&db, &ids, "hand").await.unwrap();
    assert_eq!(claimed.iter().flatten().map(|claim| claim.id).collect::<Vec<_>>(), swept.overdue);
}
