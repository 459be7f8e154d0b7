//! From outside: what belongs to others cannot be told from what does not exist.

use harness::{Actor, Reply, TestApp};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

async fn ask(actor: &Actor, method: Method, path: &str) -> Reply {
    let request =
        actor.request(method.clone(), path).header("X-Request-Id", "the-same").json(&json!({ "role": "viewer" }));
    actor.send(request, format!("{method} {path}")).await
}

#[tokio::test]
async fn a_foreign_id_and_a_random_one_are_answered_byte_for_byte_alike() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.team().await, app.team().await);
    let project = theirs.project("OPS", "open").await;
    let task = theirs.reminded_task(&project, "Theirs", 3600).await;
    let task = task["id"].as_str().unwrap();
    let delivery = theirs.owner.get("/deliveries").await.is(200).text_at("/data/0/id");
    let outsider = app.person("outsider").await;

    let in_our_organization = [
        (Method::GET, format!("/tasks/{task}")),
        (Method::PUT, format!("/tasks/{task}/completion")),
        (Method::GET, format!("/projects/{project}")),
        (Method::PUT, format!("/projects/{project}/grants/{}", ours.member.id)),
        (Method::GET, format!("/deliveries/{delivery}")),
        (Method::PUT, format!("/members/{}/role", theirs.member.id)),
    ];
    for (method, path) in in_our_organization {
        let foreign = [task, &project, &delivery, &theirs.member.id.to_string()]
            .iter()
            .fold(path.clone(), |path, id| path.replace(*id, &Uuid::now_v7().to_string()));
        let body_is_a_role = path.contains("/members/");
        let actor = &ours.owner;
        let (theirs, random) = if body_is_a_role {
            let send = async |path: String| {
                let request = actor.request(Method::PUT, &path).header("X-Request-Id", "the-same");
                actor.send(request.json(&json!({ "role": "guest" })), path).await
            };
            (send(path).await, send(foreign).await)
        } else {
            (ask(actor, method.clone(), &path).await, ask(actor, method, &foreign).await)
        };
        assert_eq!((theirs.status(), theirs.text()), (404, random.text()));
    }
    // The organization itself, by slug and by id, for members of another and of none.
    for actor in [&ours.owner, &outsider] {
        for (theirs, random) in
            [(theirs.slug.clone(), "no-such-team".to_owned()), (theirs.id.to_string(), Uuid::now_v7().to_string())]
        {
            for path in ["/tasks", "/members", "/deliveries", ""] {
                let theirs = ask(&actor.within(&theirs), Method::GET, path).await;
                let random = ask(&actor.within(&random), Method::GET, path).await;
                assert_eq!((theirs.status(), theirs.text()), (404, random.text()), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn an_ended_session_is_no_credential() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let _ = team.member.get("/members").await.is(200);
    sqlx::query("update sessions set expires_at = now() where account_id = $1")
        .bind(team.member.id.0)
        .execute(&app.admin)
        .await
        .unwrap();
    team.member.get("/members").await.is_problem(401, "unauthenticated");
}
