use harness::{Actor, TestApp};
use serde_json::json;

use super::{all_keys, keys};

/// Tasks with everything that lists are sorted by, in two projects that all see and one that only the owner sees.
const TASKS: &str = "
    with numbered as (
        select p.org_id, p.id as project_id, p.created_by, n, (n * 7) % 5 as priority,
               case when n % 3 = 0 then null else date '2031-01-01' + (n * 5) % 7 end as due_on
        from projects p, generate_series(1, 23) n)
    insert into tasks (org_id, id, project_id, number, title, priority, due_on, position, created_by, updated_at)
    select org_id, uuid_v7(), project_id, n, chr(65 + n % 4) || ' task', priority, due_on, n % 6 + 0.5, created_by,
           timestamptz '2030-01-01' + n % 5 * interval '1 day' from numbered";

async fn furnished(app: &TestApp) -> (Actor, Actor) {
    let team = app.team().await;
    for (key, visibility) in [("ONE", "open"), ("TWO", "open"), ("OWN", "private")] {
        let _ = team.project(key, visibility).await;
    }
    sqlx::raw_sql(TASKS).execute(&app.admin).await.unwrap();
    sqlx::raw_sql("update projects set last_number = 23, task_count = 23").execute(&app.admin).await.unwrap();
    (team.owner, team.member)
}

const SORTS: [&str; 16] = [
    "created",
    "-created",
    "due",
    "-due",
    "priority",
    "-priority",
    "-priority,due",
    "priority,-due",
    "-due,priority",
    "title",
    "-title,number",
    "number,-updated",
    "position",
    "-updated",
    "updated,title,-due",
    "due,-position",
];

#[tokio::test]
async fn pages_of_any_order_make_the_whole_list_each_task_once() {
    let app = TestApp::start().await;
    let (_, member) = furnished(&app).await;
    for filter in ["", "&completed=false", "&project=TWO", "&status=open&priority=0,1,2"] {
        for sort in SORTS {
            let whole = keys(&member, &format!("/tasks?limit=200&sort={sort}{filter}")).await;
            let paged = all_keys(&member, &format!("/tasks?limit=3&sort={sort}{filter}")).await;
            assert_eq!(paged, whole, "{sort}{filter}");
            let mut each = whole.clone();
            each.sort_unstable();
            each.dedup();
            assert_eq!(each.len(), whole.len(), "{sort}{filter}");
        }
    }
}

