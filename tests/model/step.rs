//! What people do, in words that can be printed and done again.

use std::fmt;

use crate::bits::{Bits, Grant, names};

/// Whoever there is; some of them belong to neither organization.
pub(crate) const PEOPLE: [&str; 7] = ["Ada", "Bea", "Cem", "Dan", "Eve", "Fay", "Gil"];
pub(crate) const ORGS: [&str; 2] = ["acme", "bolt"];

/// Somebody, by their place in [`PEOPLE`].
pub(crate) type Person = usize;
/// The key of a role or of a project.
pub(crate) type Key = &'static str;

/// A thing that was made, or that somebody tried to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub(crate) u32);

/// The version that somebody means to change; none: any.
pub(crate) type Seen = Option<u32>;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Nobody,
    /// By a session.
    Person(Person),
    /// By a personal token.
    Program(Id),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) who: Who,
    /// By its place in [`ORGS`].
    pub(crate) org: usize,
    pub(crate) deed: Deed,
}

#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Invite {
        new: Id,
        whom: Person,
        role: Key,
    },
    Resend(Id),
    Revoke(Id),
    /// With the token of the first mail, or of a later one.
    Accept {
        invitation: Id,
        mail: u32,
    },
    SetRole {
        whom: Person,
        role: Key,
    },
    Suspend(Person),
    Reinstate(Person),
    Remove(Person),
    Leave,
    Transfer {
        to: Person,
        password: bool,
    },
    Close {
        password: bool,
    },
    Reopen,
    MakeRole {
        key: Key,
        gives: Bits,
    },
    ChangeRole {
        key: Key,
        gives: Bits,
    },
    DropRole {
        key: Key,
        instead: Option<Key>,
    },
    MakeProject {
        new: Id,
        key: Key,
        private: bool,
    },
    TurnProject {
        project: Id,
        private: bool,
    },
    Grant {
        project: Id,
        whom: Person,
        role: Grant,
    },
    Withdraw {
        project: Id,
        whom: Person,
    },
    BreakGlass(Id),
    MakeTask {
        new: Id,
        project: Id,
        assignees: Vec<Person>,
    },
    Complete(Id),
    /// Opens it again.
    Uncomplete(Id),
    Retitle {
        task: Id,
        title: u8,
        seen: Seen,
    },
    Assign {
        task: Id,
        people: Vec<Person>,
        seen: Seen,
    },
    /// Behind another one, or before all of them.
    Place {
        task: Id,
        after: Option<Id>,
        seen: Seen,
    },
    DropTask {
        task: Id,
        seen: Seen,
    },
    RestoreTask(Id),
    Comment(Id),
    MakeToken {
        new: Id,
        scopes: Bits,
    },
    RevokeToken(Id),
    See(Sight),
}

/// What can be looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sight {
    Organization,
    /// One's own, all of them.
    Organizations,
    Members,
    Invitations,
    Roles,
    Projects,
    Project(Id),
    Grants(Id),
    Tasks,
    Permissions(Option<Id>),
    Audit,
    /// One's own.
    Tokens,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("nobody"),
            Self::Person(person) => f.write_str(PEOPLE[*person]),
            Self::Program(token) => write!(f, "token {token}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {}", self.who, ORGS[self.org], self.deed)
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let visibility = |private: &bool| if *private { "private" } else { "open" };
        let of = |seen: Seen| seen.map_or_else(String::new, |version| format!(", seen as {version}"));
        let right = |password: &bool| if *password { "" } else { ", with a wrong password" };
        match self {
            Self::Invite { new, whom, role } => write!(f, "invite {} as {role} ({new})", PEOPLE[*whom]),
            Self::Resend(id) => write!(f, "resend invitation {id}"),
            Self::Revoke(id) => write!(f, "revoke invitation {id}"),
            Self::Accept { invitation, mail } => write!(f, "accept invitation {invitation} by its mail {mail}"),
            Self::SetRole { whom, role } => write!(f, "make {} {role}", PEOPLE[*whom]),
            Self::Suspend(whom) => write!(f, "suspend {}", PEOPLE[*whom]),
            Self::Reinstate(whom) => write!(f, "reinstate {}", PEOPLE[*whom]),
            Self::Remove(whom) => write!(f, "remove {}", PEOPLE[*whom]),
            Self::Leave => f.write_str("leave"),
            Self::Transfer { to, password } => write!(f, "hand over to {}{}", PEOPLE[*to], right(password)),
            Self::Close { password } => write!(f, "delete the organization{}", right(password)),
            Self::Reopen => f.write_str("restore the organization"),
            Self::MakeRole { key, gives } => write!(f, "make the role {key} of {:?}", names(*gives)),
            Self::ChangeRole { key, gives } => write!(f, "let the role {key} give {:?}", names(*gives)),
            Self::DropRole { key, instead: None } => write!(f, "delete the role {key}"),
            Self::DropRole { key, instead: Some(other) } => write!(f, "delete the role {key} for {other}"),
            Self::MakeProject { new, key, private } => {
                write!(f, "make the {} project {key} ({new})", visibility(private))
            }
            Self::TurnProject { project, private } => write!(f, "make project {project} {}", visibility(private)),
            Self::Grant { project, whom, role } => {
                write!(f, "make {} {} of project {project}", PEOPLE[*whom], role.name())
            }
            Self::Withdraw { project, whom } => write!(f, "take project {project} from {}", PEOPLE[*whom]),
            Self::BreakGlass(project) => write!(f, "break the glass of project {project}"),
            Self::MakeTask { new, project, assignees } => {
                let people: Vec<_> = assignees.iter().map(|person| PEOPLE[*person]).collect();
                write!(f, "make a task for {people:?} in project {project} ({new})")
            }
            Self::Complete(task) => write!(f, "complete task {task}"),
            Self::Uncomplete(task) => write!(f, "open task {task} again"),
            Self::Retitle { task, title, seen } => write!(f, "call task {task} T{title}{}", of(*seen)),
            Self::Assign { task, people, seen } => {
                let people: Vec<_> = people.iter().map(|person| PEOPLE[*person]).collect();
                write!(f, "give task {task} to {people:?}{}", of(*seen))
            }
            Self::Place { task, after: None, seen } => write!(f, "put task {task} first{}", of(*seen)),
            Self::Place { task, after: Some(other), seen } => {
                write!(f, "put task {task} behind {other}{}", of(*seen))
            }
            Self::DropTask { task, seen } => write!(f, "delete task {task}{}", of(*seen)),
            Self::RestoreTask(task) => write!(f, "restore task {task}"),
            Self::Comment(task) => write!(f, "comment on task {task}"),
            Self::MakeToken { new, scopes } => write!(f, "make a token for {:?} ({new})", names(*scopes)),
            Self::RevokeToken(token) => write!(f, "revoke token {token}"),
            Self::See(sight) => write!(f, "see {sight:?}"),
        }
    }
}
