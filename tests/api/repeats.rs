//! The same request twice at the same moment, and connections that end in between: whatever happens, it is done once.

use std::sync::Arc;

use futures::future::join_all;
use harness::{Actor, Reply, TestApp, eventually};
use serde_json::json;
use sqlx::{Postgres, Transaction};
use tokio::task::JoinHandle;

use crate::people::count;

const KEY: &str = "one-and-the-same";

async fn post(actor: Actor, project: Arc<str>) -> Reply {
    actor.post_once(KEY, "/tasks", json!({ "project": &*project, "title": "Water the plants" })).await
}

/// A request in the middle of its transaction, and what it waits for.
async fn stopped(
    app: &TestApp,
    actor: &Actor,
    project: &Arc<str>,
) -> (Transaction<'static, Postgres>, JoinHandle<Reply>) {
    let mut holder = app.admin.begin().await.unwrap();
    sqlx::query("select from projects for update").execute(&mut *holder).await.unwrap();
    let first = tokio::spawn(post(actor.clone(), Arc::clone(project)));
    eventually("the first is stopped", async || (app.waiting().await == 1).then_some(())).await;
    (holder, first)
}

#[tokio::test]
async fn of_many_at_once_one_is_done_and_all_are_answered_alike_in_the_end() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project: Arc<str> = team.project("OPS", "open").await.into();
    let replies = join_all((0..12).map(|_| tokio::spawn(post(team.owner.clone(), Arc::clone(&project))))).await;
    let replies: Vec<Reply> = replies.into_iter().map(Result::unwrap).collect();
    let (done, early): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status() == 201);
    for reply in early {
        assert_eq!(reply.header("retry-after"), Some("1"));
        reply.is_problem(409, "still_running");
    }
    let first = done.iter().find(|reply| reply.header("idempotent-replayed").is_none()).unwrap();
    assert!(done.iter().all(|reply| reply.text() == first.text()));
    let fresh = done.iter().filter(|reply| reply.header("idempotent-replayed").is_none()).count();
    assert_eq!((fresh, count(&app, "tasks").await, count(&app, "idempotency_keys").await), (1, 1, 1));
    assert_eq!(post(team.owner.clone(), project).await.is(201).text(), first.text());
}

#[tokio::test]
async fn who_comes_while_it_is_still_running_is_told_so() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project: Arc<str> = team.project("OPS", "open").await.into();
    let (holder, first) = stopped(&app, &team.owner, &project).await;
    for _ in 0..2 {
        let second = post(team.owner.clone(), Arc::clone(&project)).await;
        assert_eq!(second.header("retry-after"), Some("1"));
        second.is_problem(409, "still_running");
    }
    // Others are not in its way.
    let mine = json!({ "slug": "engines", "name": "Engines" });
    let _ = team.owner.post_once(KEY, "/v1/orgs", mine).await.is(201);
    holder.rollback().await.unwrap();
    let first = first.await.unwrap().is(201);
    let third = post(team.owner.clone(), project).await.is(201);
    assert_eq!((third.text(), third.header("idempotent-replayed")), (first.text(), Some("true")));
}

#[tokio::test]
async fn what_was_cut_off_before_its_end_was_never_begun() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project: Arc<str> = team.project("OPS", "open").await.into();
    let (holder, first) = stopped(&app, &team.owner, &project).await;
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and usename = 'taskbell_app' and wait_event_type = 'Lock'",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    assert!(first.await.unwrap().status() >= 500);
    holder.rollback().await.unwrap();
    assert_eq!((count(&app, "tasks").await, count(&app, "idempotency_keys").await), (0, 0));
    let second = post(team.owner.clone(), project).await.is(201);
    assert_eq!((second.header("idempotent-replayed"), count(&app, "tasks").await), (None, 1));
}

#[tokio::test]
async fn a_client_that_never_heard_the_answer_asks_again_and_hears_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project: Arc<str> = team.project("OPS", "open").await.into();
    let (holder, first) = stopped(&app, &team.owner, &project).await;
    first.abort();
    let _ = first.await;
    holder.rollback().await.unwrap();
    // Whether the first came to its end or not: it is there once, and everybody hears the same.
    let heard = eventually("the key is free", async || {
        let reply = post(team.owner.clone(), Arc::clone(&project)).await;
        (reply.status() == 201).then_some(reply)
    })
    .await;
    assert_eq!((count(&app, "tasks").await, count(&app, "idempotency_keys").await), (1, 1));
    assert_eq!(post(team.owner.clone(), project).await.is(201).text(), heard.text());
}
