//! What an invitation gives, for how long, and on whose word.

use common::secrets::Purpose;
use harness::{Actor, Team, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::arrange;

/// Invites somebody; gives the invitation's id and what its mail holds.
async fn invite(app: &TestApp, by: &Actor, email: &str, role: &str) -> (String, Value) {
    let id = by.post("/invitations", json!({ "email": email, "role": role })).await.is(201).text_at("/id");
    let token = app.key.mailed_token(Purpose::Invitation, id.parse().unwrap()).reveal();
    (id, json!({ "invitation": token }))
}

/// What the newest mail of an invitation holds.
async fn newest(app: &TestApp, id: &str) -> Value {
    let token: Uuid = sqlx::query_scalar("select token_id from invitations where id = $1::uuid")
        .bind(id)
        .fetch_one(&app.admin)
        .await
        .unwrap();
    json!({ "invitation": app.key.mailed_token(Purpose::Invitation, token).reveal() })
}

async fn set_role(actor: &Actor, target: &Actor, role: &str) {
    let _ = actor.put(&format!("/members/{}/role", target.id), json!({ "role": role })).await.is(200);
}

async fn make_role(team: &Team, key: &str, permissions: &[&str]) {
    let new = json!({ "key": key, "name": key, "permissions": permissions });
    let _ = team.owner.post("/roles", new).await.is(201);
}

async fn accept(who: &Actor, token: Value) -> harness::Reply {
    who.post("/v1/me/memberships", token).await
}

#[tokio::test]
async fn nobody_gives_a_permission_they_lack_by_invitation() {
    let app = TestApp::start().await;
    let team = app.team().await;
    make_role(&team, "clerk", &["members:manage", "tasks:read"]).await;
    make_role(&team, "scout", &["tasks:read"]).await;
    make_role(&team, "auditor", &["audit:read"]).await;
    set_role(&team.owner, &team.guest, "clerk").await;
    let offer = |role: &str| json!({ "email": "eve@example.org", "role": role });
    for role in ["owner", "admin", "member", "auditor"] {
        team.guest.post("/invitations", offer(role)).await.is_problem(403, "role_above_own");
    }
    // Neither is what others have offered theirs to send again or to take back.
    let (theirs, _) = invite(&app, &team.owner, "zoe@example.org", "auditor").await;
    team.guest.post(&format!("/invitations/{theirs}/resend"), json!(null)).await.is_problem(403, "role_above_own");
    team.guest.delete(&format!("/invitations/{theirs}")).await.is_problem(403, "role_above_own");
    let (own, _) = invite(&app, &team.guest, "eve@example.org", "scout").await;
    let _ = team.guest.delete(&format!("/invitations/{own}")).await.is(204);
    // A program offers what it lets through, not what its owner holds.
    let scopes = json!({ "name": "x", "org": team.slug, "scopes": ["members:manage"] });
    let program = team.owner.post("/v1/me/tokens", scopes).await.is(201).text_at("/token");
    let program = team.owner.with_token(Some(&program));
    program.post("/invitations", offer("scout")).await.is_problem(403, "role_above_own");
    let _ = program.post("/invitations", offer("guest")).await.is(201);
}

#[tokio::test]
async fn an_invitation_gives_neither_more_than_was_offered_nor_more_than_its_inviter_holds() {
    let app = TestApp::start().await;
    let team = app.team().await;
    make_role(&team, "clerk", &["members:manage", "tasks:read"]).await;
    make_role(&team, "scout", &["tasks:read", "comments:write"]).await;
    let people = [("eve", "admin"), ("zoe", "member"), ("kim", "scout"), ("lou", "guest")];
    let mut asked = Vec::new();
    for (name, role) in people {
        let person = app.person(name).await;
        asked.push((invite(&app, &team.admin, &person.email, role).await.1, person));
    }
    set_role(&team.owner, &team.admin, "clerk").await;
    let mut given = Vec::new();
    for (token, person) in asked {
        given.push(accept(&person, token).await.is(201).text_at("/role"));
    }
    // Less than admins are clerks. Members and scouts hold what clerks do not, but manage nobody: that was not offered.
    assert_eq!(given, ["clerk", "guest", "guest", "guest"]);
    // What an offered role gives is decided when it is accepted.
    let eve = app.person("eve").await;
    let (_, token) = invite(&app, &team.owner, &eve.email, "scout").await;
    let _ = team.owner.patch("/roles/scout", json!({ "permissions": ["audit:read"] })).await.is(200);
    let _ = accept(&eve, token).await.is(201);
    let _ = eve.within(&team.slug).get("/audit").await.is(200);
}

#[tokio::test]
async fn sending_it_again_voids_the_mails_before() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let eve = app.person("eve").await;
    let (id, first) = invite(&app, &team.admin, &eve.email, "member").await;
    let again = format!("/invitations/{id}/resend");
    let resent = team.owner.post(&again, json!(null)).await.is(200);
    assert_eq!(resent.json()["invited_by"], json!(team.owner.id));
    assert!(!resent.text().contains("token"), "{}", resent.text());
    let second = newest(&app, &id).await;
    assert_ne!(first, second);
    accept(&eve, first).await.is_problem(404, "not_found");
    let states: Vec<(String, Option<String>)> =
        sqlx::query_as("select state, reason from mails where kind = 'invitation' order by id")
            .fetch_all(&app.admin)
            .await
            .unwrap();
    let cancelled = ("cancelled".to_owned(), Some("sent again with another token".to_owned()));
    assert_eq!(states, [cancelled, ("scheduled".to_owned(), None)]);
    // It is the offer of who sent it last: the first inviter takes nothing along.
    let _ = team.owner.delete(&format!("/members/{}", team.admin.id)).await.is(204);
    assert_eq!(accept(&eve, second).await.is(201).json()["role"], "member");
    team.owner.post(&again, json!(null)).await.is_problem(404, "not_found");
    let event = team.owner.get("/audit?action=invitation.resent").await.is(200).json()["data"][0].clone();
    assert_eq!(
        (&event["before"]["invited_by"], &event["after"]["invited_by"]),
        (&json!(team.admin.id), &json!(team.owner.id))
    );
}

