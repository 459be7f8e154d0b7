//! What happens in the tour, scene by scene.

use std::time::Instant;

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use url::Url;

use super::{
    Cast,
    client::{Client, text},
    inbox::Inbox,
};
use crate::Failure;

/// How far ahead the tour's task falls due.
const AHEAD: i64 = 4;

/// Plays the tour; prints it as it happens; fails with what went wrong.
pub(crate) async fn play(api: &Url, inbox: &Url, cast: &Cast) -> Result<(), Failure> {
    println!("\nThe tour: a team's task falls due, and the right person has the mail a moment later.\n");
    let begun = Instant::now();
    let stage = Stage { client: Client::new(api)?, inbox: Inbox::new(inbox)?, cast };
    let [owner, admin, member, guest] = stage.sign_everybody_up().await?;
    let org = stage.found(&owner).await?;
    for (person, role, name) in [(&admin, "member", "admin"), (&member, "member", "member"), (&guest, "guest", "guest")]
    {
        stage.invite(&org, &owner, person, role, name).await?;
    }
    stage.promote(&org, &owner, &admin).await?;
    let project = stage.open_project(&org, &admin, &guest).await?;
    stage.cancel_by_completing(&org, &project, &admin, &member).await?;
    stage.remind(&org, &project, &admin, &member).await?;
    println!("\nThe tour took {:.1} s.", begun.elapsed().as_secs_f64());
    Ok(())
}

struct Stage<'a> {
    client: Client,
    inbox: Inbox,
    cast: &'a Cast,
}

/// Somebody with an account and a session.
struct Person {
    email: String,
    id: String,
    client: Client,
}

