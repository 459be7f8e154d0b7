//! How much there may be of everything is the operator's to say; to the last one, whoever else asks at the same moment.

use harness::{Actor, Reply, TestApp};
use serde_json::{Value, json};

use crate::people::{arrange, count};

async fn invite(by: &Actor, name: &str) -> Reply {
    by.post("/invitations", json!({ "email": format!("{name}@example.org"), "role": "guest" })).await
}

/// Asserts that there is as much as there may be, and gives the sentence that says so.
fn full(reply: Reply) -> String {
    reply.is_problem(409, "quota_reached")["detail"].as_str().unwrap().to_owned()
}

/// The same deed many times at once; how many of them were done, the others having been refused for being too many.
async fn all_at_once(deeds: impl Fn(usize) -> futures::future::BoxFuture<'static, Reply>) -> usize {
    let replies = futures::future::join_all((0..8).map(|n| tokio::spawn(deeds(n)))).await;
    let done = |reply: &Reply| {
        let reply = reply.clone();
        if reply.status() == 201 { true } else { full(reply).is_empty() }
    };
    replies.into_iter().filter(|reply| done(reply.as_ref().unwrap())).count()
}

#[tokio::test]
async fn members_and_invitations_share_the_places_of_an_organization() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_MEMBERS", "6")]).await;
    let team = app.team().await;
    let first = invite(&team.owner, "first").await.is(201).text_at("/id");
    let _ = invite(&team.admin, "second").await.is(201);
    let said = full(invite(&team.owner, "third").await);
    assert_eq!(said, "This would be more than the 6 members and invitations that an organization may have.");
    // Taken back, or run out, an invitation holds no place.
    let _ = team.owner.delete(&format!("/invitations/{first}")).await.is(204);
    let third = invite(&team.owner, "third").await.is(201).text_at("/id");
    arrange(&app, "update invitations set expires_at = now() where email = 'third@example.org'").await;
    let _ = invite(&team.owner, "fourth").await.is(201);
    // Sent again, it would take one.
    full(team.owner.post(&format!("/invitations/{third}/resend"), json!(null)).await);
    // Nor does somebody who is suspended; but then there may be none to come back to.
    let suspension = format!("/members/{}/suspension", team.member.id);
    let _ = team.owner.put(&suspension, json!(null)).await.is(200);
    let _ = invite(&team.owner, "fifth").await.is(201);
    full(team.owner.delete(&suspension).await);
    // What was refused has left nothing behind: no mail either.
    assert_eq!(count(&app, "deliveries where kind = 'invitation'").await, 5);
}

#[tokio::test]
async fn an_invitation_keeps_its_place_until_the_operator_allows_fewer() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_MEMBERS", "5")]).await;
    let team = app.team().await;
    let ada = app.person("ada").await;
    let accept = async |app: &TestApp, who: &Actor| {
        let invitations = crate::people::tokens(app, common::secrets::Purpose::Invitation).await;
        who.post("/v1/me/memberships", json!({ "invitation": invitations.last() })).await
    };
    let _ = team.owner.post("/invitations", json!({ "email": ada.email, "role": "guest" })).await.is(201);
    let _ = accept(&app, &ada).await.is(201);
    full(invite(&team.owner, "eve").await);
    // There was another limit when this one was sent.
    let eve = app.person("eve").await;
    arrange(&app, &format!("update invitations set accepted_at = null, email = '{}'", eve.email)).await;
    full(accept(&app, &eve).await);
    eve.within(&team.slug).get("").await.is_problem(404, "not_found");
    assert_eq!(count(&app, "memberships").await, 5);
}

#[tokio::test]
async fn of_many_invitations_at_once_as_many_go_out_as_there_are_places() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_MEMBERS", "7")]).await;
    let owner = app.team().await.owner;
    let done = all_at_once(|n| {
        let owner = owner.clone();
        Box::pin(async move { invite(&owner, &format!("guest-{n}")).await })
    });
    assert_eq!(done.await, 3);
}

