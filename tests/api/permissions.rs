//! "Why can't I?": what the caller may do, and what it comes from.

use harness::TestApp;
use serde_json::json;

const WORK: [&str; 4] = ["tasks:read", "tasks:write", "tasks:complete", "comments:write"];

#[tokio::test]
async fn permissions_are_explained_by_role_grant_and_token() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let (open, private) = (team.project("OPEN", "open").await, team.project("SEC", "private").await);
    let here = team.member.get("/permissions").await.is(200).json();
    let held = ["members:list", "projects:create", WORK[0], WORK[1], WORK[2], WORK[3]];
    assert_eq!(here, json!({ "permissions": held, "role": "member", "by_role": held, "scopes": null }));
    // By role in an open project; with a grant in a private one.
    let asked = format!("/permissions?project={open}");
    let explained =
        json!({ "permissions": WORK, "role": "member", "by_role": held, "visibility": "open", "scopes": null });
    assert_eq!(team.member.get(&asked).await.is(200).json(), explained);
    let asked = format!("/permissions?project={private}");
    for unseeing in [&team.admin, &team.member, &team.guest] {
        unseeing.get(&asked).await.is_problem(404, "not_found");
    }
    let grant = format!("/projects/{private}/grants/{}", team.guest.id);
    let _ = team.owner.put(&grant, json!({ "role": "commenter" })).await.is(200);
    let commenter = json!(["tasks:read", "comments:write"]);
    let explained = json!({
        "permissions": commenter, "role": "guest", "by_role": [], "visibility": "private", "grant": "commenter",
        "by_grant": commenter, "scopes": null,
    });
    assert_eq!(team.guest.get(&asked).await.is(200).json(), explained);
    assert_eq!(
        team.guest.get("/permissions").await.is(200).json()["permissions"],
        json!([]),
        "a grant counts in its project"
    );
    // What is explained is what every view of the project says.
    let view = team.guest.get(&format!("/projects/{private}")).await.is(200).json();
    assert_eq!(view["permissions"], commenter);

    let scopes = json!({ "name": "x", "org": team.slug, "scopes": ["comments:write", "me:read"] });
    let program = team.owner.post("/v1/me/tokens", scopes).await.is(201).text_at("/token");
    let program = team.owner.with_token(Some(&program)).get(&asked).await.is(200).json();
    assert_eq!(program["permissions"], commenter);
    assert_eq!(program["scopes"], json!(["tasks:read", "comments:write", "me:read"]));
    assert_eq!((&program["role"], &program["grant"]), (&json!("owner"), &json!("manager")));
}

#[tokio::test]
async fn permissions_are_explained_to_members_of_their_own_alone() {
    let app = TestApp::start().await;
    let (team, other) = (app.team().await, app.team().await);
    let theirs = other.project("OPS", "open").await;
    team.owner.get(&format!("/permissions?project={theirs}")).await.is_problem(404, "not_found");
    team.owner.within(&other.slug).get("/permissions").await.is_problem(404, "not_found");
    team.owner.get("/permissions?project=none").await.is_problem(400, "invalid_query");
    team.owner.get("/permissions?who=admin").await.is_problem(400, "invalid_query");
}
