//! People and organizations, each with a word in its name by which a mail can be told from another's.

use common::{
    ids::{AccountId, SessionId},
    secrets::SessionToken,
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{Client, World};

/// Somebody.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their account.
    pub id: Uuid,
    /// The word in their name.
    pub marker: String,
    /// Their address.
    pub email: String,
    /// Their session.
    pub token: String,
}

/// An organization with a project.
#[derive(Clone, Debug)]
pub struct Org {
    /// Its id.
    pub id: Uuid,
    /// Its name in URLs.
    pub slug: String,
    /// The word in its name.
    pub marker: String,
    /// The project's id.
    pub project: Uuid,
    /// Who founded it.
    pub owner: Person,
    /// Everybody else.
    pub members: Vec<Person>,
}

/// Everybody of a verification.
#[derive(Clone, Debug)]
pub struct Cast {
    /// The organizations.
    pub orgs: Vec<Org>,
}

impl Cast {
    /// So many organizations of so many people. The API founds them; accounts and memberships, of which there are many, are
    /// rows of ours.
    ///
    /// # Panics
    /// When something is refused.
    pub async fn of(world: &World, orgs: usize, members: usize) -> Self {
        Self::sized(world, &vec![members; orgs]).await
    }

    /// The same, each of its own size.
    ///
    /// # Panics
    /// When something is refused.
    pub async fn sized(world: &World, members: &[usize]) -> Self {
        let mut cast = Self { orgs: Vec::with_capacity(members.len()) };
        for (number, members) in members.iter().enumerate() {
            let mut people = people(&world.admin, number, members + 1).await;
            let owner = people.remove(0);
            let marker = marker("zo", number);
            let client = Client::of(world, &owner);
            let new = json!({ "slug": format!("org-{number}"), "name": format!("Org {marker}"), "time_zone": "UTC" });
            let made = client.post("/v1/orgs", &new).await.created();
            let id = made["id"].as_str().unwrap().parse().unwrap();
            let slug = made["slug"].as_str().unwrap().to_owned();
            let new = json!({ "key": "OPS", "name": "A project", "visibility": "open" });
            let made = client.post(&format!("/v1/orgs/{slug}/projects"), &new).await.created();
            let project = made["id"].as_str().unwrap().parse().unwrap();
            let join = "insert into memberships (org_id, account_id, role) select $1, account, 'member' from unnest($2::uuid[]) account";
            let ids: Vec<Uuid> = people.iter().map(|person| person.id).collect();
            sqlx::query(join).bind(id).bind(&ids).execute(&world.admin).await.unwrap();
            cast.orgs.push(Org { id, slug, marker, project, owner, members: people });
        }
        cast
    }
}

/// A word that stands nowhere else.
pub(super) fn marker(kind: &str, number: usize) -> String {
    format!("{kind}{number:010x}")
}

async fn people(admin: &PgPool, org: usize, count: usize) -> Vec<Person> {
    let person = |number: usize| {
        let marker = marker("zp", org * 100_000 + number);
        let (email, token) = (format!("{marker}@example.org"), SessionToken::random().unwrap());
        (Person { id: AccountId::new().0, marker, email, token: token.reveal() }, token.hash().as_bytes().to_vec())
    };
    let (people, hashes): (Vec<Person>, Vec<Vec<u8>>) = (0..count).map(person).unzip();
    sqlx::query(
        "with account as (
             insert into accounts (id, email, name, password_hash, email_verified_at)
             select id, email, 'Reader ' || marker, 'none', now() from unnest($1::uuid[], $2::text[], $3::text[]) o (id, email, marker))
         insert into sessions (id, account_id, token_hash, expires_at)
         select session, id, hash, now() + interval '1 day' from unnest($1::uuid[], $4::uuid[], $5::bytea[]) o (id, session, hash)",
    )
    .bind(people.iter().map(|person| person.id).collect::<Vec<_>>())
    .bind(people.iter().map(|person| person.email.clone()).collect::<Vec<_>>())
    .bind(people.iter().map(|person| person.marker.clone()).collect::<Vec<_>>())
    .bind(people.iter().map(|_| SessionId::new().0).collect::<Vec<_>>())
    .bind(hashes)
    .execute(admin)
    .await
    .unwrap();
    people
}
