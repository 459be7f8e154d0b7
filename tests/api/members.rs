//! Members who go, are put out or are kept out, and what goes with them.

use common::{access::Role, secrets::Purpose};
use harness::{Actor, Reply, Team, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{arrange, count};

async fn set_role(actor: &Actor, target: &Actor, role: &str) -> Reply {
    actor.put(&format!("/members/{}/role", target.id), json!({ "role": role })).await
}

async fn suspend(actor: &Actor, target: &Actor) -> Reply {
    actor.put(&format!("/members/{}/suspension", target.id), json!(null)).await
}

async fn remove(actor: &Actor, target: &Actor) -> Reply {
    actor.delete(&format!("/members/{}", target.id)).await
}

#[tokio::test]
async fn the_last_owner_can_neither_leave_nor_be_suspended_nor_removed() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let nobody_goes = async || {
        team.owner.delete("/members/me").await.is_problem(409, "last_owner");
        suspend(&team.owner, &team.owner).await.is_problem(409, "last_owner");
        remove(&team.owner, &team.owner).await.is_problem(409, "last_owner");
        set_role(&team.owner, &team.owner, "admin").await.is_problem(409, "last_owner");
    };
    nobody_goes().await;
    // An owner who is kept out owns nothing.
    let other = app.join(&team, "other", Role::Owner).await;
    let _ = suspend(&team.owner, &other).await.is(200);
    nobody_goes().await;
    // But may go for good: then the organization has one owner as before.
    let _ = remove(&team.owner, &other).await.is(204);
    let other = app.join(&team, "another", Role::Owner).await;
    let _ = team.owner.delete("/members/me").await.is(204);
    other.delete("/members/me").await.is_problem(409, "last_owner");
    team.owner.get("").await.is_problem(404, "not_found");
}

#[tokio::test]
async fn an_admin_never_touches_an_owner() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let other = app.join(&team, "other", Role::Owner).await;
    let untouched = async || {
        for role in ["admin", "guest", "owner"] {
            set_role(&team.admin, &other, role).await.is_problem(403, "role_above_own");
        }
        suspend(&team.admin, &other).await.is_problem(403, "role_above_own");
        team.admin.delete(&format!("/members/{}/suspension", other.id)).await.is_problem(403, "role_above_own");
        remove(&team.admin, &other).await.is_problem(403, "role_above_own");
    };
    untouched().await;
    let _ = suspend(&team.owner, &other).await.is(200);
    untouched().await;
    // Nor makes one, nor touches the offer to be one.
    set_role(&team.admin, &team.member, "owner").await.is_problem(403, "role_above_own");
    let offer = json!({ "email": "eve@example.org", "role": "owner" });
    let invitation = team.owner.post("/invitations", offer).await.is(201).text_at("/id");
    let path = format!("/invitations/{invitation}");
    team.admin.post(&format!("{path}/resend"), json!(null)).await.is_problem(403, "role_above_own");
    team.admin.delete(&path).await.is_problem(403, "role_above_own");
    // Among admins they do as they like.
    let equal = app.join(&team, "equal", Role::Admin).await;
    let _ = remove(&team.admin, &equal).await.is(204);
}

/// What hangs on a member. In this order: whether they are active, tokens, invitations, assignments, and waiting mails of
/// theirs.
async fn hold(app: &TestApp, who: &Actor) -> [i64; 5] {
    let of = |what: &str| format!("{what} = '{}'", who.id);
    [
        count(app, &of("memberships where status = 'active' and account_id")).await,
        count(app, &of("tokens where revoked_at is null and account_id")).await,
        count(app, &of("invitations where revoked_at is null and accepted_at is null and invited_by")).await,
        count(app, &of("task_assignees where account_id")).await,
        count(app, &of("deliveries d join mails m on m.id = d.mail_id and m.state = 'scheduled' where d.cancelled_at is null and d.account_id")).await,
    ]
}

/// An admin with much to lose: gives a program of theirs, an invitation's token, a private project and one of the owner's.
async fn entangle(app: &TestApp, team: &Team) -> (Actor, Value, String, String) {
    let scopes = json!({ "name": "a program", "org": team.slug, "scopes": ["tasks:read"] });
    let program = team.admin.post("/v1/me/tokens", scopes).await.is(201).text_at("/token");
    let offer = json!({ "email": "eve@example.org", "role": "guest" });
    let invitation = team.admin.post("/invitations", offer).await.is(201).text_at("/id").parse().unwrap();
    let token = app.key.mailed_token(Purpose::Invitation, invitation).reveal();
    let new = json!({ "key": "OWN", "name": "Their own", "visibility": "private" });
    let own = team.admin.post("/projects", new).await.is(201).text_at("/id");
    let theirs = team.project("OPS", "open").await;
    let grant = format!("/projects/{theirs}/grants/{}", team.admin.id);
    let _ = team.owner.put(&grant, json!({ "role": "editor" })).await.is(200);
    let task = json!({
        "project": theirs, "title": "Look", "assignees": [team.admin.id, team.member.id],
        "reminders": [{ "when": { "at": "2041-01-01T00:00:00Z" }, "to": "assignees" }],
    });
    let _ = team.owner.post("/tasks", task).await.is(201);
    (team.admin.with_token(Some(&program)), json!({ "invitation": token }), own, theirs)
}

