//! What people say about tasks, whom they mention, and who is told.

use common::access::Role;
use harness::{Actor, Team, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{arrange, count};

async fn task(team: &Team, visibility: &str) -> (String, String) {
    let project = team.project("OPS", visibility).await;
    let new = json!({ "project": project, "title": "Look" });
    (project, team.owner.post("/tasks", new).await.is(201).text_at("/id"))
}

async fn say(actor: &Actor, task: &str, body: &str) -> Value {
    actor.post(&format!("/tasks/{task}/comments"), json!({ "body": body })).await.is(201).json()
}

/// Whom mails about comments wait for, by name.
async fn told(app: &TestApp) -> Vec<String> {
    sqlx::query_scalar(
        "select a.name from deliveries d join accounts a on a.id = d.account_id join mails m on m.id = d.mail_id
         where d.kind = 'comment' and m.state = 'scheduled' order by d.comment_id, a.name",
    )
    .fetch_all(&app.admin)
    .await
    .unwrap()
}

fn id(comment: &Value) -> &str {
    comment["id"].as_str().unwrap()
}

#[tokio::test]
async fn what_is_said_is_read_in_its_order_page_by_page() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (_, task) = task(&team, "open").await;
    let first = say(&team.member, &task, "**One**").await;
    let expected = json!({
        "id": first["id"], "task_id": task, "author_id": team.member.id, "body": "**One**", "mentions": [],
        "created_at": first["created_at"], "edited_at": null, "deleted_at": null, "version": 1,
    });
    assert_eq!(first, expected);
    say(&team.admin, &task, "Two").await;
    say(&team.owner, &task, "Three").await;
    // A task is named by its key, too.
    let page = team.member.get("/tasks/OPS-1/comments?limit=2").await.is(200).json();
    let bodies = |page: &Value| page["data"].as_array().unwrap().iter().map(|c| c["body"].clone()).collect::<Vec<_>>();
    assert_eq!(bodies(&page), ["**One**", "Two"]);
    assert_eq!(page["data"][0], first);
    let next = page["page"]["next_cursor"].as_str().unwrap();
    let page = team.member.get(&format!("/tasks/{task}/comments?limit=2&cursor={next}")).await.is(200).json();
    assert_eq!((bodies(&page), &page["page"]["has_more"]), (vec![json!("Three")], &json!(false)));
    let other = json!({ "project": team.project("OTHER", "open").await, "title": "Other" });
    let other = team.owner.post("/tasks", other).await.is(201).text_at("/id");
    let path = format!("/tasks/{other}/comments?cursor={next}");
    team.member.get(&path).await.is_problem(400, "invalid_query");
    team.member.get(&format!("/tasks/{other}/comments/{}", id(&first))).await.is_problem(404, "not_found");
    assert_eq!(team.guest.get(&format!("/tasks/{task}/comments")).await.status(), 403);
}

#[tokio::test]
async fn who_may_comment_comments_and_who_only_looks_reads() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (project, task) = task(&team, "private").await;
    let path = format!("/tasks/{task}/comments");
    team.member.get(&path).await.is_problem(404, "not_found");
    team.member.post(&path, json!({ "body": "Hello" })).await.is_problem(404, "not_found");
    let grant = format!("/projects/{project}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    let _ = team.guest.get(&path).await.is(200);
    team.guest.post(&path, json!({ "body": "Hello" })).await.is_problem(403, "permission_missing");
    let _ = team.owner.put(&grant, json!({ "role": "commenter" })).await.is(200);
    let own = say(&team.guest, &task, "Hello").await;
    // Who may not any more changes nothing either.
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    let path = format!("{path}/{}", id(&own));
    team.guest.patch(&path, json!({ "body": "Bye" })).await.is_problem(403, "permission_missing");
    team.guest.delete(&path).await.is_problem(403, "permission_missing");
    for body in ["", " \n ", &"x".repeat(20_001), "a\u{202e}b"] {
        let path = format!("/tasks/{task}/comments");
        let problem = team.owner.post(&path, json!({ "body": body })).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/body");
    }
}

