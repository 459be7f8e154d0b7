//! An organization that has some of everything, named as in the description's examples; and who calls.

use common::passwords;
use harness::{Actor, TestApp};
use serde_json::{Value, json};

/// What a run begins with.
pub(crate) struct House {
    /// The organization's id: its slug may change.
    pub(crate) org: String,
    /// What stands for the ids of the description's examples: those of things that are there.
    pub(crate) things: Value,
    /// Who owns it.
    pub(crate) lasting: String,
    /// Many, each of whom may end their sessions once.
    pub(crate) ending: Vec<String>,
}

/// Furnishes one, with so many people beside its owner.
pub(crate) async fn house(app: &TestApp, people: u32) -> House {
    // With a password that nobody has: what asks for it again refuses everybody.
    let owner = app.person("owner").await;
    let hash = passwords::hash("tin lamp over the river".parse().unwrap()).await.unwrap();
    sqlx::query("update accounts set password_hash = $1").bind(hash).execute(&app.admin).await.unwrap();
    let new = json!({ "slug": "acme", "name": "Acme", "time_zone": "Europe/Berlin" });
    let org = owner.post("/v1/orgs", new).await.is(201).text_at("/id");
    let owner = owner.within("acme");
    let _ =
        owner.post("/roles", json!({ "key": "clerk", "name": "Clerk", "permissions": ["tasks:write"] })).await.is(201);
    let _ = owner.post("/invitations", json!({ "email": "zoe@example.org", "role": "member" })).await.is(201);
    project(&owner, "DEV", "private").await;
    let mut named = project(&owner, "OPS", "open").await;
    named.push(("AccountId", json!(owner.id)));
    // Of somebody else, who keeps it.
    let calendar = app.person("reader").await.post("/v1/me/calendar", json!(null)).await.is(201).text_at("/url");
    let calendar = calendar.rsplit_once('/').unwrap().1.to_owned();
    named.push(("CalendarToken", json!(calendar)));
    let schemas = &api::description(None)["components"]["schemas"];
    let example = |(schema, id): (&str, Value)| (schemas[schema]["examples"][0].as_str().unwrap().to_owned(), id);
    let things = named.into_iter().map(example).collect();
    let mut ending = Vec::new();
    for n in 0..people {
        let person = app.person_with_password(&format!("person-{n}")).await;
        ending.push(person.token().unwrap().to_owned());
    }
    House { org, things: Value::Object(things), lasting: owner.token().unwrap().to_owned(), ending }
}

/// A project with labels and with as many tasks as the examples count, some of which have more than a title. Gives what is in it, by
/// the schema of its id.
async fn project(owner: &Actor, key: &str, visibility: &str) -> Vec<(&'static str, Value)> {
    let new = json!({ "key": key, "name": "A project", "visibility": visibility });
    let project = owner.post("/projects", new).await.is(201).text_at("/id");
    let mut things = vec![("ProjectId", json!(project))];
    for label in ["bug", "urgent"] {
        let label = owner.post(&format!("/projects/{project}/labels"), json!({ "name": label })).await.is(201);
        things.push(("LabelId", label.json()["id"].clone()));
    }
    for number in 1..=42 {
        let _ = owner.post("/tasks", task(&project, number)).await.is(201);
    }
    for said in ["Is it *paid*?", "Not yet."] {
        let comment = owner.post(&format!("/tasks/{key}-42/comments"), json!({ "body": said })).await.is(201);
        things.push(("CommentId", comment.json()["id"].clone()));
    }
    let _ = owner
        .post("/tasks", json!({ "project": project, "title": "A part", "parent": format!("{key}-41") }))
        .await
        .is(201);
    let _ = owner.delete(&format!("/tasks/{key}-40")).await.is(204);
    let _ = owner.put(&format!("/tasks/{key}-39/completion"), Value::Null).await.is(200);
    things
}

fn task(project: &str, number: u32) -> Value {
    let mut task = json!({ "project": project, "title": format!("Task {number}"), "priority": number % 5 });
    match number % 4 {
        0 => task["due"] = json!({ "date": "2031-03-01" }),
        1 => task["due"] = json!({ "local": "2031-03-01T09:00:00", "time_zone": "Europe/Berlin" }),
        2 => task["due"] = json!({ "at": "2031-03-01T08:00:00Z" }),
        _ => {}
    }
    if number.is_multiple_of(8) {
        task["recurrence"] = json!({ "rule": "FREQ=WEEKLY;BYDAY=MO" });
    }
    if number.is_multiple_of(6) {
        task["labels"] = json!(["urgent"]);
        task["reminders"] = json!([{ "when": { "at": "2031-03-01T08:00:00Z" }, "to": "me" }]);
    }
    task
}