async fn grants(actor: &Actor, project: &str) -> Vec<(String, String)> {
    let list = actor.get(&format!("/projects/{project}/grants")).await.is(200).json();
    let text = |grant: &Value, field: &str| grant[field].as_str().unwrap().to_owned();
    list["data"].as_array().unwrap().iter().map(|grant| (text(grant, "account_id"), text(grant, "role"))).collect()
}

/// What became of the mails that somebody was owed.
async fn reasons(app: &TestApp, who: &Actor) -> Vec<(String, String)> {
    sqlx::query_as(
        "select m.state, d.reason from deliveries d join mails m on m.id = d.mail_id
         where d.account_id = $1 and d.kind = 'reminder' and d.cancelled_at is not null",
    )
    .bind(who.id.0)
    .fetch_all(&app.admin)
    .await
    .unwrap()
}

async fn events(owner: &Actor, action: &str) -> Vec<Value> {
    owner.get(&format!("/audit?action={action}")).await.is(200).json()["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn removing_a_member_cuts_everything_in_one_transaction() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (program, invitation, own, theirs) = entangle(&app, &team).await;
    assert_eq!(hold(&app, &team.admin).await, [1, 1, 1, 1, 1]);
    // The last that a removal does is to write it down: stopped there, nobody sees any of it.
    let mut stop = app.admin.begin().await.unwrap();
    sqlx::query("lock table audit_events in share mode").execute(&mut *stop).await.unwrap();
    let (owner, path) = (team.owner.clone(), format!("/members/{}", team.admin.id));
    let removal = tokio::spawn(async move { owner.delete(&path).await });
    harness::eventually("the removal waits", async || (app.waiting().await == 1).then_some(())).await;
    assert_eq!(hold(&app, &team.admin).await, [1, 1, 1, 1, 1]);
    let _ = team.admin.get("/members").await.is(200);
    let _ = program.get("/tasks").await.is(200);
    stop.rollback().await.unwrap();
    let _ = removal.await.unwrap().is(204);
    assert_eq!(hold(&app, &team.admin).await, [0, 0, 0, 0, 0]);
    team.admin.get("/members").await.is_problem(404, "not_found");
    program.get("/tasks").await.is_problem(401, "unauthenticated");
    let eve = app.person("eve").await;
    arrange(&app, &format!("update accounts set email = 'eve@example.org' where id = '{}'", eve.id)).await;
    eve.post("/v1/me/memberships", invitation).await.is_problem(404, "not_found");
    assert_eq!(reasons(&app, &team.admin).await, [("cancelled".into(), "member removed".into())]);
    assert_eq!(hold(&app, &team.member).await[3..], [1, 1], "who stays keeps theirs");
    // The owner runs what nobody else does, and it is written who was there before.
    let owner = team.owner.id.to_string();
    assert_eq!(grants(&team.owner, &own).await, [(owner.clone(), "manager".into())]);
    assert_eq!(grants(&team.owner, &theirs).await, [(owner, "manager".into())]);
    let inherited = events(&team.owner, "project.inherited").await;
    assert_eq!(inherited.len(), 1, "{inherited:?}");
    assert_eq!(inherited[0]["subject_id"], json!(own));
    assert_eq!(inherited[0]["after"], json!({ "by": "owners", "from": team.admin.id }));
    let removed = events(&team.owner, "member.removed").await;
    assert_eq!(
        (&removed[0]["subject_id"], &removed[0]["before"]),
        (&json!(team.admin.id), &json!({ "role": "admin" }))
    );
    assert_eq!(removed[0]["request_id"], inherited[0]["request_id"]);
}

#[tokio::test]
async fn who_comes_back_after_a_removal_has_nothing_from_before() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (program, _, own, theirs) = entangle(&app, &team).await;
    let _ = team.admin.delete("/members/me").await.is(204);
    let left = events(&team.owner, "member.left").await;
    assert_eq!((&left[0]["actor_id"], &left[0]["subject_id"]), (&json!(team.admin.id), &json!(team.admin.id)));
    assert_eq!(reasons(&app, &team.admin).await, [("cancelled".into(), "member left".into())]);
    let offer = json!({ "email": team.admin.email, "role": "member" });
    let id = team.owner.post("/invitations", offer).await.is(201).text_at("/id").parse().unwrap();
    let token = app.key.mailed_token(Purpose::Invitation, id).reveal();
    let _ = team.admin.post("/v1/me/memberships", json!({ "invitation": token })).await.is(201);
    assert_eq!(hold(&app, &team.admin).await, [1, 0, 0, 0, 0]);
    program.get("/tasks").await.is_problem(401, "unauthenticated");
    team.admin.get(&format!("/projects/{own}")).await.is_problem(404, "not_found");
    assert_eq!(grants(&team.admin, &theirs).await, [(team.owner.id.to_string(), "manager".into())]);
}

