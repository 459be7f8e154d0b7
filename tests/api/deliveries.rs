use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn the_answer_to_a_new_task_tells_what_its_reminders_have_planned() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let new = json!({
        "project": project, "title": "Plan", "assignees": [team.member.id, team.guest.id],
        "due": { "date": "2031-12-01" },
        "reminders": [
            { "when": { "offset": "-P1D" }, "to": "assignees" },
            { "when": { "at": "2020-01-01T00:00:00Z" }, "to": "me" },
        ],
    });
    let task = team.owner.post("/tasks", new).await.is(201).json();
    let plan = task["reminders"][0]["plan"].as_array().unwrap();
    let of = |id: common::ids::AccountId| plan.iter().find(|p| p["account_id"] == json!(id)).unwrap();
    // Nine in the morning in the organization's zone, the day before.
    assert_eq!(of(team.member.id)["due_at"], "2031-11-30T08:00:00Z");
    assert!(of(team.member.id)["delivery_id"].is_string());
    assert_eq!(of(team.guest.id)["skipped"], "cannot_see_the_project");
    assert_eq!(task["reminders"][1]["plan"][0]["skipped"], "already_past");
    assert_eq!(app.mail_states().await, ["scheduled"]);
}

#[tokio::test]
async fn completing_a_task_cancels_what_it_still_owed() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let task = team.reminded_task(&project, "Done early", 3600).await;
    let id = task["id"].as_str().unwrap();
    let _ = team.member.put(&format!("/tasks/{id}/completion"), json!(null)).await.is(200);
    let deliveries = team.member.get(&format!("/deliveries?task={id}")).await.is(200).json();
    assert_eq!(deliveries["data"][0]["state"], "cancelled");
    assert_eq!(deliveries["data"][0]["reason"], "task completed");
    assert_eq!(app.mail_states().await, ["cancelled"]);
}

#[tokio::test]
async fn deliveries_are_seen_by_their_recipients_and_by_those_who_may_read_them() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let open = team.project("OPEN", "open").await;
    team.reminded_task(&open, "For the member", 3600).await;
    let count =
        async |actor: &harness::Actor| actor.get("/deliveries").await.is(200).json()["data"].as_array().unwrap().len();
    assert_eq!((count(&team.member).await, count(&team.admin).await, count(&team.guest).await), (1, 1, 0));
    // Of a private project only with a grant, whatever the role.
    let new = json!({ "key": "SEC", "name": "Secret", "visibility": "private" });
    let private = team.member.post("/projects", new).await.is(201).text_at("/id");
    let reminder = json!({ "when": { "at": "2031-01-01T00:00:00Z" }, "to": "me" });
    let new = json!({ "project": private, "title": "Secret", "reminders": [reminder] });
    let _ = team.member.post("/tasks", new).await.is(201);
    assert_eq!((count(&team.member).await, count(&team.admin).await), (2, 1));
    let newest = team.member.get("/deliveries?limit=1").await.is(200).text_at("/data/0/id");
    let _ = team.member.get(&format!("/deliveries/{newest}")).await.is(200);
    team.admin.get(&format!("/deliveries/{newest}")).await.is_problem(404, "not_found");
}

