//! Each example of a body is a request that can be sent: with the ids of what there is in place of those of the example.

use std::collections::HashMap;

use common::secrets::Purpose;
use harness::{Actor, PASSWORD, Reply, Team, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{self, sure};

/// Who sends an example, and what stands where the example has something else.
struct Stage {
    actor: Actor,
    real: HashMap<String, Value>,
}

#[tokio::test]
async fn every_example_is_a_request_that_succeeds() {
    let app = TestApp::start().await;
    let description = api::description(None);
    let (mut sent, mut failed) = (0, Vec::new());
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            if example.is_null() {
                continue;
            }
            let stage = Stage::set(&app, operation["operationId"].as_str().unwrap(), &description).await;
            let method = method.to_uppercase().parse().unwrap();
            let reply = stage.send(&method, path, operation, example).await;
            sent += 1;
            // What is refused is described, too; but this is meant to succeed.
            if !(200..300).contains(&reply.status()) {
                failed.push(format!("{}: {} {}", reply.request(), reply.status(), reply.text()));
            }
        }
    }
    assert!(sent > 30, "{sent}");
    assert!(failed.is_empty(), "{failed:#?}");
}

/// What says nothing: it stands for whatever somebody has forgotten to think of.
const PLACEHOLDERS: [&str; 6] = ["string", "text", "a name", "name", "example", "foo"];

#[test]
fn no_example_is_a_placeholder() {
    let mut poor = Vec::new();
    look(&api::description(None), false, "", &mut poor);
    assert!(poor.is_empty(), "{poor:#?}");
}

#[test]
fn what_is_optional_is_not_sent_because_it_was_filled_in() {
    let description = api::description(None);
    let parameters = &description["components"]["parameters"];
    for name in ["IdempotencyKeyOptional", "IfNoneMatch"] {
        assert_eq!(
            (&parameters[name]["required"], &parameters[name]["example"]),
            (&json!(false), &Value::Null),
            "{name}"
        );
    }
    assert!(parameters["IdempotencyKey"]["example"].is_string());
}

/// Goes through everything, and through examples with another eye. What is called `example` itself is under `properties`.
fn look(value: &Value, example: bool, place: &str, poor: &mut Vec<String>) {
    match value {
        Value::String(text) if example && PLACEHOLDERS.contains(&text.to_lowercase().as_str()) => {
            poor.push(place.to_owned());
        }
        Value::Array(all) => all.iter().for_each(|one| look(one, example, place, poor)),
        Value::Object(all) => all.iter().for_each(|(name, one)| {
            let begins = matches!(name.as_str(), "example" | "examples") && !place.ends_with("/properties");
            look(one, example || begins, &format!("{place}/{name}"), poor);
        }),
        _ => {}
    }
}

impl Stage {
    async fn set(app: &TestApp, operation: &str, description: &Value) -> Self {
        let team = app.team().await;
        app.give_password(&team.owner).await;
        let tomorrow = r#"select to_char(now() at time zone 'UTC' + interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#;
        let tomorrow: String = sqlx::query_scalar(tomorrow).fetch_one(&app.admin).await.unwrap();
        let mut real = HashMap::from([
            ("acme".to_owned(), json!(team.slug)),
            ("OPS-42".to_owned(), json!("OPS-1")),
            // The example of an instant: here one that is soon.
            ("2031-03-01T08:00:00Z".to_owned(), json!(tomorrow)),
            ("ada@example.org".to_owned(), json!(format!("new-{}@example.org", team.slug))),
        ]);
        let mut is = |schema: &str, value: Value| {
            let example = &description["components"]["schemas"][schema]["examples"][0];
            real.insert(example.as_str().unwrap_or_else(|| panic!("{schema} has no example")).to_owned(), value);
        };
        is("AccountId", json!(if operation == "memberships_change_role" { team.guest.id } else { team.member.id }));
        if operation != "projects_create" {
            let author = if operation == "projects_break_glass" { &team.admin } else { &team.owner };
            let new = json!({ "key": "OPS", "name": "A project", "visibility": if operation == "projects_break_glass" { "private" } else { "open" } });
            let project = author.post("/projects", new).await.is(201).text_at("/id");
            if operation != "projects_break_glass" {
                furnish(&team, &project, operation, &mut is).await;
            }
            is("ProjectId", json!(project));
        }
        let actor = arrange(app, &team, operation, &mut real).await;
        Self { actor, real }
    }

