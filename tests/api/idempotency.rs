//! Requests that are sent again under an `Idempotency-Key`: done once, answered alike. What happens at the same moment is in
//! `repeats.rs`.

use common::{access::Role, purge::purge, secrets::Purpose};
use harness::{Actor, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::people::{arrange, count, owed, personal_token, sure, tokens};

const KEY: &str = "01a20444-49cb-77f9-a369-d9a397c47ffa";

/// Asserts that a reply is another one's, sent again.
#[track_caller]
fn is_again(reply: &Reply, first: &Reply) {
    assert_eq!((reply.status(), reply.text()), (first.status(), first.text()));
    assert_eq!(reply.header("etag"), first.header("etag"));
    assert_eq!(reply.header("location").is_some(), first.header("location").is_some());
    assert_eq!(reply.header("content-type"), first.header("content-type"));
    let replayed = [first, reply].map(|reply| reply.header("idempotent-replayed"));
    assert_eq!(replayed, [None, Some("true")], "{}", reply.text());
}

#[tokio::test]
async fn what_is_sent_again_is_done_once_and_answered_alike() {
    let app = TestApp::start().await;
    let team = app.team().await;
    app.give_password(&team.owner).await;
    let project = team.project("OPS", "open").await;
    let offer = json!({ "email": "eve@example.org", "role": "guest" });
    let eve = team.owner.post_once("eve", "/invitations", offer.clone()).await.is(201).text_at("/id");
    let task = json!({ "project": project, "title": "Water the plants" });
    let clerk = json!({ "key": "clerk", "name": "Clerk", "permissions": ["tasks:read"] });
    for (path, body, table, status) in [
        ("/projects", json!({ "key": "NEW", "name": "New" }), "projects", 201),
        ("/tasks", task, "tasks", 201),
        ("/roles", clerk, "roles", 201),
        ("/invitations", json!({ "email": "zoe@example.org", "role": "guest" }), "invitations", 201),
        (&format!("/invitations/{eve}/resend"), Value::Null, "mails", 200),
        ("/v1/orgs", json!({ "slug": "engines", "name": "Engines" }), "organizations", 201),
        ("/v1/me/email", sure(json!({ "email": "countess@example.net" })), "email_changes", 202),
    ] {
        let first = team.owner.post_once(KEY, path, body.clone()).await.is(status);
        let done = (count(&app, table).await, count(&app, "audit_events").await, count(&app, "mails").await);
        for _ in 0..2 {
            is_again(&team.owner.post_once(KEY, path, body.clone()).await, &first);
        }
        let now = (count(&app, table).await, count(&app, "audit_events").await, count(&app, "mails").await);
        assert_eq!(now, done, "{path}");
    }
}

#[tokio::test]
async fn an_invitation_is_taken_up_once() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let zoe = app.person("zoe").await;
    let _ = team.owner.post("/invitations", json!({ "email": zoe.email, "role": "guest" })).await.is(201);
    let taken = json!({ "invitation": tokens(&app, Purpose::Invitation).await.pop().unwrap() });
    let first = zoe.post_once(KEY, "/v1/me/memberships", taken.clone()).await.is(201);
    is_again(&zoe.post_once(KEY, "/v1/me/memberships", taken.clone()).await, &first);
    zoe.post_once("another", "/v1/me/memberships", taken).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let new = |key: &str| json!({ "key": key, "name": "A project" });
    let first = team.owner.post_once(KEY, "/projects", new("OPS")).await.is(201);
    team.owner.post_once(KEY, "/projects", new("DEV")).await.is_problem(422, "idempotency_key_reused");
    // The same JSON in other bytes is another request: nobody guesses what a client means.
    let spaced = team.owner.bare(Method::POST, "/projects").header("Idempotency-Key", KEY);
    let spaced = spaced.header("Content-Type", "application/json").body(format!(" {}", new("OPS")));
    team.owner.send(spaced, "spaced".into()).await.is_problem(422, "idempotency_key_reused");

    // The key of another path, account or organization is another key.
    let role = json!({ "key": "clerk", "name": "Clerk", "permissions": [] });
    let _ = team.owner.post_once(KEY, "/roles", role).await.is(201);
    let _ = team.admin.post_once(KEY, "/projects", new("ADM")).await.is(201);
    let other = team.owner.post_once(KEY, "/v1/orgs", json!({ "slug": "engines", "name": "Engines" })).await.is(201);
    let elsewhere = team.owner.within("engines").post_once(KEY, "/projects", new("OPS")).await.is(201);
    assert_ne!(elsewhere.text_at("/id"), first.text_at("/id"));
    assert_eq!(count(&app, "idempotency_keys").await, 5);

    // An organization has two names, and is one.
    let by_id = team.owner.within(&team.id.to_string());
    is_again(&by_id.post_once(KEY, "/projects", new("OPS")).await, &first);
    let by_id = team.owner.within(&other.text_at("/id"));
    is_again(&by_id.post_once(KEY, "/projects", new("OPS")).await, &elsewhere);
}

