//! Every change of who may do what leaves one event: by whom, to whom, what it was before and what after, in which request.

use common::secrets::Purpose;
use harness::{Actor, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{call, sure};

/// Does something, and asserts the one event that it leaves in the organization's log.
struct Trail<'a> {
    app: &'a TestApp,
    count: usize,
}

impl Trail<'_> {
    /// `expected`: action, subject, before, after.
    async fn leaves(
        &mut self,
        actor: &Actor,
        request: (Method, &str, Value),
        expected: (&str, Value, Value, Value),
    ) -> Value {
        let (method, path, body) = request;
        self.count += 1;
        let id = format!("request-{}", self.count);
        let reply = call(actor, method, path, &id, body).await;
        assert!(reply.status() < 300, "{path}: {}", reply.text());
        let events: Vec<Value> = sqlx::query_scalar("select to_jsonb(e) from audit_events e where request_id = $1")
            .bind(&id)
            .fetch_all(&self.app.admin)
            .await
            .unwrap();
        assert_eq!(events.len(), 1, "{path}: {events:?}");
        let event = &events[0];
        let (action, subject, before, after) = expected;
        assert_eq!((&event["action"], &event["actor_id"]), (&json!(action), &json!(actor.id)), "{event}");
        assert_eq!((&event["before"], &event["after"]), (&before, &after), "{action}");
        if !subject.is_null() {
            assert_eq!(event["subject_id"], subject, "{action}");
        }
        assert_eq!(event["address"], "127.0.0.1");
        assert!(event["credential_id"].is_string() && event["org_id"].is_string(), "{event}");
        if reply.text().is_empty() { Value::Null } else { reply.json() }
    }
}

const NONE: Value = Value::Null;

fn role(name: &str) -> Value {
    json!({ "role": name })
}

#[tokio::test]
async fn a_change_of_members_or_roles_leaves_an_event() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (owner, admin, mut trail) = (&team.owner, &team.admin, Trail { app: &app, count: 0 });
    let key = json!({ "key": "clerk", "name": "Clerk", "permissions": ["members:list"] });
    let made = json!({ "key": "clerk", "permissions": ["members:list"] });
    trail.leaves(admin, (Method::POST, "/roles", key.clone()), ("role.created", NONE, NONE, made.clone())).await;
    let wider = json!({ "permissions": ["audit:read"] });
    let after = json!({ "key": "clerk", "name": "Clerk", "permissions": ["audit:read"] });
    trail.leaves(owner, (Method::PATCH, "/roles/clerk", wider), ("role.updated", NONE, key, after)).await;
    let (member, guest) = (json!(team.member.id), json!(team.guest.id));
    let of = |who: &Actor, rest: &str| format!("/members/{}{rest}", who.id);
    let path = of(&team.guest, "/role");
    let expected = ("member.role_changed", guest.clone(), role("guest"), role("clerk"));
    trail.leaves(admin, (Method::PUT, &path, role("clerk")), expected).await;
    let path = of(&team.member, "/suspension");
    let expected = ("member.suspended", member.clone(), role("member"), NONE);
    trail.leaves(admin, (Method::PUT, &path, NONE), expected).await;
    trail.leaves(owner, (Method::DELETE, &path, NONE), ("member.reinstated", member.clone(), NONE, NONE)).await;
    let removed = ("member.removed", guest.clone(), role("clerk"), NONE);
    trail.leaves(admin, (Method::DELETE, &of(&team.guest, ""), NONE), removed).await;
    let left = ("member.left", member, role("member"), NONE);
    trail.leaves(&team.member, (Method::DELETE, "/members/me", NONE), left).await;
    let before = json!({ "key": "clerk", "permissions": ["audit:read"] });
    trail.leaves(owner, (Method::DELETE, "/roles/clerk", NONE), ("role.deleted", NONE, before, NONE)).await;
}