#[tokio::test]
async fn an_offer_ends_when_it_is_taken_back_too_old_or_its_inviter_is_out() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let eve = app.person("eve").await;
    let (id, token) = invite(&app, &team.admin, &eve.email, "member").await;
    let _ = team.owner.delete(&format!("/invitations/{id}")).await.is(204);
    accept(&eve, token).await.is_problem(404, "not_found");
    team.owner.delete(&format!("/invitations/{id}")).await.is_problem(404, "not_found");

    let (id, token) = invite(&app, &team.admin, &eve.email, "member").await;
    let week = "expires_at between now() + interval '6 days 23 hours' and now() + interval '7 days'";
    assert_eq!(crate::people::count(&app, &format!("invitations where id = '{id}' and {week}")).await, 1);
    arrange(&app, &format!("update invitations set expires_at = now() where id = '{id}'")).await;
    accept(&eve, token).await.is_problem(404, "not_found");
    assert_eq!(team.owner.get("/invitations").await.is(200).json()["data"], json!([]));
    // It may be sent again, and counts again.
    let _ = team.admin.post(&format!("/invitations/{id}/resend"), json!(null)).await.is(200);
    let token = newest(&app, &id).await;

    let suspension = format!("/members/{}/suspension", team.admin.id);
    let _ = team.owner.put(&suspension, json!(null)).await.is(200);
    accept(&eve, token.clone()).await.is_problem(404, "not_found");
    let _ = team.owner.delete(&suspension).await.is(200);
    accept(&eve, token).await.is_problem(404, "not_found");
    // And the worker does not send what is void.
    let worker = app.work();
    let states = app.all_settled().await;
    assert!(states.iter().all(|state| state == "cancelled"), "{states:?}");
    worker.stop().await;
}

#[tokio::test]
async fn an_answer_does_not_tell_whether_the_address_has_an_account() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let eve = app.person("eve").await;
    let shape = async |email: &str| {
        let reply = team.admin.post("/invitations", json!({ "email": email, "role": "guest" })).await.is(201);
        let json = reply.json();
        let fields: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        (fields, json["role"].clone(), json["invited_by"].clone())
    };
    assert_eq!(shape(&eve.email).await, shape("nobody@example.org").await);
}
