//! The policy, written down a second time: which role and which grant gives what. Should this page and
//! `common/src/access/roles.rs` ever disagree, somebody has to say which of them is right.

/// A set of permissions.
pub(crate) type Bits = i64;

pub(crate) const OWN: Bits = 1;
pub(crate) const LIST: Bits = 1 << 2;
pub(crate) const MEMBERS: Bits = 1 << 3;
pub(crate) const ROLES: Bits = 1 << 4;
pub(crate) const AUDIT: Bits = 1 << 5;
pub(crate) const PROJECTS: Bits = 1 << 7;
pub(crate) const MANAGE: Bits = 1 << 8;
pub(crate) const READ: Bits = 1 << 9;
pub(crate) const WRITE: Bits = 1 << 10;
pub(crate) const COMPLETE: Bits = 1 << 11;
pub(crate) const COMMENT: Bits = 1 << 12;
pub(crate) const ME: Bits = 1 << 13;

/// Every permission of an organization; the last name is a scope only.
pub(crate) const NAMES: [&str; 14] = [
    "organization:own",
    "organization:update",
    "members:list",
    "members:manage",
    "roles:manage",
    "audit:read",
    "deliveries:read",
    "projects:create",
    "projects:manage",
    "tasks:read",
    "tasks:write",
    "tasks:complete",
    "comments:write",
    "me:read",
];
/// What an owner holds.
pub(crate) const EVERYTHING: Bits = (1 << 13) - 1;
/// What means something in a project.
pub(crate) const IN_PROJECTS: Bits = MANAGE | READ | WRITE | COMPLETE | COMMENT;

const WORK: Bits = READ | WRITE | COMPLETE | COMMENT;

/// A role in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Grant {
    Viewer,
    Commenter,
    Editor,
    Manager,
}

impl Grant {
    pub(crate) const ALL: [Self; 4] = [Self::Viewer, Self::Commenter, Self::Editor, Self::Manager];

    pub(crate) fn gives(self) -> Bits {
        match self {
            Self::Viewer => READ,
            Self::Commenter => READ | COMMENT,
            Self::Editor => WORK,
            Self::Manager => WORK | MANAGE,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Commenter => "commenter",
            Self::Editor => "editor",
            Self::Manager => "manager",
        }
    }
}

/// What a built-in role gives.
pub(crate) fn built_in(role: &str) -> Option<Bits> {
    match role {
        "owner" => Some(EVERYTHING),
        "admin" => Some(EVERYTHING & !OWN),
        "member" => Some(LIST | PROJECTS | WORK),
        "guest" => Some(0),
        _ => None,
    }
}

pub(crate) fn cover(own: Bits, other: Bits) -> bool {
    other & !own == 0
}

/// With all that they imply.
pub(crate) fn closed(bits: Bits) -> Bits {
    let mut all = bits;
    for (bit, implied) in [(WRITE, READ | COMPLETE), (COMPLETE, READ), (COMMENT, READ), (MANAGE, READ), (MEMBERS, LIST)]
    {
        if bits & bit != 0 {
            all |= implied;
        }
    }
    all
}

pub(crate) fn names(bits: Bits) -> Vec<&'static str> {
    NAMES.into_iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, name)| name).collect()
}
