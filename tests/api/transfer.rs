//! Handing an organization over.

use common::{access::Role, ids::AccountId};
use futures::future::join_all;
use harness::{Actor, PASSWORD, Reply, Team, TestApp};
use serde_json::{Value, json};

use crate::people::{count, notices, personal_token};

async fn team_with_passwords(app: &TestApp) -> Team {
    let team = app.team().await;
    for person in [&team.owner, &team.admin, &team.member] {
        app.give_password(person).await;
    }
    team
}

async fn hand_over(from: &Actor, to: AccountId, password: &str) -> Reply {
    from.post("/transfer", json!({ "account": to, "password": password })).await
}

async fn roles(actor: &Actor) -> Vec<(String, String)> {
    let list = actor.get("/members").await.is(200).json();
    let text = |member: &Value, field: &str| member[field].as_str().unwrap().to_owned();
    list["data"].as_array().unwrap().iter().map(|member| (text(member, "name"), text(member, "role"))).collect()
}

fn named(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, role)| ((*name).to_owned(), (*role).to_owned())).collect()
}

const BEFORE: [(&str, &str); 4] = [("owner", "owner"), ("admin", "admin"), ("member", "member"), ("guest", "guest")];

#[tokio::test]
async fn a_transfer_is_one_step() {
    let app = TestApp::start().await;
    let worker = app.work();
    let team = team_with_passwords(&app).await;
    let changed = hand_over(&team.owner, team.member.id, PASSWORD).await.is(200).json();
    assert_eq!((&changed["account_id"], &changed["role"]), (&json!(team.member.id), &json!("owner")));
    let after = [("owner", "admin"), ("admin", "admin"), ("member", "owner"), ("guest", "guest")];
    assert_eq!(roles(&team.owner).await, named(&after));
    // From the next request on.
    hand_over(&team.owner, team.admin.id, PASSWORD).await.is_problem(403, "permission_missing");
    let event = team.member.get("/audit?action=organization.transferred").await.is(200).json()["data"][0].clone();
    assert_eq!((&event["actor_id"], &event["subject_id"]), (&json!(team.owner.id), &json!(team.member.id)));
    assert_eq!(event["before"], json!({ "owner": team.owner.id, "role": "member" }));
    assert_eq!(event["after"], json!({ "owner": team.member.id }));
    // Both are told.
    for person in [&team.owner, &team.member] {
        let mail = app.mail_to(&person.email).await.text().unwrap();
        assert!(mail.contains("A Team") && mail.contains("member"), "{mail}");
        assert_eq!(notices(&app, person.id).await, ["transferred"]);
    }
    assert_eq!(notices(&app, team.admin.id).await, [] as [&str; 0]);
    worker.stop().await;
}

#[tokio::test]
async fn a_transfer_takes_an_owner_their_password_and_an_active_member() {
    let app = TestApp::start().await;
    let team = team_with_passwords(&app).await;
    hand_over(&team.owner, team.member.id, "not their password").await.is_problem(401, "wrong_password");
    hand_over(&team.admin, team.admin.id, PASSWORD).await.is_problem(403, "permission_missing");
    hand_over(&team.admin, team.member.id, PASSWORD).await.is_problem(403, "permission_missing");
    let outsider = app.person("outsider").await;
    hand_over(&team.owner, outsider.id, PASSWORD).await.is_problem(404, "not_found");
    hand_over(&team.owner, team.owner.id, PASSWORD).await.is_problem(409, "already_owner");
    let _ = team.owner.put(&format!("/members/{}/suspension", team.guest.id), json!(null)).await.is(200);
    hand_over(&team.owner, team.guest.id, PASSWORD).await.is_problem(409, "not_active");
    let program = personal_token(&team.owner, &team.slug).await;
    hand_over(&program, team.member.id, PASSWORD).await.is_problem(403, "permission_missing");
    let everything = json!({ "name": "x", "org": team.slug, "scopes": ["organization:own"] });
    let program = team.owner.post("/v1/me/tokens", everything).await.is(201).text_at("/token");
    let program = team.owner.with_token(Some(&program));
    hand_over(&program, team.member.id, PASSWORD).await.is_problem(403, "session_needed");
    assert_eq!(roles(&team.owner).await, named(&BEFORE));
    assert_eq!(count(&app, "deliveries where kind = 'notice'").await, 0);
    assert_eq!(count(&app, "audit_events where action = 'organization.transferred'").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_transfers_at_once_make_one_owner() {
    let app = TestApp::start().await;
    for round in 0..8 {
        let team = team_with_passwords(&app).await;
        let replies = join_all([
            hand_over(&team.owner, team.admin.id, PASSWORD),
            hand_over(&team.owner, team.member.id, PASSWORD),
        ])
        .await;
        let mut statuses: Vec<u16> = replies.iter().map(Reply::status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "{round}: {replies:?}");
        let owners = format!("memberships where role = 'owner' and org_id = '{}'", team.id);
        assert_eq!(count(&app, &owners).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_handed_the_organization_while_they_go_does_not_leave_it_ownerless() {
    let app = TestApp::start().await;
    for round in 0..8 {
        let team = team_with_passwords(&app).await;
        let heir = app.join(&team, "heir", Role::Member).await;
        let (given, gone) = if round % 2 == 0 {
            tokio::join!(hand_over(&team.owner, heir.id, PASSWORD), heir.delete("/members/me"))
        } else {
            let suspension = format!("/members/{}/suspension", heir.id);
            tokio::join!(hand_over(&team.owner, heir.id, PASSWORD), team.admin.put(&suspension, json!(null)))
        };
        // One of them comes too late.
        let pair = (given.status(), gone.status());
        assert!(matches!(pair, (200, 409 | 403) | (404 | 409, 200 | 204)), "{round}: {given:?} {gone:?}");
        let owners = format!("memberships where role = 'owner' and status = 'active' and org_id = '{}'", team.id);
        assert_eq!(count(&app, &owners).await, 1);
    }
}
