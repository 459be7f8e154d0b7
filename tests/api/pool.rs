//! The two traps of opening a transaction in one round trip (docs/adr/0002).

use common::{
    access::{Member, OrgRef},
    audit::Origin,
    secrets::{Credential, SessionToken},
};
use futures::future::{FutureExt, join_all};
use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn a_storm_of_bad_tokens_leaves_every_connection_usable() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let bad = team.owner.with_token(Some(&SessionToken::random().unwrap().reveal()));
    let outsider = app.person("outsider").await.within(&team.slug);
    for _ in 0..10 {
        join_all((0..10).map(async |n| match n % 3 {
            0 => bad.get("/members").await.is_problem(401, "unauthenticated"),
            1 => outsider.get("/members").await.is_problem(404, "not_found"),
            _ => team.guest.get("/audit").await.is_problem(403, "permission_missing"),
        }))
        .await;
    }
    for reply in join_all((0..40).map(|_| team.member.get("/members"))).await {
        let _ = reply.is(200);
    }
}

#[tokio::test]
async fn a_begin_cut_half_way_never_leaks_a_tenant() {
    let app = TestApp::start().await;
    let team = app.team().await;
    team.project("OPS", "open").await;
    let (db, pool) = app.app_db(4).await;
    let credential: Credential =
        team.owner.request(reqwest::Method::GET, "").build().unwrap().headers()["authorization"]
            .to_str()
            .unwrap()
            .trim_start_matches("Bearer ")
            .parse()
            .unwrap();
    let org: OrgRef = team.slug.parse().unwrap();
    let (mut cut, mut begun) = (0, 0);
    while cut < 300 {
        // An idle connection is had at once, so the first time a begin has to wait is for Postgres' answer: there it is
        // cut. On a busy machine some are answered sooner than they are looked at, and do not count.
        db.ping().await.unwrap();
        cut += usize::from(
            db.begin_request::<Member>(&credential, org.clone(), &Origin::default()).now_or_never().is_none(),
        );
        begun += 1;
        assert!(begun < 10_000, "only {cut} of {begun} were cut: the test does not bite");
    }
    // What was cut must not come back in any state but a clean one.
    // Whoever gets one of the pool's connections next sees nobody's rows.
    let left: i64 = harness::eventually("no transaction is left open", async || {
        let open: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and usename = 'taskbell_app' and state like 'idle in transaction%'",
        )
        .fetch_one(&app.admin)
        .await
        .unwrap();
        (open == 0).then_some(open)
    })
    .await;
    assert_eq!(left, 0);
    for _ in 0..400 {
        let seen: i64 = sqlx::query_scalar("select count(*) from projects").fetch_one(&pool).await.unwrap();
        assert_eq!(seen, 0);
    }
}

#[tokio::test]
async fn an_unfinished_body_holds_no_connection() {
    let app = TestApp::start().await;
    let team = app.team().await;
    // More slow senders than the pool has connections.
    let slow = (0..8).map(|_| {
        let (sender, body) = futures::channel::mpsc::unbounded::<Result<Vec<u8>, std::io::Error>>();
        let request = team.owner.request(reqwest::Method::POST, "/projects").header("Content-Type", "application/json");
        (sender, tokio::spawn(request.body(reqwest::Body::wrap_stream(body)).send()))
    });
    let slow: Vec<_> = slow.collect();
    for (sender, _) in &slow {
        sender.unbounded_send(Ok(b"{".to_vec())).unwrap();
    }
    for _ in 0..20 {
        let _ = team.owner.post("/projects", json!({})).await.is(422);
    }
    drop(slow);
}