#[tokio::test]
async fn of_many_projects_at_once_as_many_are_made_as_there_may_be() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_PROJECTS", "3")]).await;
    let (team, other) = (app.team().await, app.team().await);
    let create = |owner: Actor, n: usize| async move {
        owner.post("/projects", json!({ "key": format!("P{n}"), "name": "A project" })).await
    };
    let done = all_at_once(|n| Box::pin(create(team.owner.clone(), n))).await;
    assert_eq!(done, 3);
    let said = full(create(team.owner.clone(), 9).await);
    assert_eq!(said, "This would be more than the 3 projects that an organization may have.");
    let _ = create(other.owner, 0).await.is(201);
}

#[tokio::test]
async fn of_many_organizations_at_once_a_person_founds_as_many_as_they_may_own() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_ORGANIZATIONS", "2")]).await;
    let ada = app.person("ada").await;
    let found = |person: Actor, number: usize| async move {
        let new = json!({ "slug": format!("place-{number}"), "name": "A place" });
        person.post("/v1/orgs", new).await
    };
    // All are let go at the moment when each has a connection and waits.
    let mut held = app.admin.begin().await.unwrap();
    let account = sqlx::query("select from accounts where id = $1 for update").bind(ada.id.0);
    account.execute(&mut *held).await.unwrap();
    let person = ada.clone();
    let all = tokio::spawn(async move { all_at_once(|number| Box::pin(found(person.clone(), number))).await });
    harness::eventually("all wait", async || (app.waiting().await == 4).then_some(())).await;
    held.commit().await.unwrap();
    assert_eq!(all.await.unwrap(), 2);
    let said = full(found(ada.clone(), 9).await);
    assert_eq!(said, "This would be more than the 2 organizations that a person may own.");
    // Of one that is handed over one is a member, no more.
    let bea = app.person("bea").await.id;
    let owner = format!(
        "insert into memberships (org_id, account_id, role) select id, '{bea}', 'owner' from organizations limit 1"
    );
    arrange(&app, &owner).await;
    let handed = format!("select org_id from memberships where account_id = '{bea}'");
    arrange(
        &app,
        &format!("update memberships set role = 'admin' where account_id = '{}' and org_id = ({handed})", ada.id),
    )
    .await;
    let _ = found(ada, 10).await.is(201);
}

#[tokio::test]
async fn of_many_tokens_at_once_a_person_gets_as_many_as_they_may_have() {
    let app = TestApp::with_settings(&[("TASKBELL_QUOTA_TOKENS", "2")]).await;
    let team = app.team().await;
    let create = |person: Actor, org: String| async move {
        let new = json!({ "name": "a script", "org": org, "scopes": ["tasks:read"] });
        person.post("/v1/me/tokens", new).await
    };
    // All are let go at the moment when each has a connection and waits: for this lock, or for each other.
    let mut held = app.admin.begin().await.unwrap();
    sqlx::query("lock table tokens in share mode").execute(&mut *held).await.unwrap();
    let (person, org) = (team.member.clone(), team.slug.clone());
    let all = tokio::spawn(async move { all_at_once(|_| Box::pin(create(person.clone(), org.clone()))).await });
    harness::eventually("all wait", async || (app.waiting().await == 4).then_some(())).await;
    held.commit().await.unwrap();
    assert_eq!(all.await.unwrap(), 2);
    let _ = create(team.admin.clone(), team.slug.clone()).await.is(201);
    let tokens: Value = team.member.get("/v1/me/tokens").await.is(200).json();
    let revoked = format!("/v1/me/tokens/{}", tokens["data"][0]["id"].as_str().unwrap());
    let _ = team.member.delete(&revoked).await.is(204);
    let _ = create(team.member.clone(), team.slug.clone()).await.is(201);
    let said = full(create(team.member.clone(), team.slug.clone()).await);
    assert_eq!(said, "This would be more than the 2 tokens that a person may have.");
}
