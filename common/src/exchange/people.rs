//! People are named by their addresses: ids mean nothing elsewhere.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{access::Core, error::Result};

/// Somebody who is or was a member.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) status: String,
}

/// All of them, by id; for what goes out.
#[derive(Debug)]
pub(super) struct Everybody(HashMap<Uuid, Person>);

impl Everybody {
    pub(super) async fn of(core: &mut Core) -> Result<Self> {
        let people = sqlx::query_as!(
            Person,
            "select a.id, a.email, a.name, m.role, m.status from memberships m join accounts a on a.id = m.account_id"
        )
        .fetch_all(core.sql())
        .await?;
        Ok(Self(people.into_iter().map(|person| (person.id, person)).collect()))
    }

    /// By id, so that the same people always stand in the same order.
    pub(super) fn in_order(&self) -> Vec<&Person> {
        let mut people: Vec<_> = self.0.values().collect();
        people.sort_unstable_by_key(|person| person.id);
        people
    }

    /// Somebody's address. Every id in a tenant's table is a member's: a foreign key sees to it.
    pub(super) fn email(&self, id: Uuid) -> &str {
        self.0.get(&id).map_or("", |person| &person.email)
    }

    pub(super) fn emails(&self, ids: &[Uuid]) -> Vec<&str> {
        ids.iter().map(|id| self.email(*id)).collect()
    }
}