#[tokio::test]
async fn nobody_puts_words_into_somebody_elses_mouth() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (_, task) = task(&team, "open").await;
    let said = team.member.post(&format!("/tasks/{task}/comments"), json!({ "body": "Yes" })).await.is(201);
    let (path, tag) =
        (format!("/tasks/{task}/comments/{}", said.text_at("/id")), said.header("etag").unwrap().to_owned());
    for other in [&team.owner, &team.admin] {
        other.patch(&path, json!({ "body": "No" })).await.is_problem(403, "not_the_author");
    }
    let bare = team.member.bare(Method::PATCH, &path).json(&json!({ "body": "No" }));
    team.member.send(bare, "PATCH".into()).await.is_problem(428, "precondition_required");
    let edited = team.member.patch_if(&tag, &path, json!({ "body": "Perhaps" })).await.is(200).json();
    assert_eq!((&edited["body"], &edited["version"]), (&json!("Perhaps"), &json!(2)));
    assert!(edited["edited_at"].is_string());
    team.member.patch_if(&tag, &path, json!({ "body": "No" })).await.is_problem(412, "stale");
    // What is the same already makes no version.
    assert_eq!(team.member.patch(&path, json!({ "body": "Perhaps" })).await.is(200).json(), edited);
    assert_eq!(team.member.patch(&path, json!({})).await.is(200).json(), edited);
}

#[tokio::test]
async fn the_words_go_and_the_thread_keeps_its_order() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (_, task) = task(&team, "open").await;
    let hand = app.join(&team, "hand", Role::Member).await;
    let first = say(&team.member, &task, &format!("<@{}>, secret", hand.id)).await;
    say(&hand, &task, "Two").await;
    let path = format!("/tasks/{task}/comments/{}", id(&first));
    hand.delete(&path).await.is_problem(403, "permission_missing");
    // The second one told the author of the first, who watches; the first told who is mentioned in it, and is taken back.
    assert_eq!(told(&app).await, ["hand", "member"]);
    let _ = team.admin.delete(&path).await.is(204);
    assert_eq!(told(&app).await, ["member"]);
    let gone = team.member.get(&path).await.is(200).json();
    assert_eq!((&gone["body"], &gone["mentions"], &gone["version"]), (&json!(""), &json!([]), &json!(2)));
    assert!(gone["deleted_at"].is_string());
    // A second time changes nothing.
    let _ = team.admin.delete(&path).await.is(204);
    assert_eq!(team.member.get(&path).await.is(200).json(), gone);
    team.member.patch(&path, json!({ "body": "Again" })).await.is_problem(409, "comment_deleted");
    let list = team.member.get(&format!("/tasks/{task}/comments")).await.is(200).json();
    assert_eq!((&list["data"][0], &list["data"][1]["body"]), (&gone, &json!("Two")));
    assert_eq!(count(&app, "comments where body like '%secret%'").await, 0);
    let events = team.owner.get("/audit?action=comment.deleted").await.is(200).json();
    assert_eq!(events["data"][0]["before"], json!({ "task": task, "author": team.member.id }));
    // One's own words are one's own business.
    let second = list["data"][1]["id"].as_str().unwrap();
    let _ = hand.delete(&format!("/tasks/{task}/comments/{second}")).await.is(204);
    let events = team.owner.get("/audit?action=comment.deleted").await.is(200).json();
    assert_eq!(events["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_is_mentioned_must_see_the_task() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (project, task) = task(&team, "private").await;
    let stranger = app.person("stranger").await;
    let suspended = app.join(&team, "suspended", Role::Admin).await;
    let grant = async |who: &Actor| {
        let path = format!("/projects/{project}/grants/{}", who.id);
        let _ = team.owner.put(&path, json!({ "role": "viewer" })).await.is(200);
    };
    grant(&team.guest).await;
    grant(&suspended).await;
    let _ = team.owner.put(&format!("/members/{}/suspension", suspended.id), json!(null)).await.is(200);
    let path = format!("/tasks/{task}/comments");
    let body = |who: &Actor| json!({ "body": format!("<@{}> and <@{}>", team.guest.id, who.id) });
    let own = say(&team.owner, &task, "Hello").await;
    for who in [&stranger, &suspended, &team.admin] {
        let problem = team.owner.post(&path, body(who)).await.is_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], "not_a_member", "{problem}");
        let edit = team.owner.patch(&format!("{path}/{}", id(&own)), body(who)).await;
        assert_eq!(edit.is_problem(422, "invalid")["errors"][0]["code"], "not_a_member");
    }
    assert_eq!(count(&app, "comment_mentions").await, 0);
    let said = say(&team.owner, &task, &format!("<@{0}> <@{0}>", team.guest.id)).await;
    assert_eq!(said["mentions"], json!([team.guest.id]));
    // Who was mentioned and has gone since is in nobody's way.
    let _ = team.owner.delete(&format!("/members/{}", team.guest.id)).await.is(204);
    let path = format!("{path}/{}", id(&said));
    let edited = json!({ "body": format!("<@{}>!", team.guest.id) });
    let _ = team.owner.patch(&path, edited).await.is(200);
}

