//! Which version a change is about, and which bytes a client has already.

use harness::{Actor, Reply, Team, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{count, sure};

fn tag(reply: &Reply) -> String {
    reply.header("etag").unwrap_or_else(|| panic!("no tag: {}", reply.text())).to_owned()
}

/// The version with which a tag begins.
fn version(reply: &Reply) -> Option<i64> {
    tag(reply).trim_matches('"').split_once('-').map(|(version, _)| version.parse().unwrap())
}

async fn unless(actor: &Actor, known: &str, path: &str) -> Reply {
    actor.send(actor.bare(Method::GET, path).header("If-None-Match", known), format!("GET {path} unless {known}")).await
}

/// Each thing that has versions, how it is changed and how it is taken away.
async fn versioned(team: &Team) -> Vec<(Actor, String, Value, Option<Method>)> {
    let project = team.project("OPS", "open").await;
    let role = json!({ "key": "clerk", "name": "Clerk", "permissions": ["tasks:read"] });
    let _ = team.owner.post("/roles", role).await.is(201);
    let name = |name: &str| json!({ "name": name });
    vec![
        (team.owner.clone(), String::new(), name("B Team"), None),
        (team.owner.clone(), "/roles/clerk".to_owned(), name("Secretary"), Some(Method::DELETE)),
        (team.owner.clone(), format!("/projects/{project}"), name("Operations"), None),
        (team.owner.clone(), "/v1/me".to_owned(), name("Ada"), None),
    ]
}

#[tokio::test]
async fn a_change_says_which_version_it_is_about() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for (actor, path, change, _) in versioned(&team).await {
        let before = actor.get(&path).await.is(200);
        let send = async |tag: Option<&str>| {
            let request = actor.bare(Method::PATCH, &path).json(&change);
            let request = tag.into_iter().fold(request, |request, tag| request.header("If-Match", tag));
            actor.send(request, format!("PATCH {path} {tag:?}")).await
        };
        send(None).await.is_problem(428, "precondition_required");
        for malformed in ["7", "\"7", "", "*, \"7\"", "\"7\" \"8\""] {
            send(Some(malformed)).await.is_problem(400, "malformed_if_match");
        }
        let current = tag(&before);
        let weak = format!("W/{current}");
        for other in ["\"999\"", "\"0\"", "\"nonsense\"", &weak, "\"999\", \"998-00\""] {
            let refused = send(Some(other)).await.is(412);
            assert_eq!(version_only(&refused), version(&before), "{path} {other}");
            refused.is_problem(412, "stale");
        }
        assert_eq!(tag(&actor.get(&path).await.is(200)), current, "nothing was changed");

        let after = send(Some(&format!("\"999\", {weak}, {current}"))).await.is(200);
        assert_eq!(version(&after), version(&before).map(|version| version + 1), "{path}");
        assert_eq!(after.json()["version"].as_i64(), version(&after), "{path}");
        send(Some(&current)).await.is_problem(412, "stale");
        let _ = send(Some("*")).await.is(200);
        // What a 412 tells is enough for the next try.
        let bare = format!("\"{}\"", version(&after).unwrap());
        let _ = send(Some(&bare)).await.is(200);
    }
}

fn version_only(reply: &Reply) -> Option<i64> {
    tag(reply).trim_matches('"').parse().ok()
}

#[tokio::test]
async fn what_changes_nothing_makes_no_version() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for (actor, path, change, _) in versioned(&team).await {
        let first = actor.patch(&path, change.clone()).await.is(200);
        let events = count(&app, "audit_events").await;
        for same in [change, json!({})] {
            let again = actor.patch(&path, same).await.is(200);
            assert_eq!((again.text(), tag(&again)), (first.text(), tag(&first)), "{path}");
        }
        assert_eq!(count(&app, "audit_events").await, events, "{path}");
    }
    // A value that is given back is as little of a change as one that is left out.
    let whole = json!({ "slug": team.slug, "name": "B Team", "time_zone": "Europe/Berlin" });
    assert_eq!(team.owner.patch("", whole).await.is(200).json()["version"], 2);
}

#[tokio::test]
async fn a_deletion_says_which_version_it_is_about() {
    let app = TestApp::start().await;
    let team = app.team().await;
    app.give_password(&team.owner).await;
    for (actor, path, change, deleted) in versioned(&team).await {
        let Some(method) = deleted else { continue };
        let seen = tag(&actor.get(&path).await.is(200));
        let _ = actor.patch(&path, change).await.is(200);
        actor.send(actor.bare(method, &path), format!("DELETE {path}")).await.is_problem(428, "precondition_required");
        actor.delete_if(&seen, &path).await.is_problem(412, "stale");
        let now = tag(&actor.get(&path).await.is(200));
        let _ = actor.delete_if(&now, &path).await.is(204);
    }
    let organization = async |tag: Option<&str>| {
        let request = team.owner.bare(Method::DELETE, "").json(&sure(json!({})));
        let request = tag.into_iter().fold(request, |request, tag| request.header("If-Match", tag));
        team.owner.send(request, "DELETE the organization".to_owned()).await
    };
    organization(None).await.is_problem(428, "precondition_required");
    organization(Some("\"2\"")).await.is_problem(412, "stale");
    let _ = organization(Some("\"1\"")).await.is(200);
}

