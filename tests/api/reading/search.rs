use harness::TestApp;
use serde_json::json;

use super::{all_keys, keys};

#[tokio::test]
async fn words_phrases_and_exclusions_are_looked_for_in_titles_and_descriptions() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for (title, description) in [
        ("Pay the rent", "By bank transfer"),
        ("Rent a car", "Don't pay cash; ask O'Brien"),
        ("Zahlung prüfen", "Größe und C:\\temp\\datei.txt"),
    ] {
        let new = json!({ "project": project, "title": title, "description": description });
        let _ = team.member.post("/tasks", new).await.is(201);
    }
    for (q, expected) in [
        ("rent", "OPS-2 OPS-1"),
        ("RENT pay", "OPS-2 OPS-1"),
        ("\"pay the rent\"", "OPS-1"),
        ("\"rent pay\"", ""),
        ("rent -car", "OPS-1"),
        ("-rent", "OPS-3"),
        ("-rent -größe", ""),
        ("car or bank", "OPS-2 OPS-1"),
        // The last word may be the beginning of one, unless a quote ends it.
        ("tran", "OPS-1"),
        ("bank tr", "OPS-1"),
        ("tr bank", ""),
        ("\"tran\"", ""),
        ("prü", "OPS-3"),
        ("o'brien", "OPS-2"),
        ("datei.txt", "OPS-3"),
        // Whatever is typed is a question, and some have no answer.
        ("!!!", ""),
        ("\"", ""),
        ("& | ! <-> ()", ""),
        ("':* \\", ""),
        ("rent \"", "OPS-2 OPS-1"),
        ("rent:*B & 'x", ""),
    ] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
        assert_eq!(keys(&team.member, &format!("/tasks?{query}")).await.join(" "), expected, "{q}");
    }
}

#[tokio::test]
async fn what_is_written_anew_is_found_anew() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task =
        team.member.post("/tasks", json!({ "project": project, "title": "Umbrella" })).await.is(201).text_at("/id");
    let change = "update tasks set title = 'Parasol' where id = $1::uuid";
    sqlx::query(change).bind(&task).execute(&app.admin).await.unwrap();
    assert_eq!(keys(&team.member, "/tasks?q=umbrella").await, [] as [&str; 0]);
    assert_eq!(keys(&team.member, "/tasks?q=parasol").await, ["OPS-1"]);
}

#[tokio::test]
async fn nothing_is_found_where_the_caller_sees_nothing() {
    let app = TestApp::start().await;
    let (team, other) = (app.team().await, app.team().await);
    let (open, own) = (team.project("OPEN", "open").await, team.project("OWN", "private").await);
    for project in [open, own] {
        let _ = team.owner.post("/tasks", json!({ "project": project, "title": "Secret plan" })).await.is(201);
    }
    let _ = other.project("OPEN", "open").await;
    for (actor, expected, total) in
        [(&team.owner, "OWN-1 OPEN-1", 2), (&team.member, "OPEN-1", 1), (&team.guest, "", 0), (&other.owner, "", 0)]
    {
        if total > 0 {
            let reply = actor.get("/tasks?q=secret&include=total").await.is(200).json();
            assert_eq!(reply["page"]["total"]["count"], total);
            assert_eq!(all_keys(actor, "/tasks?q=secret&limit=1").await.join(" "), expected);
            assert_eq!(all_keys(actor, "/tasks?q=-nothing&limit=1").await.join(" "), expected);
        } else if actor.id == other.owner.id {
            assert_eq!(all_keys(actor, "/tasks?q=secret").await, [] as [&str; 0]);
        } else {
            // A guest without any grant does not come so far.
            actor.get("/tasks?q=secret").await.is_problem(403, "permission_missing");
        }
    }
}

#[tokio::test]
async fn two_organizations_whose_words_lie_side_by_side_find_their_own() {
    let app = TestApp::start().await;
    let (one, other) = (app.team().await, app.team().await);
    for team in [&one, &other] {
        let project = team.project("OPS", "open").await;
        let _ = team.owner.post("/tasks", json!({ "project": project, "title": "Shared word" })).await.is(201);
    }
    // As if the ids of both ended alike, which marks their words.
    let same =
        "update task_words w set words = (select o.words from task_words o where o.org_id = $1) where w.org_id = $2";
    sqlx::query(same).bind(one.id.0).bind(other.id.0).execute(&app.admin).await.unwrap();
    let found = one.owner.get("/tasks?q=shared&include=total").await.is(200).json();
    assert_eq!(found["page"]["total"]["count"], 1);
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar("select tasks_with('shared', 10) from (select set_config('app.org_id', $1, false)) context")
            .bind(one.id.to_string())
            .fetch_all(&app.admin)
            .await
            .unwrap();
    assert_eq!(ids.len(), 1, "the function gives no foreign ids");
}