    async fn send(&self, method: &Method, path: &str, operation: &Value, example: &Value) -> Reply {
        let mut target = path.to_owned();
        for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path") {
            let name = parameter["name"].as_str().unwrap();
            let value = self.real(&parameter["example"]);
            target = target.replace(&format!("{{{name}}}"), value.as_str().unwrap());
        }
        let body = self.real(example);
        let request = self.actor.request(method.clone(), &target);
        let request = if needs_a_key(operation) && !target.ends_with("/invitations") {
            request.header("Idempotency-Key", "an-example")
        } else {
            request
        };
        let request = request.json(&body);
        self.actor.send(request, format!("{method} {target} {body}")).await
    }

    /// The example with what there is.
    fn real(&self, example: &Value) -> Value {
        match example {
            Value::String(text) => self.real.get(text).unwrap_or(example).clone(),
            Value::Array(all) => all.iter().map(|one| self.real(one)).collect(),
            Value::Object(all) => all.iter().map(|(name, one)| (name.clone(), self.real(one))).collect(),
            other => other.clone(),
        }
    }
}

fn needs_a_key(operation: &Value) -> bool {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.into_iter().any(|one| one["$ref"] == "#/components/parameters/IdempotencyKey")
}

/// Tasks, a label, a comment: what examples are about.
async fn furnish(team: &Team, project: &str, operation: &str, is: &mut impl FnMut(&str, Value)) {
    if operation != "labels_create" {
        let label = team.owner.post(&format!("/projects/{project}/labels"), json!({ "name": "urgent" })).await;
        is("LabelId", label.is(201).json()["id"].clone());
    }
    for title in ["The first", "The second"] {
        let due = json!({ "date": "2031-03-01" });
        let task = team.owner.post("/tasks", json!({ "project": project, "title": title, "due": due })).await;
        let _ = task.is(201);
    }
    if operation.starts_with("comments_") {
        let comment = team.owner.post("/tasks/OPS-1/comments", json!({ "body": "Well?" })).await;
        is("CommentId", comment.is(201).json()["id"].clone());
    }
}

/// What single operations need beside it. Gives who sends the example.
async fn arrange(app: &TestApp, team: &Team, operation: &str, real: &mut HashMap<String, Value>) -> Actor {
    let owner = &team.owner;
    let mut token_is = |token: String| {
        real.insert("6vWbkzjS0m0rJdqZ0pcLZ3dEo4hN1sXyQvTgRkMuBaE".to_owned(), json!(token));
    };
    match operation {
        "accounts_verify" => {
            people::sign_up(&app.stranger(), "verified@example.org", "seven lamps in a row").await;
            token_is(newest(app, Purpose::Verification).await);
            return app.stranger();
        }
        "passwords_complete" => {
            let _ = app.stranger().post("/v1/password-resets", json!({ "email": owner.email })).await.is(202);
            token_is(newest(app, Purpose::PasswordReset).await);
            return app.stranger();
        }
        "emails_confirm" => {
            let _ = owner.post("/v1/me/email", sure(json!({ "email": "other@example.org" }))).await.is(202);
            token_is(newest(app, Purpose::EmailOld).await);
            return app.stranger();
        }
        // An organization keeps an owner.
        "deletion_request" => {
            app.give_password(&team.member).await;
            return team.member.clone();
        }
        "invitations_decline" | "memberships_accept" => {
            let invited = app.person("invited").await;
            let _ = owner.post("/invitations", json!({ "email": invited.email, "role": "member" })).await.is(201);
            token_is(newest(app, Purpose::Invitation).await);
            return invited;
        }
        "sessions_create" => {
            real.insert("ada@example.org".to_owned(), json!(owner.email));
        }
        "second_factor_switch_on" | "second_factor_switch_off" | "second_factor_renew_codes" => {
            let _ = owner.post("/v1/me/second-factor", sure(json!({}))).await.is(201);
            let code = app.code_of(owner).await;
            if operation == "second_factor_switch_on" {
                real.insert("123456".to_owned(), json!(code));
            } else {
                let _ = owner.put("/v1/me/second-factor/confirmation", json!({ "code": code })).await.is(200);
            }
        }
        "deliveries_snooze" => {
            let reminder = json!({ "when": { "at": real["2031-03-01T08:00:00Z"] }, "to": "me" });
            let plan = owner.post("/tasks/OPS-1/reminders", reminder).await.is(201).json();
            let delivery = plan["plan"][0]["delivery_id"].clone();
            real.insert("01a20393-c05f-7000-8000-000000000006".to_owned(), delivery);
        }
        "roles_update" => {
            let new = json!({ "key": "night-shift", "name": "Night shift", "permissions": ["tasks:read"] });
            let _ = owner.post("/roles", new).await.is(201);
            real.insert("member".to_owned(), json!("night-shift"));
        }
        // Here the slug is what is given, and no other has it.
        "organizations_create" | "organizations_update" => {
            let slug = if operation == "organizations_update" { team.slug.clone() } else { format!("{}-2", team.slug) };
            real.insert("acme".to_owned(), json!(slug));
        }
        _ => {}
    }
    assert_eq!(PASSWORD, "correct horse battery", "the example of a password that is asked for again");
    owner.clone()
}

async fn newest(app: &TestApp, purpose: Purpose) -> String {
    people::tokens(app, purpose).await.pop().unwrap()
}
