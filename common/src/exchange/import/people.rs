//! Whom the addresses of a file mean here.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::fault::{Complaints, ImportFault};
use crate::{
    access::{Core, CreateProjects, Permission, Permissions, WriteTasks},
    error::{Error, Result},
    exchange::table::Person,
    ids::AccountId,
    text::EmailAddress,
};

/// All active members, by address.
#[derive(Debug)]
pub(super) struct People {
    pub(super) me: AccountId,
    held: Permissions,
    by_email: HashMap<String, AccountId>,
    active: HashSet<AccountId>,
    /// Whom something will be given: they are looked at once more at the end.
    pub(super) used: BTreeSet<AccountId>,
    /// What the file calls them, for mentions.
    pub(super) known_as: HashMap<AccountId, AccountId>,
    pub(super) skip: bool,
}

impl People {
    pub(super) async fn of(core: &mut Core, skip: bool) -> Result<Self> {
        let rows = sqlx::query!(
            r#"select a.id as "id: AccountId", a.email, current_account() as "me!: AccountId",
                      current_permissions() as "held!: Permissions"
               from memberships m join accounts a on a.id = m.account_id where m.status = 'active'"#
        )
        .fetch_all(core.sql())
        .await?;
        let first = rows.first().ok_or(Error::NotFound)?;
        let (me, held) = (first.me, first.held);
        let active = rows.iter().map(|row| row.id).collect();
        let by_email = rows.into_iter().map(|row| (row.email, row.id)).collect();
        let (used, known_as) = <_>::default();
        Ok(Self { me, held, by_email, active, used, known_as, skip })
    }

    /// Projects full of tasks come into being: that takes what creating each by itself would.
    pub(super) fn may_create(&self) -> Result<()> {
        for (held, name) in [
            (self.held.hold::<CreateProjects>(), CreateProjects::NAME),
            (self.held.hold::<WriteTasks>(), WriteTasks::NAME),
        ] {
            if !held {
                return Err(Error::Forbidden(name));
            }
        }
        Ok(())
    }

    /// Somebody to whom something is given. Nobody, if they are unknown and may be.
    pub(super) fn find(
        &mut self,
        email: &EmailAddress,
        complaints: &mut Complaints,
        line: u32,
        field: &str,
    ) -> Option<AccountId> {
        let known = self.by_email.get(email.as_str()).copied();
        match known {
            Some(id) => {
                self.used.insert(id);
            }
            None if self.skip => {}
            None => complaints.add(line, field, &ImportFault::UnknownPerson),
        }
        known
    }

    /// Who did something: whoever imports, if they are unknown and may be.
    pub(super) fn author(
        &mut self,
        email: Option<&EmailAddress>,
        complaints: &mut Complaints,
        line: u32,
        field: &str,
    ) -> AccountId {
        email.and_then(|email| self.find(email, complaints, line, field)).unwrap_or(self.me)
    }

    /// A member's line of the file: what comments call them by.
    pub(super) fn know(&mut self, id: AccountId, email: &EmailAddress) {
        if let Some(known) = self.by_email.get(email.as_str()) {
            self.known_as.insert(id, *known);
        }
    }
}

impl People {
    /// A text with the ids of those whom it mentions here in place of those there, and who they are. Of somebody unknown
    /// the mention stays as it is, and means nobody.
    pub(super) fn rename_mentions(&self, text: &str) -> (String, Vec<AccountId>) {
        let (mut renamed, mut mentioned) = (String::with_capacity(text.len()), Vec::new());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("<@") {
            renamed.push_str(before);
            renamed.push_str("<@");
            rest = after;
            let Some((id, after)) = after.split_once('>') else { continue };
            let Some(account) = id.parse().ok().and_then(|id: AccountId| self.known_as.get(&id)) else { continue };
            renamed.push_str(&account.to_string());
            renamed.push('>');
            mentioned.push(*account);
            rest = after;
        }
        renamed.push_str(rest);
        mentioned.sort_unstable();
        mentioned.dedup();
        (renamed, mentioned)
    }
}

impl People {
    /// Somebody who is an active member.
    pub(super) fn named(&self, person: &Person) -> Option<AccountId> {
        match person {
            Person::Id(id) => self.active.contains(id).then_some(*id),
            Person::Email(email) => self.by_email.get(email).copied(),
        }
    }
}
