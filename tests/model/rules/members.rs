use super::{ABOVE, CHANGED, DONE, INVALID, NO_SESSION, NOTHING, No, Verdict, WRONG_PASSWORD};
use crate::{
    bits::{Bits, Grant, MEMBERS, OWN, cover},
    state::{Member, State},
    step::{Key, Person, Who},
};

impl State {
    pub(super) fn set_role(&mut self, who: Who, org: usize, whom: Person, role: Key) -> Verdict {
        let caller = self.enter(who, org, MEMBERS)?;
        let place = &mut self.orgs[org];
        let target = *place.members.get(&whom).ok_or(NOTHING)?;
        let wanted = place.gives(role).ok_or(INVALID)?;
        if !cover(caller.held, wanted) {
            return Err(if whom == caller.person { No(403, "self_promotion") } else { ABOVE });
        }
        if !cover(caller.held, place.held(target)) {
            return Err(ABOVE);
        }
        if role != "owner" {
            place.keeps_an_owner(whom)?;
        }
        place.members.insert(whom, Member { role, ..target });
        place.wrote("member.role_changed");
        CHANGED
    }

    /// Somebody else, or oneself; never above.
    fn target(&self, who: Who, org: usize, whom: Person) -> Result<Member, No> {
        let caller = self.enter(who, org, MEMBERS)?;
        let target = *self.orgs[org].members.get(&whom).ok_or(NOTHING)?;
        if cover(caller.held, self.orgs[org].held(target)) { Ok(target) } else { Err(ABOVE) }
    }

    pub(super) fn suspend(&mut self, who: Who, org: usize, whom: Person) -> Verdict {
        let target = self.target(who, org, whom)?;
        if target.active {
            self.orgs[org].keeps_an_owner(whom)?;
            self.end(org, whom, false);
            self.orgs[org].wrote("member.suspended");
        }
        CHANGED
    }

    pub(super) fn reinstate(&mut self, who: Who, org: usize, whom: Person) -> Verdict {
        let target = self.target(who, org, whom)?;
        if !target.active {
            self.orgs[org].members.insert(whom, Member { active: true, ..target });
            self.orgs[org].wrote("member.reinstated");
        }
        CHANGED
    }

    pub(super) fn remove(&mut self, who: Who, org: usize, whom: Person) -> Verdict {
        let caller = self.enter(who, org, MEMBERS)?;
        // To go is a decision of people: no program takes its owner out.
        if caller.person == whom && !caller.session {
            return Err(NO_SESSION);
        }
        self.target(who, org, whom)?;
        self.orgs[org].keeps_an_owner(whom)?;
        self.end(org, whom, true);
        self.orgs[org].wrote(if caller.person == whom { "member.left" } else { "member.removed" });
        DONE
    }

    pub(super) fn leave(&mut self, who: Who, org: usize) -> Verdict {
        let caller = self.enter(who, org, 0)?;
        if !caller.session {
            return Err(NO_SESSION);
        }
        self.orgs[org].keeps_an_owner(caller.person)?;
        self.end(org, caller.person, true);
        self.orgs[org].wrote("member.left");
        DONE
    }

    /// In one step: out, and nothing is left that hung on them.
    fn end(&mut self, org: usize, whom: Person, removed: bool) {
        self.tokens.retain(|_, token| (token.owner, token.org) != (whom, org));
        let place = &mut self.orgs[org];
        place.invitations.retain(|_, invitation| invitation.by != whom);
        for task in place.tasks.values_mut() {
            task.assignees.remove(&whom);
            task.owed.retain(|(person, _)| *person != whom);
        }
        if removed {
            place.members.remove(&whom);
        } else if let Some(member) = place.members.get_mut(&whom) {
            member.active = false;
        }
        // The owners run what nobody runs any more.
        let (owners, members) = (place.owners(), place.members.clone());
        let active = |person: &Person| members.get(person).is_some_and(|member| member.active);
        let mut inherited = 0;
        for project in place.projects.values_mut() {
            let manages = |person| project.grants.get(&person) == Some(&Grant::Manager);
            if manages(whom) && !project.grants.iter().any(|(who, role)| *role == Grant::Manager && active(who)) {
                project.grants.extend(owners.iter().map(|owner| (*owner, Grant::Manager)));
                inherited += 1;
            }
            if removed {
                project.grants.remove(&whom);
            }
        }
        for _ in 0..inherited {
            place.wrote("project.inherited");
        }
    }

    /// What takes an owner, and their password.
    fn sure(&self, who: Who, org: usize, password: bool) -> Result<Person, No> {
        let caller = self.enter(who, org, OWN)?;
        match (caller.session, password) {
            (false, _) => Err(NO_SESSION),
            (true, false) => Err(WRONG_PASSWORD),
            (true, true) => Ok(caller.person),
        }
    }

    pub(super) fn transfer(&mut self, who: Who, org: usize, to: Person, password: bool) -> Verdict {
        let from = self.sure(who, org, password)?;
        let place = &mut self.orgs[org];
        match place.members.get(&to).ok_or(NOTHING)? {
            Member { active: false, .. } => return Err(No(409, "not_active")),
            Member { role: "owner", .. } => return Err(No(409, "already_owner")),
            Member { .. } => {}
        }
        place.members.insert(to, Member { role: "owner", active: true });
        place.members.insert(from, Member { role: "admin", active: true });
        place.wrote("organization.transferred");
        CHANGED
    }

    pub(super) fn close(&mut self, who: Who, org: usize, password: bool) -> Verdict {
        self.sure(who, org, password)?;
        let place = &mut self.orgs[org];
        if !place.closed {
            place.closed = true;
            place.wrote("organization.deleted");
        }
        CHANGED
    }

    pub(super) fn reopen(&mut self, who: Who, org: usize) -> Verdict {
        self.enter(who, org, OWN)?;
        let place = &mut self.orgs[org];
        if place.closed {
            place.closed = false;
            place.wrote("organization.restored");
        }
        CHANGED
    }
}

/// Of two that differ the smaller; where neither is, nothing: an invitation never gives what was not offered.
pub(super) fn capped(offered: (Key, Bits), inviter: (Key, Bits)) -> Key {
    if cover(inviter.1, offered.1) {
        offered.0
    } else if cover(offered.1, inviter.1) {
        inviter.0
    } else {
        "guest"
    }
}
