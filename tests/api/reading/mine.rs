use harness::{Actor, Team, TestApp};
use serde_json::json;

use super::{all_keys, keys};

async fn join(app: &TestApp, team: &Team, person: &Actor, role: &str) -> Actor {
    sqlx::query("insert into memberships (org_id, account_id, role) values ($1, $2, $3)")
        .bind(team.id.0)
        .bind(person.id.0)
        .bind(role)
        .execute(&app.admin)
        .await
        .unwrap();
    person.within(&team.slug)
}

async fn assigned(team: &Team, project: &str, title: &str, who: &Actor, due: &str) {
    let new = json!({ "project": project, "title": title, "assignees": [who.id], "due": { "date": due } });
    let _ = team.owner.post("/tasks", new).await.is(201);
}

#[tokio::test]
async fn my_tasks_come_from_all_my_organizations_and_from_nowhere_else() {
    let app = TestApp::start().await;
    let (one, two, three) = (app.team().await, app.team().await, app.team().await);
    let me = app.person("me").await;
    for (team, key) in [(&one, "ONE"), (&two, "TWO"), (&three, "THREE")] {
        let _ = join(&app, team, &me, "member").await;
        let project = team.project(key, "open").await;
        for (title, due) in [("First", "2031-01-01"), ("Second", "2031-02-01")] {
            assigned(team, &project, title, &me, due).await;
        }
        let _ = team.owner.post("/tasks", json!({ "project": project, "title": "Somebody else's" })).await.is(201);
    }
    let mut seen = all_keys(&me, "/v1/me/tasks?sort=due&limit=1").await;
    assert_eq!(seen, keys(&me, "/v1/me/tasks?sort=due").await);
    seen.sort_unstable();
    assert_eq!(seen, ["ONE-1", "ONE-2", "THREE-1", "THREE-2", "TWO-1", "TWO-2"]);
    let page = me
        .get("/v1/me/tasks?due_before=2031-01-15&sort=due&include=total&fields=key&expand=created_by")
        .await
        .is(200)
        .json();
    assert_eq!(page["page"]["total"], json!({ "count": 3, "exact": true }));
    let first = &page["data"][0];
    assert_eq!(first["organization"], json!({ "id": one.id, "slug": one.slug, "name": "A Team" }));
    assert_eq!(first["expanded"]["project"]["key"], "ONE");
    assert_eq!(first["expanded"]["created_by"]["name"], "owner");

    // Somebody removed, suspended, or shut out of a project: what was assigned to them is not theirs to see.
    let shut = "update projects set visibility = 'private' where org_id = $1";
    sqlx::query(shut).bind(one.id.0).execute(&app.admin).await.unwrap();
    let suspend = "update memberships set status = 'suspended' where org_id = $1 and account_id = $2";
    sqlx::query(suspend).bind(two.id.0).bind(me.id.0).execute(&app.admin).await.unwrap();
    assert_eq!(keys(&me, "/v1/me/tasks?sort=due").await, ["THREE-1", "THREE-2"]);
    let end = "update organizations set deletion_due_at = now() + interval '1 day' where id = $1";
    sqlx::query(end).bind(three.id.0).execute(&app.admin).await.unwrap();
    assert_eq!(keys(&me, "/v1/me/tasks").await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_personal_token_shows_the_tasks_of_its_own_organization() {
    let app = TestApp::start().await;
    let (one, two) = (app.team().await, app.team().await);
    let me = app.person("me").await;
    for (team, key) in [(&one, "ONE"), (&two, "TWO")] {
        let _ = join(&app, team, &me, "member").await;
        let project = team.project(key, "open").await;
        assigned(team, &project, "Mine", &me, "2031-01-01").await;
    }
    let token = async |scopes: &[&str]| {
        let new = json!({ "name": "A program", "org": one.slug, "scopes": scopes });
        me.with_token(Some(&me.post("/v1/me/tokens", new).await.is(201).text_at("/token")))
    };
    let whole = token(&["me:read", "tasks:read"]).await;
    assert_eq!(keys(&whole, "/v1/me/tasks").await, ["ONE-1"]);
    for scopes in [["me:read"], ["tasks:read"]] {
        token(&scopes).await.get("/v1/me/tasks").await.is_problem(403, "permission_missing");
    }
}