#[tokio::test]
async fn an_invitation_leaves_an_event_at_each_of_its_turns() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (owner, admin, mut trail) = (&team.owner, &team.admin, Trail { app: &app, count: 0 });
    let eve = app.person("eve").await;
    let offer = json!({ "email": eve.email, "role": "guest" });
    let told = |by: &Actor| json!({ "email": eve.email, "role": "guest", "invited_by": by.id });
    let expected = ("invitation.created", NONE, NONE, told(admin));
    let id = trail.leaves(admin, (Method::POST, "/invitations", offer.clone()), expected).await["id"].clone();
    let path = format!("/invitations/{}", id.as_str().unwrap());
    let expected = ("invitation.resent", id.clone(), told(admin), told(owner));
    trail.leaves(owner, (Method::POST, &format!("{path}/resend"), NONE), expected).await;
    trail.leaves(admin, (Method::DELETE, &path, NONE), ("invitation.revoked", id, told(owner), NONE)).await;
    let id = owner.post("/invitations", offer).await.is(201).text_at("/id").parse().unwrap();
    let token = json!({ "invitation": app.key.mailed_token(Purpose::Invitation, id).reveal() });
    let expected = ("invitation.accepted", json!(id), NONE, role("guest"));
    trail.leaves(&eve, (Method::POST, "/v1/me/memberships", token), expected).await;
}

#[tokio::test]
async fn a_change_in_a_project_leaves_an_event() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let mut trail = Trail { app: &app, count: 0 };
    let new = json!({ "key": "OPS", "name": "Operations", "visibility": "open" });
    let told =
        |name: &str, visibility: &str| json!({ "key": "OPS", "name": name, "colour": NONE, "visibility": visibility });
    let expected = ("project.created", NONE, NONE, told("Operations", "open"));
    let id = trail.leaves(&team.member, (Method::POST, "/projects", new), expected).await["id"].clone();
    let path = format!("/projects/{}", id.as_str().unwrap());
    let expected = ("project.updated", id.clone(), told("Operations", "open"), told("Secret", "private"));
    let changes = json!({ "name": "Secret", "visibility": "private" });
    trail.leaves(&team.member, (Method::PATCH, &path, changes), expected).await;
    let grant = format!("{path}/grants/{}", team.guest.id);
    let held = |role: Value| json!({ "project": id, "role": role });
    let guest = json!(team.guest.id);
    for (before, after) in [(NONE, json!("viewer")), (json!("viewer"), json!("editor"))] {
        let expected = ("grant.set", guest.clone(), held(before), held(after.clone()));
        trail.leaves(&team.member, (Method::PUT, &grant, json!({ "role": after })), expected).await;
    }
    let expected = ("grant.removed", guest, held(json!("editor")), NONE);
    trail.leaves(&team.member, (Method::DELETE, &grant, NONE), expected).await;
    let after = json!({ "reason": "to see", "visibility": "private", "account": team.owner.id });
    let expected = ("project.glass_broken", id.clone(), NONE, after);
    trail.leaves(&team.owner, (Method::POST, &format!("{path}/access"), json!({ "reason": "to see" })), expected).await;
}

#[tokio::test]
async fn a_change_of_the_organization_leaves_an_event() {
    let app = TestApp::start().await;
    let team = app.team().await;
    for person in [&team.owner, &team.member] {
        app.give_password(person).await;
    }
    let mut trail = Trail { app: &app, count: 0 };
    let id = json!(team.id);
    let settings =
        |name: &str, zone: &str| json!({ "slug": team.slug, "name": name, "time_zone": zone, "default_reminders": [] });
    let expected =
        ("organization.updated", id.clone(), settings("A Team", "Europe/Berlin"), settings("The Team", "Asia/Tokyo"));
    let changes = json!({ "name": "The Team", "time_zone": "Asia/Tokyo" });
    trail.leaves(&team.admin, (Method::PATCH, "", changes), expected).await;
    let to = json!({ "owner": team.member.id });
    let expected =
        ("organization.transferred", json!(team.member.id), json!({ "owner": team.owner.id, "role": "member" }), to);
    trail.leaves(&team.owner, (Method::POST, "/transfer", sure(json!({ "account": team.member.id }))), expected).await;
    // When it will be gone is not known beforehand.
    let gone = call(&team.member, Method::DELETE, "", "deletion", sure(json!({}))).await.is(200);
    let event = team.member.delete("/deletion").await.is(200);
    assert_eq!(event.json()["deletion_due_at"], NONE);
    let deleted = team.member.get("/audit?action=organization.deleted").await.is(200).json()["data"][0].clone();
    assert_eq!((&deleted["request_id"], &deleted["actor_id"]), (&json!("deletion"), &json!(team.member.id)));
    assert_eq!((&deleted["subject_id"], &deleted["before"]), (&id, &NONE));
    let due = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(due(&deleted["after"]["due_at"]), due(&gone.json()["deletion_due_at"]));
    let _ = call(&team.member, Method::DELETE, "", "again", sure(json!({}))).await.is(200);
    trail.leaves(&team.member, (Method::DELETE, "/deletion", NONE), ("organization.restored", id, NONE, NONE)).await;
}