#[tokio::test]
async fn deliveries_are_listed_by_person_kind_and_state() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    let mut tasks = Vec::new();
    for title in ["first", "second", "third"] {
        tasks.push(team.reminded_task(&project, title, 3600).await["id"].as_str().unwrap().to_owned());
    }
    let _ = team.owner.put(&format!("/tasks/{}/completion", tasks[0]), json!(null)).await.is(200);
    let _ = team.owner.post("/invitations", json!({ "email": "eve@example.org", "role": "guest" })).await.is(201);
    // What is cancelled of a mail that is sent for others is cancelled.
    sqlx::query(
        "with third as (select mail_id from deliveries where task_id = $1::uuid)
         update mails set state = 'claimed', fence = 1, lease_until = now() where id in (select mail_id from third)",
    )
    .bind(&tasks[2])
    .execute(&app.admin)
    .await
    .unwrap();
    sqlx::query("update deliveries set cancelled_at = now(), reason = 'muted' where task_id = $1::uuid")
        .bind(&tasks[2])
        .execute(&app.admin)
        .await
        .unwrap();
    let listed = async |query: &str| -> Vec<(String, String)> {
        let page = team.admin.get(&format!("/deliveries?{query}")).await.is(200).json();
        let text = |delivery: &serde_json::Value, field: &str| delivery[field].as_str().unwrap().to_owned();
        page["data"].as_array().unwrap().iter().map(|one| (text(one, "kind"), text(one, "state"))).collect()
    };
    let pair = |kind: &str, state: &str| (kind.to_owned(), state.to_owned());
    let (invited, cancelled) = (pair("invitation", "scheduled"), pair("reminder", "cancelled"));
    assert_eq!(listed("kind=invitation").await, std::slice::from_ref(&invited));
    assert_eq!(listed("kind=digest,comment").await, []);
    assert_eq!(listed("state=cancelled").await, [cancelled.clone(), cancelled.clone()]);
    assert_eq!(listed("state=claimed").await, []);
    assert_eq!(listed("state=scheduled").await, [invited.clone(), pair("reminder", "scheduled")]);
    assert_eq!(listed("state=scheduled&kind=reminder").await.len(), 1);
    assert_eq!(listed(&format!("account={}&state=cancelled,scheduled", team.member.id)).await.len(), 3);
    assert_eq!(listed(&format!("account={}", team.admin.id)).await, []);
    assert_eq!(listed(&format!("task={}&account={}&kind=reminder", tasks[0], team.member.id)).await, [cancelled]);
    // Whose one may not see is not there, whoever is asked for.
    let others = format!("/deliveries?account={}", team.member.id);
    assert_eq!(team.guest.get(&others).await.is(200).json()["data"], json!([]));
    assert_eq!(team.member.get(&others).await.is(200).json()["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_deliveries_cannot_be_asked_for_is_refused_and_a_cursor_goes_on_with_what_it_began() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let project = team.project("OPS", "open").await;
    for n in 0..3 {
        team.reminded_task(&project, &format!("Number {n}"), 3600).await;
    }
    for (query, code) in [
        ("kind=letter", "not_one_of"),
        ("kind=", "empty"),
        ("state=lost", "not_one_of"),
        ("state=sent,", "empty"),
        ("account=me", "not_an_id"),
        ("kinds=reminder", "unknown"),
    ] {
        let problem = team.admin.get(&format!("/deliveries?{query}")).await.is_problem(400, "invalid_query");
        assert_eq!(problem["errors"][0]["code"], code, "{query}: {problem}");
    }
    let asked = format!("limit=2&kind=reminder&state=scheduled&account={}", team.member.id);
    let first = team.admin.get(&format!("/deliveries?{asked}")).await.is(200).json();
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    let next = team.admin.get(&format!("/deliveries?{asked}&cursor={cursor}")).await.is(200).json();
    assert_eq!((first["data"].as_array().unwrap().len(), next["data"].as_array().unwrap().len()), (2, 1));
    for other in [
        format!("limit=2&kind=reminder&state=scheduled&account={}", team.admin.id),
        asked.replace("=reminder", "=reminder,comment"),
        asked.replace("state=scheduled", "state=sent"),
        "limit=2".to_owned(),
    ] {
        let problem = team.admin.get(&format!("/deliveries?{other}&cursor={cursor}")).await;
        problem.is_problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn whoever_manages_a_project_sees_its_deliveries_without_an_address() {
    let app = TestApp::start().await;
    let team = app.team().await;
    let [own, other] = [team.project("OWN", "open").await, team.project("OTHER", "open").await];
    for (project, title) in [(&own, "Of it"), (&other, "Of another")] {
        team.reminded_task(project, title, 3600).await;
    }
    sqlx::raw_sql(
        "update mails set state = 'claimed', lease_until = now() + interval '1 minute';
         update mails set state = 'dead', lease_until = null,
                          reason = '550 5.1.1 <member@example.net>: unknown, says a@mx.example.net'",
    )
    .execute(&app.admin)
    .await
    .unwrap();
    let grant = format!("/projects/{own}/grants/{}", team.guest.id);
    for (role, there) in [("editor", 0), ("manager", 1)] {
        let _ = team.owner.put(&grant, json!({ "role": role })).await.is(200);
        let listed = team.guest.get("/deliveries").await.is(200).json();
        assert_eq!(listed["data"].as_array().unwrap().len(), there, "{role}");
    }
    let listed = team.guest.get("/deliveries").await.is(200);
    let id = listed.text_at("/data/0/id");
    let shown = team.guest.get(&format!("/deliveries/{id}")).await.is(200);
    for answer in [&listed, &shown] {
        assert!(
            answer.text().contains("550 5.1.1 <…>: unknown, says …") && !answer.text().contains('@'),
            "{}",
            answer.text()
        );
    }
    assert!(shown.json()["steps"].as_array().unwrap().len() == 2);
    let whole = team.member.get(&format!("/deliveries/{id}")).await.is(200);
    assert!(whole.text().contains("<member@example.net>"), "it is their own address");
}