impl Stage<'_> {
    async fn sign_everybody_up(&self) -> Result<[Person; 4], Failure> {
        Ok([
            self.sign_up("owner").await?,
            self.sign_up("admin").await?,
            self.sign_up("member").await?,
            self.sign_up("guest").await?,
        ])
    }

    async fn sign_up(&self, role: &str) -> Result<Person, Failure> {
        let (email, password) = (self.cast.email(role), Cast::PASSWORD);
        let name = format!("Demo {role}");
        self.client.post("v1/accounts", &json!({ "email": email, "name": name, "password": password })).await?;
        let mail = self.inbox.wait_for(&email, "").await?;
        self.client.post("v1/verifications", &json!({ "token": mail.token()? })).await?;
        let session = self.client.post("v1/sessions", &json!({ "email": email, "password": password })).await?;
        scene(&format!("{email} signs up, proves the address with the mail \"{}\", signs in", mail.subject));
        let client = self.client.signed_in(text(&session, "/token")?);
        Ok(Person { id: text(&session, "/account_id")?.to_owned(), email, client })
    }

    async fn found(&self, owner: &Person) -> Result<String, Failure> {
        let slug = self.cast.slug();
        let new = json!({ "slug": slug, "name": "Demo Incorporated", "time_zone": "Europe/Berlin" });
        let organization = owner.client.post("v1/orgs", &new).await?;
        scene(&format!("the owner founds \"{}\"", text(&organization, "/name")?));
        Ok(format!("v1/orgs/{slug}"))
    }

    async fn invite(&self, org: &str, owner: &Person, person: &Person, role: &str, name: &str) -> Result<(), Failure> {
        let offer = json!({ "email": person.email, "role": role });
        owner.client.post_once(&person.email, &format!("{org}/invitations"), &offer).await?;
        let mail = self.inbox.wait_for(&person.email, "invite").await?;
        let joined = person.client.post("v1/me/memberships", &json!({ "invitation": mail.token()? })).await?;
        scene(&format!("the {name} accepts the invitation from the mail, as {}", text(&joined, "/role")?));
        Ok(())
    }

    async fn promote(&self, org: &str, owner: &Person, admin: &Person) -> Result<(), Failure> {
        let role = format!("{org}/members/{}/role", admin.id);
        owner.client.put(&role, Some(&json!({ "role": "admin" }))).await?;
        let members = owner.client.get(&format!("{org}/members")).await?;
        let roles: Vec<&str> =
            members["data"].as_array().into_iter().flatten().filter_map(|member| member["role"].as_str()).collect();
        scene(&format!("the owner makes the admin an admin; the members now are: {}", roles.join(", ")));
        Ok(())
    }

    async fn open_project(&self, org: &str, admin: &Person, guest: &Person) -> Result<String, Failure> {
        let project =
            admin.client.post(&format!("{org}/projects"), &json!({ "key": "OPS", "name": "Operations" })).await?;
        let seen = guest.client.get(&format!("{org}/projects")).await?;
        let count = seen["data"].as_array().map_or(0, Vec::len);
        scene(&format!("the admin creates the project OPS; the guest, who has no grant, sees {count} projects"));
        text(&project, "/id").map(str::to_owned)
    }

    async fn cancel_by_completing(
        &self,
        org: &str,
        project: &str,
        admin: &Person,
        member: &Person,
    ) -> Result<(), Failure> {
        let task = self.task(org, project, admin, member, "Call the landlord", AHEAD).await?;
        member.client.put(&format!("{org}/tasks/{}/completion", text(&task, "/id")?), None).await?;
        let delivery = self.delivery(org, member, &task).await?;
        scene(&format!(
            "the member completes {} before it is due: its reminder is {} ({})",
            text(&task, "/key")?,
            text(&delivery, "/state")?,
            text(&delivery, "/reason")?
        ));
        Ok(())
    }

    async fn remind(&self, org: &str, project: &str, admin: &Person, member: &Person) -> Result<(), Failure> {
        let title = "Water the plants";
        let task = self.task(org, project, admin, member, title, AHEAD).await?;
        let due_at: Timestamp = text(&task, "/reminders/0/plan/0/due_at")?.parse()?;
        scene(&format!(
            "the admin gives the member {}, due at {due_at}; its reminder is {}",
            text(&task, "/key")?,
            self.state(org, member, &task).await?
        ));
        let mail = self.inbox.wait_for(&member.email, title).await?;
        let lateness = mail.received_at.duration_since(due_at).as_millis();
        scene(&format!("the mail \"{}\" lies in the member's inbox, {lateness} ms after its time", mail.subject));
        if lateness < 0 {
            return Err(format!("the reminder came {} ms too early", -lateness).into());
        }
        let log = self.settled(org, member, &task).await?;
        for step in log["steps"].as_array().into_iter().flatten() {
            println!("       {}  {} -> {}", text(step, "/at")?, text(step, "/from")?, text(step, "/to")?);
        }
        for attempt in log["tries"].as_array().into_iter().flatten() {
            println!(
                "       attempt of {}: {}, {}",
                text(attempt, "/worker")?,
                text(attempt, "/outcome")?,
                text(attempt, "/reply").unwrap_or("no reply")
            );
        }
        match self.inbox.mails(&member.email, title).await?.len() {
            1 => Ok(()),
            count => Err(format!("the reminder came {count} times").into()),
        }
    }

    /// A task for the member, due `ahead` seconds from now, with a reminder at that moment for its assignees.
    async fn task(
        &self,
        org: &str,
        project: &str,
        admin: &Person,
        member: &Person,
        title: &str,
        ahead: i64,
    ) -> Result<Value, Failure> {
        let due = now() + ahead.seconds();
        let new = json!({
            "project": project, "title": title, "due": { "at": due }, "assignees": [member.id],
            "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }],
        });
        admin.client.post(&format!("{org}/tasks"), &new).await
    }

    async fn delivery(&self, org: &str, member: &Person, task: &Value) -> Result<Value, Failure> {
        let list = member.client.get(&format!("{org}/deliveries?task={}", text(task, "/id")?)).await?;
        let id = text(&list, "/data/0/id")?;
        member.client.get(&format!("{org}/deliveries/{id}")).await
    }

    async fn state(&self, org: &str, member: &Person, task: &Value) -> Result<String, Failure> {
        text(&self.delivery(org, member, task).await?, "/state").map(str::to_owned)
    }

    /// The delivery once its last commit is through, which comes a moment after the mail.
    async fn settled(&self, org: &str, member: &Person, task: &Value) -> Result<Value, Failure> {
        for _ in 0..500 {
            let delivery = self.delivery(org, member, task).await?;
            if text(&delivery, "/state")? == "sent" {
                scene("what the API knows about where it went:");
                return Ok(delivery);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Err("the mail has come, but its delivery is not called sent".into())
    }
}

fn scene(what: &str) {
    println!("  -- {what}");
}

#[expect(clippy::disallowed_methods, reason = "the tour is a client: its clock is the wall's")]
fn now() -> Timestamp {
    Timestamp::now()
}
