//! Whom the addresses of a file mean here.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::fault::{Complaints, ImportFault};
use crate::{
    access::{Core, CreateProjects, Permission, Permissions, ReadTasks, WriteTasks},
    error::{Error, Result},
    exchange::table::Person,
    ids::{AccountId, ProjectId},
    text::EmailAddress,
    time::TimeZoneName,
};

/// All active members, by address.
#[derive(Debug)]
pub(super) struct People {
    pub(super) me: AccountId,
    pub(super) now: Timestamp,
    held: Permissions,
    by_email: HashMap<String, AccountId>,
    zones: HashMap<AccountId, TimeZoneName>,
    /// Whom something will be given: they are looked at once more at the end.
    pub(super) used: BTreeSet<AccountId>,
    /// What the file calls them, for mentions.
    pub(super) known_as: HashMap<AccountId, AccountId>,
    readers: HashMap<ProjectId, HashSet<AccountId>>,
    pub(super) skip: bool,
}

impl People {
    pub(super) async fn of(core: &mut Core, skip: bool) -> Result<Self> {
        let rows = sqlx::query!(
            r#"select a.id as "id: AccountId", a.email, coalesce(a.time_zone, o.time_zone) as "zone!", now() as "now!",
                      current_account() as "me!: AccountId", current_permissions() as "held!: Permissions"
               from memberships m join accounts a on a.id = m.account_id, organizations o where m.status = 'active'"#
        )
        .fetch_all(core.sql())
        .await?;
        let first = rows.first().ok_or(Error::NotFound)?;
        let (me, now, held) = (first.me, first.now.to_jiff(), first.held);
        let zones = rows.iter().map(|row| (row.id, TimeZoneName::stored(&row.zone))).collect();
        let by_email = rows.into_iter().map(|row| (row.email, row.id)).collect();
        let (used, known_as, readers) = <_>::default();
        Ok(Self { me, now, held, by_email, zones, used, known_as, readers, skip })
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

    pub(super) fn zone(&self, id: AccountId) -> Option<&TimeZoneName> {
        self.zones.get(&id)
    }

    /// Whether somebody sees a project; asked of the database once a project.
    pub(super) async fn sees(&mut self, core: &mut Core, project: ProjectId, id: AccountId) -> Result<bool> {
        if !self.readers.contains_key(&project) {
            let readers = sqlx::query_scalar!(
                r#"select m.account_id as "id: AccountId" from memberships m, projects p
                   where p.id = $1 and m.status = 'active' and permissions_of(m.account_id, p.id, p.visibility) & $2 <> 0"#,
                project.0,
                ReadTasks::BITS,
            )
            .fetch_all(core.sql())
            .await?;
            self.readers.insert(project, readers.into_iter().collect());
        }
        Ok(self.readers.get(&project).is_some_and(|readers| readers.contains(&id)))
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
            Person::Id(id) => self.zones.contains_key(id).then_some(*id),
            Person::Email(email) => self.by_email.get(email).copied(),
        }
    }
}
