//! A step as a request, and its answer in the model's words.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    bits::names,
    rules::Answer,
    step::{Deed, Id, PEOPLE, Person, Sight, Step, Who},
    world::{PASSWORD, World},
};

/// What came back.
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl World<'_> {
    pub(crate) async fn ask(&self, step: &Step) -> Heard {
        let (method, path, body) = self.request(step);
        // Other versions than a task's are not the model's business, nor are repeated requests.
        let seen = match step.deed {
            Deed::Retitle { seen, .. }
            | Deed::Assign { seen, .. }
            | Deed::Place { seen, .. }
            | Deed::DropTask { seen, .. } => seen,
            _ => None,
        };
        let version = seen.map_or_else(|| "*".to_owned(), |version| format!("\"{version}\""));
        let mut request = self.http.request(method, self.app.url(&path)).header("If-Match", version);
        request = request.header("Idempotency-Key", Uuid::now_v7().to_string());
        request = match step.who {
            Who::Nobody => request,
            Who::Person(person) => request.bearer_auth(&self.people[person].session),
            Who::Program(token) => request.bearer_auth(&self.tokens[&token]),
        };
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Heard { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    /// Remembers what was made.
    pub(crate) async fn remember(&mut self, step: &Step, heard: &Heard, state: &crate::state::State) {
        if heard.status >= 300 {
            return;
        }
        let made = || heard.body["id"].as_str().and_then(|id| id.parse().ok());
        match step.deed {
            Deed::Invite { new, .. } => {
                self.learn(new, made().unwrap());
                self.read_mail(new, 0).await;
            }
            Deed::MakeProject { new, .. } | Deed::MakeTask { new, .. } => self.learn(new, made().unwrap()),
            Deed::MakeToken { new, .. } => {
                self.learn(new, made().unwrap());
                self.tokens.insert(new, heard.body["token"].as_str().unwrap().to_owned());
            }
            Deed::Resend(invitation) => {
                if let Some(waits) = state.orgs.iter().find_map(|org| org.invitations.get(&invitation)) {
                    self.read_mail(invitation, waits.mail).await;
                }
            }
            _ => {}
        }
    }

    fn request(&self, step: &Step) -> (Method, String, Value) {
        // The one by its slug, the other by its id.
        let (id, slug) = &self.orgs[step.org];
        let org = if step.org == 0 { format!("/v1/orgs/{slug}") } else { format!("/v1/orgs/{id}") };
        let get = |path: String| (Method::GET, path, Value::Null);
        let post = |path: String, body| (Method::POST, path, body);
        let put = |path: String, body| (Method::PUT, path, body);
        let patch = |path: String, body| (Method::PATCH, path, body);
        let delete = |path: String| (Method::DELETE, path, Value::Null);
        let member = |person: Person| format!("{org}/members/{}", self.people[person].id);
        let project = |id: Id| format!("{org}/projects/{}", self.real(id));
        let task = |id: Id| format!("{org}/tasks/{}", self.real(id));
        let grant = |id: Id, person: Person| format!("{}/grants/{}", project(id), self.people[person].id);
        let proof = |right: bool| if right { PASSWORD } else { "not their password" };
        let visibility = |private: bool| if private { "private" } else { "open" };
        match step.deed {
            Deed::Invite { whom, role, .. } => {
                post(format!("{org}/invitations"), json!({ "email": self.people[whom].email, "role": role }))
            }
            Deed::Resend(id) => post(format!("{org}/invitations/{}/resend", self.real(id)), Value::Null),
            Deed::Revoke(id) => delete(format!("{org}/invitations/{}", self.real(id))),
            Deed::Accept { invitation, mail } => {
                let token = self.mails.get(&(invitation, mail)).cloned().unwrap_or_else(|| "A".repeat(43));
                post("/v1/me/memberships".to_owned(), json!({ "invitation": token }))
            }
            Deed::SetRole { whom, role } => put(format!("{}/role", member(whom)), json!({ "role": role })),
            Deed::Suspend(whom) => put(format!("{}/suspension", member(whom)), Value::Null),
            Deed::Reinstate(whom) => delete(format!("{}/suspension", member(whom))),
            Deed::Remove(whom) => delete(member(whom)),
            Deed::Leave => delete(format!("{org}/members/me")),
            Deed::Transfer { to, password } => {
                let body = json!({ "account": self.people[to].id, "password": proof(password) });
                post(format!("{org}/transfer"), body)
            }
            Deed::Close { password } => (Method::DELETE, org, json!({ "password": proof(password) })),
            Deed::Reopen => delete(format!("{org}/deletion")),
            Deed::MakeRole { key, gives } => {
                post(format!("{org}/roles"), json!({ "key": key, "name": key, "permissions": names(gives) }))
            }
            Deed::ChangeRole { key, gives } => {
                patch(format!("{org}/roles/{key}"), json!({ "permissions": names(gives) }))
            }
            Deed::DropRole { key, instead: None } => delete(format!("{org}/roles/{key}")),
            Deed::DropRole { key, instead: Some(other) } => delete(format!("{org}/roles/{key}?replacement={other}")),
            Deed::MakeProject { key, private, .. } => {
                let body = json!({ "key": key, "name": "A project", "visibility": visibility(private) });
                post(format!("{org}/projects"), body)
            }
            Deed::TurnProject { project: id, private } => {
                patch(project(id), json!({ "visibility": visibility(private) }))
            }
            Deed::Grant { project: id, whom, role } => put(grant(id, whom), json!({ "role": role.name() })),
            Deed::Withdraw { project: id, whom } => delete(grant(id, whom)),
            Deed::BreakGlass(id) => post(format!("{}/access", project(id)), json!({ "reason": "to see" })),
            Deed::MakeTask { project: id, ref assignees, .. } => {
                let people: Vec<_> = assignees.iter().map(|person| self.people[*person].id).collect();
                let remind = |to: &str| json!({ "when": { "at": "2041-01-01T00:00:00Z" }, "to": to });
                post(
                    format!("{org}/tasks"),
                    json!({ "project": self.real(id), "title": "T0", "assignees": people,
                            "reminders": [remind("assignees"), remind("me")] }),
                )
            }
            Deed::Complete(id) => put(format!("{}/completion", task(id)), Value::Null),
            Deed::Uncomplete(id) => delete(format!("{}/completion", task(id))),
            Deed::Retitle { task: id, title, .. } => patch(task(id), json!({ "title": format!("T{title}") })),
            Deed::Assign { task: id, ref people, .. } => {
                let people: Vec<_> = people.iter().map(|person| self.people[*person].id).collect();
                patch(task(id), json!({ "assignees": people }))
            }
            Deed::Place { task: id, after, .. } => {
                put(format!("{}/position", task(id)), json!({ "after": after.map(|other| self.real(other)) }))
            }
            Deed::DropTask { task: id, .. } => delete(task(id)),
            Deed::RestoreTask(id) => delete(format!("{}/deletion", task(id))),
            Deed::Comment(id) => post(format!("{}/comments", task(id)), json!({ "body": "Well said." })),
            Deed::MakeToken { scopes, .. } => {
                let body = json!({ "name": "A program", "org": self.orgs[step.org].1, "scopes": names(scopes) });
                post("/v1/me/tokens".to_owned(), body)
            }
            Deed::RevokeToken(id) => delete(format!("/v1/me/tokens/{}", self.real(id))),
            Deed::See(sight) => get(match sight {
                Sight::Organization => org,
                Sight::Organizations => "/v1/orgs".to_owned(),
                Sight::Members => format!("{org}/members"),
                Sight::Invitations => format!("{org}/invitations"),
                Sight::Roles => format!("{org}/roles"),
                Sight::Projects => format!("{org}/projects"),
                Sight::Project(id) => project(id),
                Sight::Grants(id) => format!("{}/grants", project(id)),
                Sight::Tasks => format!("{org}/tasks?limit=100"),
                Sight::Permissions(None) => format!("{org}/permissions"),
                Sight::Permissions(Some(id)) => format!("{org}/permissions?project={}", self.real(id)),
                Sight::Audit => format!("{org}/audit"),
                Sight::Tokens => "/v1/me/tokens".to_owned(),
            }),
        }
    }

    /// The real id; of what was never made, one that is nobody's.
    fn real(&self, id: Id) -> Uuid {
        self.ids.get(&id).copied().unwrap_or_else(Uuid::now_v7)
    }

    pub(crate) fn answer(&self, step: &Step, heard: &Heard) -> Answer {
        let shown = match step.deed {
            Deed::See(sight) if heard.status == 200 => Some(self.shown(sight, &heard.body)),
            _ => None,
        };
        let code = heard.body["code"].as_str().filter(|_| heard.status >= 300).unwrap_or_default().to_owned();
        Answer { status: heard.status, code, shown }
    }

    fn shown(&self, sight: Sight, body: &Value) -> Vec<String> {
        let text = |item: &Value, field: &str| item[field].as_str().unwrap_or("none").to_owned();
        let name = |item: &Value, field: &str| {
            let id = item[field].as_str().and_then(|id| id.parse().ok());
            id.map_or_else(|| format!("no {field}"), |id| self.name(id))
        };
        let set = |item: &Value| {
            let names = item.as_array().map(|names| names.iter().filter_map(Value::as_str).collect::<Vec<_>>());
            names.map_or_else(|| "all".to_owned(), |names| format!("[{}]", names.join(" ")))
        };
        let whose = |email: &str| {
            let place = self.people.iter().position(|somebody| somebody.email == email);
            place.map_or("nobody", |place| PEOPLE[place])
        };
        let line = |item: &Value| match sight {
            Sight::Organization | Sight::Organizations => {
                format!("{} {} {}", name(item, "id"), text(item, "role"), set(&item["permissions"]))
            }
            Sight::Members => format!("{} {} {}", name(item, "account_id"), text(item, "role"), text(item, "status")),
            Sight::Invitations => {
                let whom = whose(&text(item, "email"));
                format!("{} {whom} {} by {}", name(item, "id"), text(item, "role"), name(item, "invited_by"))
            }
            Sight::Roles => format!("{} {}", text(item, "key"), set(&item["permissions"])),
            Sight::Projects | Sight::Project(_) => {
                let (id, key, visibility) = (name(item, "id"), text(item, "key"), text(item, "visibility"));
                format!("{id} {key} {visibility} {}", set(&item["permissions"]))
            }
            Sight::Grants(_) => format!("{} {}", name(item, "account_id"), text(item, "role")),
            Sight::Tasks => {
                let people = item["assignees"].as_array().into_iter().flatten();
                let mut ids: Vec<_> =
                    people.filter_map(|id| id.as_str()?.parse().ok()).map(|id| self.name(id)).collect();
                ids.sort_unstable();
                format!("{} {}", name(item, "id"), ids.join(" "))
            }
            Sight::Permissions(project) => {
                let here = project
                    .map_or_else(String::new, |_| format!("{} {} ", text(item, "visibility"), text(item, "grant")));
                let (by_role, scopes) = (set(&item["by_role"]), set(&item["scopes"]));
                format!("{} {here}{} {by_role} {scopes}", set(&item["permissions"]), text(item, "role"))
            }
            Sight::Tokens => format!("{} {} {}", name(item, "id"), name(item, "org_id"), set(&item["scopes"])),
            Sight::Audit => String::new(),
        };
        let mut lines: Vec<_> = match sight {
            Sight::Audit => Vec::new(),
            Sight::Organization | Sight::Project(_) | Sight::Permissions(_) => vec![line(body)],
            _ => body["data"].as_array().into_iter().flatten().map(line).collect(),
        };
        lines.sort_unstable();
        lines
    }
}