#[tokio::test]
async fn of_two_who_change_what_both_have_seen_one_wins() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for (actor, path, ..) in versioned(&team).await {
        let seen = tag(&actor.get(&path).await.is(200));
        let [ada, eve] = ["Ada's", "Eve's"].map(|name| (name, actor.patch_if(&seen, &path, json!({ "name": name }))));
        let (first, second) = tokio::join!(ada.1, eve.1);
        let (winner, won, lost) = if first.status() == 200 { (ada.0, first, second) } else { (eve.0, second, first) };
        assert_eq!(won.is(200).json()["name"], winner, "{path}");
        lost.is_problem(412, "stale");
        assert_eq!(actor.get(&path).await.is(200).json()["name"], winner, "{path}");
    }
}

#[tokio::test]
async fn who_may_not_is_refused_before_anything_is_said_of_versions() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let outsider = app.person("outsider").await.within(&team.slug);
    for (_, path, change, _) in versioned(&team).await.into_iter().filter(|(_, path, ..)| path != "/v1/me") {
        for said in ["\"999\"", "nonsense"] {
            let change = async |actor: &Actor| actor.patch_if(said, &path, change.clone()).await;
            change(&app.stranger().within(&team.slug)).await.is_problem(401, "unauthenticated");
            change(&outsider).await.is_problem(404, "not_found");
            change(&team.guest).await.is_problem(403, "permission_missing");
        }
    }
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Water the plants", 3600).await["id"].as_str().unwrap().to_owned();
    for path in [
        String::new(),
        "/members".to_owned(),
        "/roles".to_owned(),
        "/roles/owner".to_owned(),
        "/projects".to_owned(),
        format!("/projects/{project}"),
        format!("/projects/{project}/grants"),
        "/tasks?limit=1".to_owned(),
        format!("/tasks/{task}"),
        "/deliveries".to_owned(),
        "/permissions".to_owned(),
        "/audit".to_owned(),
        "/v1/me".to_owned(),
        "/v1/orgs".to_owned(),
    ] {
        let whole = team.owner.get(&path).await.is(200);
        let known = tag(&whole);
        assert!(known.starts_with('"') && known.ends_with('"') && known.len() >= 18, "{path}: {known}");
        for said in [known.clone(), format!("W/{known}"), format!("\"a,b\", {known}"), "*".to_owned()] {
            let unchanged = unless(&team.owner, &said, &path).await.is(304);
            assert_eq!((unchanged.text(), unchanged.header("etag")), ("", Some(&*known)), "{path} {said}");
            assert_eq!(unchanged.header("content-type"), None, "{path}");
            assert_eq!(unchanged.header("cache-control"), Some("no-store"), "{path}");
        }
        for said in ["\"another\"", "nonsense", "\"\""] {
            let reply = unless(&team.owner, said, &path).await.is(200);
            assert_eq!((reply.text(), tag(&reply)), (whole.text(), known.clone()), "{path} {said}");
        }
        let head = team.owner.bare(Method::HEAD, &path);
        let head = team.owner.send(head, format!("HEAD {path}")).await.is(200);
        assert_eq!((tag(&head), head.text()), (known.clone(), ""), "{path}");
        let head = team.owner.bare(Method::HEAD, &path).header("If-None-Match", &known);
        let _ = team.owner.send(head, format!("HEAD {path} unless {known}")).await.is(304);
    }
}

#[tokio::test]
async fn a_tag_names_bytes_and_not_only_a_version() {
    let app = TestApp::start().await;
    let team = app.team().await;
    // The same version, and other permissions in it.
    let [owners, members] = [team.owner.get("").await.is(200), team.member.get("").await.is(200)];
    assert_eq!(version(&owners), version(&members));
    assert_ne!(tag(&owners), tag(&members));
    let _ = unless(&team.member, &tag(&owners), "").await.is(200);

    // A list has no version, and another tag when something in it is another.
    let project = team.project("OPS", "open").await;
    let list = tag(&team.owner.get("/projects").await.is(200));
    let _ = team.owner.patch(&format!("/projects/{project}"), json!({ "name": "Other" })).await.is(200);
    let other = unless(&team.owner, &list, "/projects").await.is(200);
    assert_ne!(tag(&other), list);
}

#[tokio::test]
async fn what_was_written_is_answered_with_its_tag() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let new = json!({ "key": "OPS", "name": "Operations" });
    let created = team.owner.post("/projects", new).await.is(201);
    let path = format!("/projects/{}", created.text_at("/id"));
    assert_eq!(version(&created), Some(1));
    assert_eq!(tag(&team.owner.get(&path).await.is(200)), tag(&created));
    // So one may go on without a look.
    let changed = team.owner.patch_if(&tag(&created), &path, json!({ "name": "Else" })).await.is(200);
    assert_eq!((version(&changed), tag(&team.owner.get(&path).await.is(200))), (Some(2), tag(&changed)));
    // What never had versions has a tag, too.
    let task = json!({ "project": created.text_at("/id"), "title": "Water the plants" });
    let task = team.owner.post("/tasks", task).await.is(201);
    assert_eq!(version(&task), Some(1));
    let done = team.owner.put(&format!("/tasks/{}/completion", task.text_at("/id")), Value::Null).await.is(200);
    assert_eq!(version(&done), Some(2));
    let role = json!({ "role": "viewer" });
    let grant = team.owner.put(&format!("{path}/grants/{}", team.guest.id), role).await.is(200);
    assert_eq!(version(&grant), None);
    assert!(tag(&grant).len() == 18, "{}", tag(&grant));
}
