use common::{
    access::Role,
    ids::{AccountId, OrgId, SessionId},
    secrets::SessionToken,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Actor, TestApp};

/// An organization with somebody in each role.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its id.
    pub id: OrgId,
    /// Its slug.
    pub slug: String,
    /// One of each role.
    pub owner: Actor,
    /// One of each role.
    pub admin: Actor,
    /// One of each role.
    pub member: Actor,
    /// One of each role.
    pub guest: Actor,
}

impl TestApp {
    /// Somebody with a verified account and a session, made behind the API's back: the way over mails has its own tests.
    ///
    /// # Panics
    /// When the name is taken.
    pub async fn person(&self, name: &str) -> Actor {
        let (id, token) = (AccountId::new(), SessionToken::random().unwrap());
        let email = format!("{name}-{}@example.org", &id.to_string()[24..]);
        sqlx::query(
            "with account as (
                 insert into accounts (id, email, name, password_hash, email_verified_at) values ($1, $2, $3, 'none', now()))
             insert into sessions (id, account_id, token_hash, expires_at) values ($4, $1, $5, now() + interval '1 day')",
        )
        .bind(id.0)
        .bind(&email)
        .bind(name)
        .bind(SessionId::new().0)
        .bind(token.hash().as_bytes())
        .execute(&self.admin)
        .await
        .unwrap();
        self.actor(id, &email, Some(token.reveal()))
    }

    /// An organization with somebody in each role.
    pub async fn team(&self) -> Team {
        let owner = self.person("owner").await;
        let slug = format!("team-{}", &Uuid::now_v7().simple().to_string()[20..]);
        let new = json!({ "slug": slug, "name": "A Team", "time_zone": "Europe/Berlin" });
        let id = owner.post("/v1/orgs", new).await.is(201).text_at("/id").parse().unwrap();
        let mut team = Team {
            id,
            owner: owner.within(&slug),
            admin: self.stranger(),
            member: self.stranger(),
            guest: self.stranger(),
            slug,
        };
        team.admin = self.join(&team, "admin", Role::Admin).await;
        team.member = self.join(&team, "member", Role::Member).await;
        team.guest = self.join(&team, "guest", Role::Guest).await;
        team
    }

    /// Somebody new in a team.
    pub async fn join(&self, team: &Team, name: &str, role: Role) -> Actor {
        let person = self.person(name).await;
        sqlx::query("insert into memberships (org_id, account_id, role) values ($1, $2, $3)")
            .bind(team.id.0)
            .bind(person.id.0)
            .bind(role.as_str())
            .execute(&self.admin)
            .await
            .unwrap();
        person.within(&team.slug)
    }
}

impl Team {
    /// A new project of the owner's; its id.
    pub async fn project(&self, key: &str, visibility: &str) -> String {
        let new = json!({ "key": key, "name": "A project", "visibility": visibility });
        self.owner.post("/projects", new).await.is(201).text_at("/id")
    }

    /// A new task of the owner's for the member, with a reminder for its assignees `seconds` from now.
    pub async fn reminded_task(&self, project: &str, title: &str, seconds: i64) -> Value {
        let at = now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        let new = json!({
            "project": project, "title": title, "assignees": [self.member.id], "due": { "at": at },
            "reminders": [{ "when": { "offset": "PT0S" }, "to": "assignees" }],
        });
        self.owner.post("/tasks", new).await.is(201).json()
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is a client: its clock is the wall's")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
