use super::{ABOVE, CHANGED, CREATED, DONE, NOT_A_MEMBER, NOTHING, No, Verdict};
use crate::{
    bits::{Bits, Grant, MANAGE, OWN, PROJECTS, cover},
    state::{Org, Project, State},
    step::{Id, Key, Person, Who},
};

impl State {
    pub(super) fn make_project(&mut self, who: Who, org: usize, new: Id, key: Key, private: bool) -> Verdict {
        let caller = self.enter(who, org, PROJECTS)?;
        let place = &mut self.orgs[org];
        if place.projects.values().any(|project| project.key == key) {
            return Err(No(409, "key_taken"));
        }
        let grants = [(caller.person, Grant::Manager)].into();
        place.projects.insert(new, Project { key, private, grants, order: Vec::new() });
        place.wrote("project.created");
        CREATED
    }

    pub(super) fn turn_project(&mut self, who: Who, org: usize, id: Id, private: bool) -> Verdict {
        let caller = self.enter(who, org, MANAGE)?;
        self.project(caller, org, id, MANAGE)?;
        let place = &mut self.orgs[org];
        let project = place.projects.get_mut(&id).ok_or(NOTHING)?;
        if project.private != private {
            project.private = private;
            place.wrote("project.updated");
        }
        CHANGED
    }

    /// What the caller holds in a project that they may grant roles in, if the other's role is theirs to touch.
    fn granting(&self, who: Who, org: usize, id: Id, whom: Person) -> Result<Bits, No> {
        let caller = self.enter(who, org, MANAGE)?;
        let held = self.project(caller, org, id, MANAGE)?;
        let theirs = self.orgs[org].projects.get(&id).map_or(0, |project| project.granted(whom));
        if cover(held, theirs) { Ok(held) } else { Err(ABOVE) }
    }

    pub(super) fn grant(&mut self, who: Who, org: usize, id: Id, whom: Person, role: Grant) -> Verdict {
        let held = self.granting(who, org, id, whom)?;
        let place = &mut self.orgs[org];
        if !cover(held, role.gives()) {
            return Err(ABOVE);
        }
        if !place.members.contains_key(&whom) {
            return Err(NOT_A_MEMBER);
        }
        if role != Grant::Manager {
            place.keeps_a_manager(id, whom)?;
        }
        place.projects.get_mut(&id).ok_or(NOTHING)?.grants.insert(whom, role);
        place.wrote("grant.set");
        CHANGED
    }

    pub(super) fn withdraw(&mut self, who: Who, org: usize, id: Id, whom: Person) -> Verdict {
        self.granting(who, org, id, whom)?;
        let place = &mut self.orgs[org];
        if !place.projects.get(&id).is_some_and(|project| project.grants.contains_key(&whom)) {
            return Err(NOTHING);
        }
        place.keeps_a_manager(id, whom)?;
        place.projects.get_mut(&id).ok_or(NOTHING)?.grants.remove(&whom);
        place.wrote("grant.removed");
        DONE
    }

    pub(super) fn break_glass(&mut self, who: Who, org: usize, id: Id) -> Verdict {
        let caller = self.enter(who, org, OWN)?;
        let place = &mut self.orgs[org];
        place.projects.get_mut(&id).ok_or(NOTHING)?.grants.insert(caller.person, Grant::Manager);
        place.wrote("project.glass_broken");
        CREATED
    }
}

impl Org {
    /// Whether somebody who can come in still manages the project when this one does not. Suspended people run nothing.
    fn keeps_a_manager(&self, id: Id, without: Person) -> Result<(), No> {
        let Some(project) = self.projects.get(&id) else { return Err(NOTHING) };
        let remains = |(person, role): (&Person, &Grant)| {
            *role == Grant::Manager && *person != without && self.is_active(*person)
        };
        if project.grants.get(&without) == Some(&Grant::Manager) && !project.grants.iter().any(remains) {
            return Err(No(409, "last_manager"));
        }
        Ok(())
    }
}