#[tokio::test]
async fn those_who_take_part_are_told_but_for_the_author_and_who_has_muted() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (_, task) = task(&team, "open").await;
    let (loud, quiet) = (app.join(&team, "loud", Role::Member).await, app.join(&team, "quiet", Role::Member).await);
    let _ = quiet.put(&format!("/tasks/{task}/mute"), json!(null)).await.is(200);
    // Nobody watches yet; who is mentioned does from now on, who has muted the task does not.
    say(&team.member, &task, &format!("<@{}> <@{}> <@{}>", loud.id, quiet.id, team.member.id)).await;
    assert_eq!(told(&app).await, ["loud"]);
    say(&loud, &task, "What?").await;
    assert_eq!(told(&app).await, ["loud", "member"]);
    let watchers = team.owner.get(&format!("/tasks/{task}/watchers")).await.is(200).json();
    let watchers: Vec<&Value> = watchers["data"].as_array().unwrap().iter().map(|w| &w["account_id"]).collect();
    assert_eq!(watchers, [&json!(team.member.id), &json!(loud.id)]);
    // Whoever watches and cannot see it any more is told nothing.
    arrange(&app, &format!("update memberships set role = 'guest' where account_id = '{}'", loud.id)).await;
    say(&team.owner, &task, "So?").await;
    assert_eq!(told(&app).await, ["loud", "member", "member"]);
}

#[tokio::test]
async fn an_edited_comment_tells_only_those_who_are_new_in_it() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (_, task) = task(&team, "open").await;
    let (one, two) = (app.join(&team, "one", Role::Member).await, app.join(&team, "two", Role::Member).await);
    let _ = team.admin.put(&format!("/tasks/{task}/watch"), json!(null)).await.is(200);
    let said = say(&team.member, &task, &format!("<@{}>", one.id)).await;
    assert_eq!(told(&app).await, ["admin", "one"]);
    let path = format!("/tasks/{task}/comments/{}", id(&said));
    let edit = async |people: &[&Actor]| {
        let body: Vec<String> = people.iter().map(|who| format!("<@{}>", who.id)).collect();
        team.member.patch(&path, json!({ "body": body.join(" ") })).await.is(200).json()
    };
    // Who watches has read it already, and so has who was mentioned before.
    assert_eq!(edit(&[&one, &two, &team.admin]).await["mentions"].as_array().unwrap().len(), 3);
    assert_eq!(told(&app).await, ["admin", "one", "two"]);
    assert_eq!(edit(&[&two]).await["mentions"], json!([two.id]));
    edit(&[&one, &two]).await;
    assert_eq!(told(&app).await, ["admin", "one", "two"]);
}

#[tokio::test]
async fn deliveries_tell_of_comments_and_show_no_words() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (_, task) = task(&team, "private").await;
    let project_grants = team.owner.get("/projects").await.is(200).text_at("/data/0/id");
    let grant = format!("/projects/{project_grants}/grants/{}", team.member.id);
    let _ = team.owner.put(&grant, json!({ "role": "viewer" })).await.is(200);
    say(&team.owner, &task, &format!("<@{}> the word is otter", team.member.id)).await;
    let list = team.member.get(&format!("/deliveries?task={task}")).await.is(200);
    assert!(!list.text().contains("otter"));
    assert_eq!(
        (&list.json()["data"][0]["kind"], &list.json()["data"][0]["state"]),
        (&json!("comment"), &json!("scheduled"))
    );
    // Whoever may read everybody's reads none of a private project without a grant.
    let of_admin = team.admin.get("/deliveries").await.is(200).json();
    assert_eq!(of_admin["data"], json!([]));
}