#[tokio::test]
async fn who_was_suspended_comes_back_with_their_grants_alone() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (program, _, own, _) = entangle(&app, &team).await;
    let suspended = suspend(&team.owner, &team.admin).await.is(200).json();
    assert_eq!((&suspended["role"], &suspended["status"]), (&json!("admin"), &json!("suspended")));
    assert_eq!(hold(&app, &team.admin).await, [0, 0, 0, 0, 0]);
    assert_eq!(reasons(&app, &team.admin).await, [("cancelled".into(), "member suspended".into())]);
    assert_eq!(grants(&team.owner, &own).await.len(), 2, "the owner runs it beside who cannot");
    // A second time is none.
    let _ = suspend(&team.owner, &team.admin).await.is(200);
    assert_eq!(events(&team.owner, "member.suspended").await.len(), 1);
    team.owner
        .post("/invitations", json!({ "email": team.admin.email, "role": "guest" }))
        .await
        .is_problem(409, "already_member");
    let path = format!("/members/{}/suspension", team.admin.id);
    for _ in 0..2 {
        assert_eq!(team.owner.delete(&path).await.is(200).json()["status"], "active");
    }
    assert_eq!(events(&team.owner, "member.reinstated").await.len(), 1);
    assert_eq!(hold(&app, &team.admin).await, [1, 0, 0, 0, 0]);
    assert_eq!(team.admin.get(&format!("/projects/{own}")).await.is(200).json()["permissions"][0], "projects:manage");
    program.get("/tasks").await.is_problem(401, "unauthenticated");
}

/// Everything of an answer but the time: its status, its headers, its body.
async fn heard(actor: &Actor, method: &Method, path: &str) -> (u16, Vec<String>, String) {
    let request =
        actor.request(method.clone(), path).header("X-Request-Id", "the-same").json(&json!({ "role": "guest" }));
    let response = request.send().await.unwrap();
    let headers = response.headers().iter().filter(|(name, _)| *name != "date");
    let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.sort_unstable();
    (response.status().as_u16(), headers, response.text().await.unwrap())
}

#[tokio::test]
async fn a_suspended_member_an_outsider_and_who_asks_for_what_never_was_hear_the_same() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (outsider, removed) = (app.person("outsider").await, app.join(&team, "removed", Role::Admin).await);
    let _ = suspend(&team.owner, &team.admin).await.is(200);
    let _ = remove(&team.owner, &removed).await.is(204);
    let project = team.project("OPS", "open").await;
    let paths = [
        (Method::GET, String::new()),
        (Method::GET, "/members".to_owned()),
        (Method::GET, "/audit".to_owned()),
        (Method::GET, format!("/projects/{project}")),
        (Method::PUT, format!("/members/{}/role", team.member.id)),
        (Method::DELETE, "/members/me".to_owned()),
        (Method::DELETE, format!("/projects/{project}/grants/{}", team.owner.id)),
        (Method::POST, "/roles".to_owned()),
    ];
    for (method, path) in paths {
        let nowhere = heard(&outsider.within("no-such-team"), &method, &path).await;
        assert_eq!(nowhere.0, 404, "{path}");
        for actor in [&team.admin, &removed, &outsider] {
            for org in [&team.slug, &team.id.to_string()] {
                assert_eq!(heard(&actor.within(org), &method, &path).await, nowhere, "{method} {path}");
            }
        }
    }
    // So do members who ask for objects that they may not know of.
    let secret = team.project("SECRET", "private").await;
    let (unseen, unknown) = (format!("/projects/{secret}"), format!("/projects/{}", uuid::Uuid::now_v7()));
    for (method, rest) in [(Method::GET, ""), (Method::PATCH, ""), (Method::GET, "/grants")] {
        let of = async |path: &str| heard(&team.member, &method, &format!("{path}{rest}")).await;
        let (unseen, unknown) = (of(&unseen).await, of(&unknown).await);
        assert_eq!(unseen, unknown, "{method} {rest}");
    }
}