#[tokio::test]
async fn an_order_is_what_it_says_with_the_undated_last() {
    let app = TestApp::start().await;
    let (_, member) = furnished(&app).await;
    let column = async |sort: &str, field: &str| {
        super::column(member.get(&format!("/tasks?limit=200&sort={sort}")).await, field)
    };
    let sorted = |mut values: Vec<String>, down: bool| {
        values.sort();
        if down {
            values.reverse();
        }
        values
    };
    for (sort, field, down) in [
        ("title", "title", false),
        ("-title", "title", true),
        ("-priority", "priority", true),
        ("priority", "priority", false),
        ("updated", "updated_at", false),
        ("-created", "id", true),
    ] {
        let values = column(sort, field).await;
        assert_eq!(values, sorted(values.clone(), down), "{sort}");
    }
    for (sort, down) in [("due", false), ("-due", true)] {
        let values = column(sort, "due").await;
        let dated: Vec<String> = values.iter().filter(|due| *due != "null").cloned().collect();
        assert_eq!(values[..dated.len()], sorted(dated, down), "{sort}: what has no due value is at the end");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_one_organization_one_filter_and_one_order_and_cannot_be_altered() {
    let app = TestApp::start().await;
    let (owner, member) = furnished(&app).await;
    let other = app.team().await;
    let next = |reply: harness::Reply| reply.is(200).text_at("/page/next_cursor");
    let cursor = next(member.get("/tasks?limit=3&sort=due&priority=1").await);
    let refused = async |actor: &Actor, query: &str| {
        let problem = actor.get(&format!("/tasks?limit=3&{query}")).await.is_problem(400, "invalid_query");
        assert_eq!(problem["errors"][0]["code"], "not_a_cursor", "{query}");
    };
    for query in [
        "",
        "sort=due",
        "sort=-due&priority=1",
        "sort=due&priority=2",
        "sort=due,title&priority=1",
        "sort=due&priority=1&q=task",
    ] {
        refused(&member, &format!("{query}&cursor={cursor}")).await;
    }
    refused(&other.member, &format!("sort=due&priority=1&cursor={cursor}")).await;
    for place in 0..cursor.len() {
        let mut altered = cursor.clone().into_bytes();
        altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
        refused(&member, &format!("sort=due&priority=1&cursor={}", String::from_utf8(altered).unwrap())).await;
    }
    refused(&member, "sort=due&priority=1&cursor=AAAA").await;
    // It is a position and no permission: who sees more goes on from it with what they see.
    let of_owner = owner.get(&format!("/tasks?limit=200&sort=due&priority=1&cursor={cursor}")).await.is(200).json();
    let of_member = member.get(&format!("/tasks?limit=200&sort=due&priority=1&cursor={cursor}")).await.is(200).json();
    assert!(of_owner["data"].as_array().unwrap().len() > of_member["data"].as_array().unwrap().len());
}

#[tokio::test]
async fn a_total_counts_what_the_caller_sees_and_no_more() {
    let app = TestApp::start().await;
    let (owner, member) = furnished(&app).await;
    let total = async |actor: &Actor, query: &str| {
        actor.get(&format!("/tasks?include=total&limit=2{query}")).await.is(200).json()["page"]["total"].clone()
    };
    assert_eq!(total(&owner, "").await, json!({ "count": 69, "exact": true }));
    assert_eq!(total(&member, "").await, json!({ "count": 46, "exact": true }));
    for query in ["&q=task", "&project=ONE,TWO,OWN", "&status=open", "&parent=none", "&completed=false&sort=title"] {
        assert_eq!(total(&member, query).await["count"], 46, "{query}");
    }
    assert_eq!(member.get("/tasks").await.is(200).json()["page"].get("total"), None, "nobody counts who was not asked");
}

#[tokio::test]
async fn every_paged_list_links_to_its_next_page() {
    let app = TestApp::start().await;
    let (owner, _) = furnished(&app).await;
    for path in ["/tasks", "/tasks?sort=due&q=task", "/audit", "/v1/me/tasks", "/tasks/changes"] {
        let separator = if path.contains('?') { '&' } else { '?' };
        if path == "/v1/me/tasks" {
            let assign = "insert into task_assignees select org_id, id, created_by from tasks";
            sqlx::raw_sql(assign).execute(&app.admin).await.unwrap();
        }
        // Changes are told when no older transaction of the cluster is open.
        let reply = harness::eventually("there is a second page", async || {
            let reply = owner.get(&format!("{path}{separator}limit=1")).await.is(200);
            reply.header("link").is_some().then_some(reply)
        })
        .await;
        let link = reply.header("link").unwrap_or_else(|| panic!("{path}")).to_owned();
        let cursor = reply.text_at("/page/next_cursor");
        assert!(link.starts_with("</v1/") && link.ends_with(&format!("={cursor}>; rel=\"next\"")), "{link}");
        let next = link[1..].split_once('>').unwrap().0.to_owned();
        let second = owner.get(&next).await.is(200).json();
        assert_ne!(second["data"][0]["id"], reply.json()["data"][0]["id"], "{path}");
    }
    assert_eq!(owner.get("/tasks?limit=200").await.is(200).header("link"), None, "the last page links to none");
}

#[tokio::test]
async fn a_list_that_is_the_same_is_not_sent_again() {
    let app = TestApp::start().await;
    let (_, member) = furnished(&app).await;
    let tag = member.get("/tasks?sort=due&limit=5").await.is(200).header("etag").unwrap().to_owned();
    let again = member.request(reqwest::Method::GET, "/tasks?sort=due&limit=5").header("If-None-Match", tag);
    let reply = member.send(again, "the same again".to_owned()).await.is(304);
    assert_eq!(reply.text(), "");
}
