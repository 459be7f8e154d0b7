use common::secrets::Purpose;
use harness::{Team, TestApp};
use serde_json::{Value, json};

/// Invites somebody and gives what their mail would hold.
async fn invite(app: &TestApp, team: &Team, email: &str, role: &str) -> Value {
    let invitation = team.admin.post("/invitations", json!({ "email": email, "role": role })).await.is(201);
    let id = invitation.text_at("/id").parse().unwrap();
    json!({ "invitation": app.key.mailed_token(Purpose::Invitation, id).reveal() })
}

#[tokio::test]
async fn an_invitation_is_accepted_from_its_mail() {
    let app = TestApp::start().await;
    let worker = app.work();
    let team = app.team().await;
    let eve = app.person("eve").await;
    let invited = team.admin.post("/invitations", json!({ "email": eve.email, "role": "member" })).await.is(201);
    assert!(!invited.text().contains("token"), "{}", invited.text());
    let mail = app.mail_to(&eve.email).await.text().unwrap();
    let is_token = |line: &&str| line.parse::<common::secrets::Token>().is_ok();
    let token = mail.lines().map(str::trim).find(is_token).unwrap();
    let joined = eve.post("/v1/me/memberships", json!({ "invitation": token })).await.is(201).json();
    assert_eq!((&joined["role"], &joined["org_slug"]), (&json!("member"), &json!(team.slug)));
    let _ = eve.within(&team.slug).get("/members").await.is(200);
    eve.post("/v1/me/memberships", json!({ "invitation": token })).await.is_problem(404, "not_found");
    worker.stop().await;
}

#[tokio::test]
async fn an_invitation_is_for_its_own_address_alone() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (eve, mallory) = (app.person("eve").await, app.person("mallory").await);
    let acceptance = invite(&app, &team, &eve.email, "admin").await;
    mallory.post("/v1/me/memberships", acceptance.clone()).await.is_problem(404, "not_found");
    let _ = eve.post("/v1/me/memberships", acceptance).await.is(201);
}

#[tokio::test]
async fn nobody_invites_above_themselves_or_twice_or_a_member() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let offer = |email: &str, role: &str| json!({ "email": email, "role": role });
    team.admin.post("/invitations", offer("eve@example.org", "owner")).await.is_problem(403, "role_above_own");
    team.member.post("/invitations", offer("eve@example.org", "guest")).await.is_problem(403, "permission_missing");
    let _ = team.owner.post("/invitations", offer("eve@example.org", "owner")).await.is(201);
    team.admin.post("/invitations", offer("eve@example.org", "guest")).await.is_problem(409, "already_invited");
    team.admin.post("/invitations", offer(&team.member.email, "guest")).await.is_problem(409, "already_member");
}

#[tokio::test]
async fn what_an_inviter_has_lost_an_invitation_cannot_give() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (eve, zoe) = (app.person("eve").await, app.person("zoe").await);
    let for_eve = invite(&app, &team, &eve.email, "admin").await;
    let second = team.owner.put(&format!("/members/{}/role", team.admin.id), json!({ "role": "owner" })).await;
    let _ = second.is(200);
    let for_zoe = invite(&app, &team, &zoe.email, "owner").await;
    let _ = team.owner.put(&format!("/members/{}/role", team.admin.id), json!({ "role": "admin" })).await.is(200);
    // Capped by what the inviter is now.
    assert_eq!(zoe.post("/v1/me/memberships", for_zoe).await.is(201).json()["role"], "admin");
    let _ = team.owner.put(&format!("/members/{}/role", team.admin.id), json!({ "role": "member" })).await.is(200);
    // Who may not invite any more has invited nobody.
    eve.post("/v1/me/memberships", for_eve).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn pending_invitations_are_listed_without_their_tokens() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let token = invite(&app, &team, "eve@example.org", "guest").await;
    let list = team.owner.get("/invitations").await.is(200);
    assert_eq!(list.json()["data"][0]["email"], "eve@example.org");
    assert!(!list.text().contains(token["invitation"].as_str().unwrap()));
    team.member.get("/invitations").await.is_problem(403, "permission_missing");
}

#[tokio::test]
async fn an_invitation_whose_mail_never_arrived_can_be_made_again() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let offer = json!({ "email": "eve@example.org", "role": "guest" });
    let _ = team.admin.post("/invitations", offer.clone()).await.is(201);
    let life: bool = sqlx::query_scalar("select expires_at > now() + interval '6 days' from mails")
        .fetch_one(&app.admin)
        .await
        .unwrap();
    assert!(life, "the mail is tried for as long as the offer stands");
    team.admin.post("/invitations", offer.clone()).await.is_problem(409, "already_invited");
    sqlx::query("update mails set state = 'expired'").execute(&app.admin).await.unwrap();
    let _ = team.admin.post("/invitations", offer).await.is(201);
}

#[tokio::test]
async fn an_invitation_is_declined_by_whoever_has_its_mail() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let eve = app.person("eve").await;
    let token = invite(&app, &team, &eve.email, "member").await;
    let _ = app.stranger().post("/v1/invitations/declines", token.clone()).await.is(204);
    app.stranger().post("/v1/invitations/declines", token.clone()).await.is_problem(404, "not_found");
    eve.post("/v1/me/memberships", token).await.is_problem(404, "not_found");
    assert_eq!(team.owner.get("/invitations").await.is(200).json()["data"], json!([]));
    let event = team.owner.get("/audit?action=invitation.declined").await.is(200).json();
    assert_eq!(event["data"][0]["actor_id"], Value::Null, "nobody has signed in");
    // There is room for another.
    let _ = invite(&app, &team, &eve.email, "guest").await;
}
