use std::collections::BTreeSet;

use super::{CHANGED, CREATED, Caller, DELETED, DONE, INVALID, NOT_A_MEMBER, NOTHING, No, STALE, Verdict, admit};
use crate::{
    bits::{Bits, COMMENT, COMPLETE, READ, WRITE},
    state::{Org, State, Task, Told},
    step::{Id, Person, Seen, Who},
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
        let mut task = Task {
            project: id,
            maker: caller.person,
            assignees: assignees.iter().copied().collect(),
            title: 0,
            version: 1,
            done: false,
            deleted: false,
            owed: BTreeSet::new(),
            comments: [].into(),
            history: [].into(),
        };
        task.owed = place.telling(&task);
        task.happened("created");
        place.tasks.insert(new, task);
        place.projects.get_mut(&id).ok_or(NOTHING)?.order.push(new);
        CREATED
    }

    /// Into a task, for what needs `way` on the way in and `wanted` there. A deleted one is there for those who might restore it.
    fn task(&mut self, who: Who, org: usize, id: Id, way: Bits, wanted: Bits) -> Result<(Caller, &mut Task), No> {
        let caller = self.enter(who, org, way)?;
        let place = &mut self.orgs[org];
        let task = place.tasks.get_mut(&id).ok_or(NOTHING)?;
        let project = place.projects.get(&task.project).ok_or(NOTHING)?;
        // Who is to do it may say that it is done.
        let assigned = if task.assignees.contains(&caller.person) { COMPLETE & caller.scopes } else { 0 };
        let held = project.held(caller) | assigned;
        if task.deleted && held & WRITE == 0 {
            return Err(NOTHING);
        }
        admit(held, wanted)?;
        Ok((caller, task))
    }

    /// The same, of one that is not deleted and has the version that is meant.
    fn live(&mut self, who: Who, org: usize, id: Id, seen: Seen, way: Bits, wanted: Bits) -> Result<(), No> {
        let (_, task) = self.task(who, org, id, way, wanted)?;
        if task.deleted {
            return Err(DELETED);
        }
        if seen.is_some_and(|seen| seen != task.version) { Err(STALE) } else { Ok(()) }
    }

    /// Changes a task that is there; gives its organization, for what follows.
    fn change(&mut self, org: usize, id: Id, action: &'static str, change: impl FnOnce(&mut Task)) -> &mut Org {
        let place = &mut self.orgs[org];
        if let Some(task) = place.tasks.get_mut(&id) {
            change(task);
            task.happened(action);
        }
        place
    }

    pub(super) fn complete(&mut self, who: Who, org: usize, id: Id, done: bool) -> Verdict {
        self.live(who, org, id, None, READ, COMPLETE)?;
        if self.orgs[org].tasks[&id].done == done {
            return CHANGED;
        }
        if done {
            self.change(org, id, "completed", |task| (task.done, task.owed) = (true, BTreeSet::new()));
        } else {
            self.change(org, id, "reopened", |task| task.done = false).tell_all(id);
        }
        CHANGED
    }

    pub(super) fn retitle(&mut self, who: Who, org: usize, id: Id, title: u8, seen: Seen) -> Verdict {
        self.live(who, org, id, seen, WRITE, WRITE)?;
        if self.orgs[org].tasks[&id].title != title {
            self.change(org, id, "updated", |task| task.title = title);
        }
        CHANGED
    }

    pub(super) fn assign(&mut self, who: Who, org: usize, id: Id, people: &[Person], seen: Seen) -> Verdict {
        self.live(who, org, id, seen, WRITE, WRITE)?;
        let place = &mut self.orgs[org];
        if !people.iter().all(|person| place.is_active(*person)) {
            return Err(NOT_A_MEMBER);
        }
        let (before, after) = (place.tasks[&id].assignees.clone(), people.iter().copied().collect::<BTreeSet<_>>());
        if before == after {
            return CHANGED;
        }
        let place = self.change(org, id, "updated", |task| task.assignees = after);
        let told = place.telling(&place.tasks[&id]);
        let Some(task) = place.tasks.get_mut(&id) else { return CHANGED };
        let stays = task.assignees.clone();
        task.owed.retain(|(person, why)| *why == Told::Asked || stays.contains(person));
        // Only who is new is told anew.
        let new = |(person, why): &&(Person, Told)| *why == Told::Assigned && !before.contains(person);
        task.owed.extend(told.iter().filter(new));
        CHANGED
    }

    pub(super) fn place(&mut self, who: Who, org: usize, id: Id, after: Option<Id>, seen: Seen) -> Verdict {
        self.live(who, org, id, seen, WRITE, WRITE)?;
        let project = self.orgs[org].tasks[&id].project;
        let there =
            |other: &Id| self.orgs[org].tasks.get(other).is_some_and(|task| task.project == project && !task.deleted);
        if !after.iter().all(there) {
            return Err(INVALID);
        }
        if after == Some(id) {
            return CHANGED;
        }
        let place = self.change(org, id, "updated", |_| {});
        let order = &mut place.projects.get_mut(&project).ok_or(NOTHING)?.order;
        order.retain(|other| *other != id);
        let at = after.and_then(|after| order.iter().position(|other| *other == after)).map_or(0, |before| before + 1);
        order.insert(at, id);
        CHANGED
    }

    pub(super) fn drop_task(&mut self, who: Who, org: usize, id: Id, seen: Seen) -> Verdict {
        self.live(who, org, id, seen, WRITE, WRITE)?;
        self.change(org, id, "deleted", |task| (task.deleted, task.owed) = (true, BTreeSet::new()));
        DONE
    }

    pub(super) fn restore_task(&mut self, who: Who, org: usize, id: Id) -> Verdict {
        let (_, task) = self.task(who, org, id, WRITE, WRITE)?;
        if task.deleted {
            self.change(org, id, "restored", |task| task.deleted = false).tell_all(id);
        }
        CHANGED
    }

    pub(super) fn comment(&mut self, who: Who, org: usize, id: Id) -> Verdict {
        self.live(who, org, id, None, COMMENT, COMMENT)?;
        let (caller, task) = self.task(who, org, id, COMMENT, COMMENT)?;
        *task.comments.entry(caller.person).or_default() += 1;
        CREATED
    }
}

impl Org {
    /// Whom a task tells, if it is open: who is active and sees it.
    fn telling(&self, task: &Task) -> BTreeSet<(Person, Told)> {
        if task.done || task.deleted {
            return BTreeSet::new();
        }
        let assigned = task.assignees.iter().map(|person| (*person, Told::Assigned));
        let all = assigned.chain([(task.maker, Told::Asked)]);
        all.filter(|(person, _)| self.is_active(*person) && self.sees(*person, task.project)).collect()
    }

    fn tell_all(&mut self, id: Id) {
        let told = self.telling(&self.tasks[&id]);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.owed = told;
        }
    }
}