#[tokio::test]
async fn what_was_refused_is_not_kept() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let _ = team.project("OPS", "open").await;
    let new = |key: Value| json!({ "key": key, "name": "A project" });
    // One right after the other: each finds the key free.
    for _ in 0..10 {
        team.owner.post_once(KEY, "/projects", new(json!(7))).await.is_problem(422, "invalid");
        team.owner.post_once(KEY, "/projects", new(json!("OPS"))).await.is_problem(409, "key_taken");
        team.guest.post_once(KEY, "/projects", new(json!("DEV"))).await.is_problem(403, "permission_missing");
    }
    assert_eq!(count(&app, "idempotency_keys").await, 0);
    let first = team.owner.post_once(KEY, "/projects", new(json!("DEV"))).await.is(201);
    is_again(&team.owner.post_once(KEY, "/projects", new(json!("DEV"))).await, &first);
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = json!({ "project": project, "title": "Water the plants" });
    let post = async || team.owner.post_once(KEY, "/tasks", task.clone()).await.is(201);
    let first = post().await;
    arrange(&app, "update idempotency_keys set created_at = now() - interval '23 hours 59 minutes'").await;
    is_again(&post().await, &first);
    arrange(&app, "update idempotency_keys set created_at = now() - interval '24 hours'").await;
    let second = post().await;
    assert_ne!(second.text_at("/id"), first.text_at("/id"));
    is_again(&post().await, &second);
    assert_eq!((count(&app, "tasks").await, count(&app, "idempotency_keys").await), (2, 1));

    let (worker, _) = app.worker_db().await;
    purge(&worker).await.unwrap();
    assert_eq!(count(&app, "idempotency_keys").await, 1);
    arrange(&app, "update idempotency_keys set created_at = now() - interval '24 hours'").await;
    purge(&worker).await.unwrap();
    assert_eq!(count(&app, "idempotency_keys").await, 0);
}

#[tokio::test]
async fn what_was_answered_goes_with_the_account() {
    let app = TestApp::start().await;
    let (gone, stays) = (app.person("gone").await, app.person("stays").await);
    for person in [&gone, &stays] {
        let new = json!({ "slug": format!("org-{}", person.id), "name": "Engines" });
        let _ = person.post_once(KEY, "/v1/orgs", new).await.is(201);
    }
    arrange(&app, &format!("update accounts set deletion_due_at = now() where id = '{}'", gone.id)).await;
    let (worker, _) = app.worker_db().await;
    assert_eq!(purge(&worker).await.unwrap().accounts, 1);
    assert_eq!(count(&app, &format!("idempotency_keys where account_id = '{}'", gone.id)).await, 0);
    assert_eq!(count(&app, &format!("idempotency_keys where account_id = '{}'", stays.id)).await, 1);
}

#[tokio::test]
async fn what_shows_a_secret_is_shown_once_and_kept_nowhere() {
    let app = TestApp::start().await;
    let team = app.team().await;
    app.give_password(&team.owner).await;
    let token = json!({ "name": "a program", "org": team.slug, "scopes": ["tasks:read"] });
    let mut secrets = Vec::new();
    let mut once = async |path: &str, body: Value, pointer: &str| {
        secrets.push(team.owner.post_once(KEY, path, body.clone()).await.is(201).text_at(pointer));
        team.owner.post_once(KEY, path, body).await.is_problem(409, "shown_once");
    };
    once("/v1/me/tokens", token, "/token").await;
    once("/v1/me/second-factor", sure(json!({})), "/secret").await;
    let code = json!({ "code": app.code_of(&team.owner).await });
    let _ = team.owner.put("/v1/me/second-factor/confirmation", code).await.is(200);
    once("/v1/me/second-factor/recovery-codes", sure(json!({})), "/recovery_codes/0").await;
    assert_eq!((count(&app, "tokens").await, count(&app, "idempotency_keys").await), (1, 3));

    // Bodies hold passwords: not even a plain hash of them is kept, which could be guessed.
    let rows: Vec<String> =
        sqlx::query_scalar("select k::text from idempotency_keys k").fetch_all(&app.admin).await.unwrap();
    let body = Sha256::digest(sure(json!({})).to_string());
    secrets.push(body.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat());
    secrets.push(KEY.to_owned());
    assert!(rows.iter().all(|row| !secrets.iter().any(|secret| row.contains(secret))), "{rows:?}");
}

#[tokio::test]
async fn an_invitation_needs_a_key_and_is_sent_once() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let offer = json!({ "email": "zoe@example.org", "role": "guest" });
    let bare = async |actor: &Actor, body: &Value| {
        let request = actor.bare(Method::POST, "/invitations").json(body);
        actor.send(request, "POST /invitations without a key".into()).await
    };
    bare(&team.owner, &offer).await.is_problem(400, "idempotency_key_required");
    // Said to those who might have done it.
    bare(&app.stranger().within(&team.slug), &offer).await.is_problem(401, "unauthenticated");
    bare(&app.person("outsider").await.within(&team.slug), &offer).await.is_problem(404, "not_found");
    bare(&team.guest, &offer).await.is_problem(403, "permission_missing");
    bare(&team.owner, &json!({})).await.is_problem(422, "invalid");
    assert_eq!(count(&app, "invitations").await, 0);
    // More often than one may invite somebody in a day.
    let first = team.owner.post_once(KEY, "/invitations", offer.clone()).await.is(201);
    for _ in 0..25 {
        is_again(&team.owner.post_once(KEY, "/invitations", offer.clone()).await, &first);
    }
    assert_eq!(owed(&app).await, ["invitation"]);
}

