//! What there is, as far as access goes, and how it is written down to be compared with what Postgres has.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    bits::{Bits, Grant, READ, built_in},
    step::{Id, Key, ORGS, PEOPLE, Person},
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) orgs: [Org; 2],
    /// Those that count.
    pub(crate) tokens: BTreeMap<Id, Token>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Org {
    /// It will be deleted.
    pub(crate) closed: bool,
    /// Active and suspended.
    pub(crate) members: BTreeMap<Person, Member>,
    /// Custom ones.
    pub(crate) roles: BTreeMap<Key, Bits>,
    /// Those that wait.
    pub(crate) invitations: BTreeMap<Id, Invitation>,
    pub(crate) projects: BTreeMap<Id, Project>,
    pub(crate) tasks: BTreeMap<Id, Task>,
    /// How many events of which kind the audit log has.
    pub(crate) log: BTreeMap<&'static str, usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Member {
    pub(crate) role: Key,
    pub(crate) active: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Invitation {
    pub(crate) whom: Person,
    pub(crate) role: Key,
    pub(crate) by: Person,
    /// How often it was sent again.
    pub(crate) mail: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Project {
    pub(crate) key: Key,
    pub(crate) private: bool,
    pub(crate) grants: BTreeMap<Person, Grant>,
    /// Its tasks, as people have put them, deleted ones too.
    pub(crate) order: Vec<Id>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Task {
    pub(crate) project: Id,
    pub(crate) maker: Person,
    pub(crate) assignees: BTreeSet<Person>,
    /// `T0`, `T1` and so on.
    pub(crate) title: u8,
    pub(crate) version: u32,
    pub(crate) done: bool,
    pub(crate) deleted: bool,
    /// For whom a reminder waits.
    pub(crate) owed: BTreeSet<(Person, Told)>,
    /// How often who has said something.
    pub(crate) comments: BTreeMap<Person, usize>,
    /// How often what was done to it, as its history says.
    pub(crate) history: BTreeMap<&'static str, usize>,
}

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Told {
    Assigned,
    /// They have made it, and asked to be.
    Asked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token {
    pub(crate) owner: Person,
    pub(crate) org: usize,
    pub(crate) scopes: Bits,
}

impl State {
    /// Two organizations with somebody in each role; some people are in both, some in none.
    pub(crate) fn founded() -> Self {
        let member = |role| Member { role, active: true };
        let mut state = Self::default();
        state.orgs[0].members = [(0, "owner"), (1, "admin"), (2, "member"), (3, "guest"), (4, "member")]
            .map(|(person, role)| (person, member(role)))
            .into();
        state.orgs[1].members =
            [(5, "owner"), (0, "member"), (1, "admin")].map(|(person, role)| (person, member(role))).into();
        state
    }

    /// One line for each thing, sorted.
    pub(crate) fn lines(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for (org, name) in self.orgs.iter().zip(ORGS) {
            org.write(|line| {
                lines.insert(format!("{name} {line}"));
            });
        }
        for (id, token) in &self.tokens {
            let (org, owner) = (ORGS[token.org], PEOPLE[token.owner]);
            lines.insert(format!("{org} token {id} {owner} - {}", token.scopes));
        }
        lines
    }
}

impl Org {
    /// What a role gives; nothing if there is no such role.
    pub(crate) fn gives(&self, role: Key) -> Option<Bits> {
        built_in(role).or_else(|| self.roles.get(role).copied())
    }

    /// What a member's role gives.
    pub(crate) fn held(&self, member: Member) -> Bits {
        self.gives(member.role).unwrap_or_else(|| panic!("nobody has the role {} that does not exist", member.role))
    }

    pub(crate) fn is_active(&self, person: Person) -> bool {
        self.members.get(&person).is_some_and(|member| member.active)
    }

    pub(crate) fn owners(&self) -> Vec<Person> {
        let owns = |member: &Member| member.active && member.role == "owner";
        self.members.iter().filter(|(_, member)| owns(member)).map(|(person, _)| *person).collect()
    }

    /// Whether a member sees a project, by their role or by a grant.
    pub(crate) fn sees(&self, person: Person, project: Id) -> bool {
        let (Some(member), Some(project)) = (self.members.get(&person), self.projects.get(&project)) else {
            return false;
        };
        let by_role = if project.private { 0 } else { self.held(*member) };
        (by_role | project.granted(person)) & READ != 0
    }

    pub(crate) fn wrote(&mut self, action: &'static str) {
        *self.log.entry(action).or_default() += 1;
    }

    /// As `look.rs` reads them from the tables: kind, thing, person, person, the rest.
    fn write(&self, mut line: impl FnMut(String)) {
        let none = "-";
        if self.closed {
            line(format!("closed {none} {none} {none} {none}"));
        }
        for (person, member) in &self.members {
            let status = if member.active { "active" } else { "suspended" };
            line(format!("member {none} {} {none} {} {status}", PEOPLE[*person], member.role));
        }
        for (key, gives) in &self.roles {
            line(format!("role {none} {none} {none} {key} {gives}"));
        }
        for (id, invitation) in &self.invitations {
            let (whom, by) = (PEOPLE[invitation.whom], PEOPLE[invitation.by]);
            line(format!("invitation {id} {whom} {by} {}", invitation.role));
        }
        for (id, project) in &self.projects {
            let visibility = if project.private { "private" } else { "open" };
            line(format!("project {id} {none} {none} {} {visibility}", project.key));
            for (place, task) in project.order.iter().enumerate() {
                line(format!("place {task} {none} {none} {}", place + 1));
            }
            for (person, role) in &project.grants {
                line(format!("grant {id} {} {none} {}", PEOPLE[*person], role.name()));
            }
        }
        for (id, task) in &self.tasks {
            for person in &task.assignees {
                line(format!("assigned {id} {} {none} {none}", PEOPLE[*person]));
            }
            for (person, name) in PEOPLE.iter().enumerate() {
                let count = task.owes(person);
                if count > 0 {
                    line(format!("owed {id} {name} {none} {count}"));
                }
            }
            for (person, count) in &task.comments {
                line(format!("said {id} {} {none} {count}", PEOPLE[*person]));
            }
            for (action, count) in &task.history {
                line(format!("did {id} {none} {none} {action} {count}"));
            }
            let Task { project, title, version, done, deleted, .. } = task;
            line(format!("task {id} {none} {project} T{title} {version} {done} {deleted}"));
        }
        for (action, count) in &self.log {
            line(format!("log {none} {none} {none} {action} {count}"));
        }
    }
}

impl Task {
    /// How many reminders wait for somebody.
    pub(crate) fn owes(&self, person: Person) -> usize {
        self.owed.iter().filter(|(whom, _)| *whom == person).count()
    }

    pub(crate) fn happened(&mut self, action: &'static str) {
        *self.history.entry(action).or_default() += 1;
        if action != "created" {
            self.version += 1;
        }
    }
}

impl Project {
    pub(crate) fn granted(&self, person: Person) -> Bits {
        self.grants.get(&person).map_or(0, |grant| grant.gives())
    }
}
