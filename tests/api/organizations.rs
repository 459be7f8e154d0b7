use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn who_founds_an_organization_owns_it() {
    let app = TestApp::start().await;
    let ada = app.person("ada").await;
    let organization = ada.post("/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.is(201).json();
    assert_eq!(organization["role"], "owner");
    assert_eq!(organization["time_zone"], "UTC");
    let mine = ada.get("/v1/orgs").await.is(200).json();
    assert_eq!(mine["data"][0], organization);
    // By its slug and by its id.
    assert_eq!(ada.within("acme").get("").await.is(200).json(), organization);
    assert_eq!(ada.within(organization["id"].as_str().unwrap()).get("").await.is(200).json(), organization);
}

#[tokio::test]
async fn a_slug_is_taken_once() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("ada").await, app.person("bob").await);
    let acme = json!({ "slug": "acme", "name": "Acme" });
    let _ = ada.post("/v1/orgs", acme.clone()).await.is(201);
    bob.post("/v1/orgs", acme).await.is_problem(409, "slug_taken");
    assert_eq!(bob.get("/v1/orgs").await.is(200).json()["data"], json!([]));
}

#[tokio::test]
async fn an_organization_is_invisible_to_those_who_are_no_active_members() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let outsider = app.person("outsider").await;
    outsider.within(&team.slug).get("").await.is_problem(404, "not_found");
    sqlx::query("update memberships set status = 'suspended' where account_id = $1")
        .bind(team.member.id.0)
        .execute(&app.admin)
        .await
        .unwrap();
    team.member.get("").await.is_problem(404, "not_found");
    assert_eq!(team.member.get("/v1/orgs").await.is(200).json()["data"], json!([]));
}