#[tokio::test]
async fn what_is_no_key_is_refused_in_its_turn() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let outsider = app.person("outsider").await.within(&team.slug);
    let new = json!({ "key": "OPS", "name": "A project" });
    for key in ["", "two words", &"x".repeat(256)] {
        team.owner.post_once(key, "/projects", new.clone()).await.is_problem(400, "malformed_idempotency_key");
        team.guest.post_once(key, "/projects", new.clone()).await.is_problem(403, "permission_missing");
        outsider.post_once(key, "/projects", new.clone()).await.is_problem(404, "not_found");
        let org = json!({ "slug": "engines", "name": "Engines" });
        team.owner.post_once(key, "/v1/orgs", org.clone()).await.is_problem(400, "malformed_idempotency_key");
        app.stranger().post_once(key, "/v1/orgs", org).await.is_problem(401, "unauthenticated");
    }
    let twice =
        team.owner.bare(Method::POST, "/projects").header("Idempotency-Key", "a").header("Idempotency-Key", "b");
    team.owner.send(twice.json(&new), "two keys".into()).await.is_problem(400, "malformed_idempotency_key");
    let _ = team.owner.post_once(&"x".repeat(255), "/projects", new).await.is(201);
    // What may be repeated as it is needs none, and takes no offence.
    let put = team.owner.bare(Method::PUT, &format!("/members/{}/role", team.guest.id));
    let put = put.header("Idempotency-Key", "two words").json(&json!({ "role": "member" }));
    let _ = team.owner.send(put, "PUT".into()).await.is(200);
}

#[tokio::test]
async fn who_may_not_do_it_any_more_is_not_told_what_was_answered() {
    let app = TestApp::start().await;
    let team = app.team().await;
    app.give_password(&team.member).await;
    let [open, secret] = [team.project("OPEN", "open").await, team.project("SECRET", "private").await];
    let grant = |role: &'static str| {
        let (owner, path) = (team.owner.clone(), format!("/projects/{secret}/grants/{}", team.guest.id));
        async move { owner.put(&path, json!({ "role": role })).await.is(200) }
    };
    let _ = grant("editor").await;
    let task = |project: &str| json!({ "project": project, "title": "A secret" });
    let first = team.guest.post_once(KEY, "/tasks", task(&secret)).await.is(201);
    let again = async || team.guest.post_once(KEY, "/tasks", task(&secret)).await;
    is_again(&again().await, &first);
    // In the project: what is seen and not allowed, and what is not seen any more. The guest may write elsewhere all the while.
    let path = format!("/projects/{open}/grants/{}", team.guest.id);
    let _ = team.owner.put(&path, json!({ "role": "editor" })).await.is(200);
    let _ = grant("viewer").await;
    let problem = again().await.is_problem(403, "permission_missing");
    assert!(problem["detail"].as_str().unwrap().contains("tasks:write"), "{problem}");
    let _ = team.owner.delete(&format!("/projects/{secret}/grants/{}", team.guest.id)).await.is(204);
    again().await.is_problem(404, "not_found");
    let _ = grant("manager").await;
    is_again(&again().await, &first);

    // In the organization: the role, the membership.
    let first = team.member.post_once(KEY, "/projects", json!({ "key": "MINE", "name": "Mine" })).await.is(201);
    let again =
        async |as_whom: &Actor| as_whom.post_once(KEY, "/projects", json!({ "key": "MINE", "name": "Mine" })).await;
    // A program of theirs is them, as far as it may.
    let narrow = personal_token(&team.member, &team.slug).await;
    again(&narrow).await.is_problem(403, "permission_missing");
    let wide = json!({ "name": "a program", "org": team.slug, "scopes": ["projects:create"] });
    let wide = team.member.post("/v1/me/tokens", wide).await.is(201).text_at("/token");
    is_again(&again(&team.member.with_token(Some(&wide))).await, &first);
    let role = format!("/members/{}/role", team.member.id);
    let _ = team.owner.put(&role, json!({ "role": Role::Guest.as_str() })).await.is(200);
    // A manager's grant in the project lets nobody make others.
    again(&team.member).await.is_problem(403, "permission_missing");
    let _ = team.owner.put(&role, json!({ "role": Role::Member.as_str() })).await.is(200);
    is_again(&again(&team.member).await, &first);
    let _ = team.owner.delete(&format!("/members/{}", team.member.id)).await.is(204);
    again(&team.member).await.is_problem(404, "not_found");
    let _ = team.member.delete("/v1/me/sessions/current").await.is(204);
    again(&team.member).await.is_problem(401, "unauthenticated");
}
