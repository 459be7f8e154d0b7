use std::collections::BTreeMap;

use super::{CHANGED, CREATED, NOT_A_MEMBER, NOTHING, Verdict, admit};
use crate::{
    bits::{COMPLETE, READ, WRITE},
    state::{State, Task},
    step::{Id, Person, Who},
};

impl State {
    /// With a reminder to its assignees and one to whoever makes it, years from now.
    pub(super) fn make_task(&mut self, who: Who, org: usize, new: Id, id: Id, assignees: &[Person]) -> Verdict {
        let caller = self.enter(who, org, WRITE)?;
        self.project(caller, org, id, WRITE)?;
        let place = &mut self.orgs[org];
        if !assignees.iter().all(|person| place.is_active(*person)) {
            return Err(NOT_A_MEMBER);
        }
        let mut owed = BTreeMap::new();
        for person in assignees.iter().chain([&caller.person]).filter(|person| place.sees(**person, id)) {
            *owed.entry(*person).or_default() += 1;
        }
        place.tasks.insert(new, Task { project: id, assignees: assignees.iter().copied().collect(), owed });
        CREATED
    }

    pub(super) fn complete(&mut self, who: Who, org: usize, id: Id) -> Verdict {
        let caller = self.enter(who, org, READ)?;
        let place = &mut self.orgs[org];
        let task = place.tasks.get_mut(&id).ok_or(NOTHING)?;
        let project = place.projects.get(&task.project).ok_or(NOTHING)?;
        // Who is to do it may say that it is done.
        let assigned = if task.assignees.contains(&caller.person) { COMPLETE & caller.scopes } else { 0 };
        admit(project.held(caller) | assigned, COMPLETE)?;
        task.owed.clear();
        CHANGED
    }
}
