//! Sets of permissions, as roles, tokens and answers have them.

use std::str::FromStr;

use deserr::Deserr;
use serde::{Serialize, Serializer};

use super::{
    OwnOrganization, Permission,
    permissions::{ALL, IMPLIED, READ_ME},
};
use crate::input::{Fault, Faults, parsed_field};

/// Some permissions. In JSON the list of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct Permissions(i64);

impl Permissions {
    /// By their bits.
    #[must_use]
    pub const fn of(bits: i64) -> Self {
        Self(bits)
    }

    /// All there are.
    #[must_use]
    pub fn every() -> Self {
        Self(ALL.iter().chain([&READ_ME]).fold(0, |bits, (bit, _)| bits | bit))
    }

    /// Their bits.
    #[must_use]
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// Whether `P` is one of them.
    #[must_use]
    pub const fn hold<P: Permission>(self) -> bool {
        self.0 & P::BITS == P::BITS
    }

    /// Whether each of `other` is one of them.
    #[must_use]
    pub const fn cover(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whoever holds these owns the organization.
    #[must_use]
    pub const fn own(self) -> bool {
        self.hold::<OwnOrganization>()
    }

    /// Without what concerns no organization.
    #[must_use]
    pub const fn in_organization(self) -> Self {
        Self(self.0 & !READ_ME.0)
    }

    /// Those that mean something in a project: what a manager's grant gives.
    #[must_use]
    pub const fn in_projects(self) -> Self {
        Self(self.0 & super::GrantRole::Manager.permissions())
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        ALL.iter().chain([&READ_ME]).filter(move |(bit, _)| self.0 & bit != 0).map(|(_, name)| *name)
    }

    /// With all that they imply: who may write tasks may read them.
    fn closed(bits: i64) -> Self {
        IMPLIED.iter().fold(Self(bits), |set, (bit, implied)| if bits & bit == 0 { set } else { Self(set.0 | implied) })
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

/// Why a permission was refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum PermissionFault {
    /// There is none of this name.
    #[error("is not the name of a permission")]
    Unknown,
    /// Only the built-in role of owners has it.
    #[error("belongs to owners alone")]
    OwnersOnly,
    /// An empty list.
    #[error("must name at least one permission")]
    None,
}

impl Fault for PermissionFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "not_a_permission",
            Self::OwnersOnly => "owners_only",
            Self::None => "empty",
        }
    }
}

/// One permission that a custom role may hold.
struct InRole(i64);

impl FromStr for InRole {
    type Err = PermissionFault;

    fn from_str(name: &str) -> Result<Self, PermissionFault> {
        match ALL.iter().find(|(_, known)| *known == name) {
            Some((bit, _)) if *bit == OwnOrganization::BITS => Err(PermissionFault::OwnersOnly),
            Some((bit, _)) => Ok(Self(*bit)),
            None => Err(PermissionFault::Unknown),
        }
    }
}

/// One scope of a personal token.
struct Scope(i64);

impl FromStr for Scope {
    type Err = PermissionFault;

    fn from_str(name: &str) -> Result<Self, PermissionFault> {
        let known = ALL.iter().chain([&READ_ME]).find(|(_, known)| *known == name);
        known.map(|(bit, _)| Self(*bit)).ok_or(PermissionFault::Unknown)
    }
}

parsed_field!(InRole);
parsed_field!(Scope);

/// What a custom role gives: any permissions but the owners'. Implied ones are added.
#[derive(Clone, Copy, Debug, Deserr)]
#[deserr(from(Vec<InRole>) = RolePermissions::closed, error = Faults)]
pub struct RolePermissions(pub Permissions);

impl RolePermissions {
    /// All that a custom role may hold.
    #[must_use]
    pub fn every() -> Permissions {
        Permissions(Permissions::every().in_organization().bits() & !OwnOrganization::BITS)
    }

    fn closed(listed: Vec<InRole>) -> Self {
        Self(Permissions::closed(listed.into_iter().fold(0, |bits, permission| bits | permission.0)))
    }
}

/// What a personal token may do at most. Implied permissions are added.
#[derive(Clone, Copy, Debug, Deserr)]
#[deserr(try_from(Vec<Scope>) = Scopes::closed -> PermissionFault, error = Faults)]
pub struct Scopes(pub Permissions);

impl Scopes {
    fn closed(listed: Vec<Scope>) -> Result<Self, PermissionFault> {
        if listed.is_empty() {
            return Err(PermissionFault::None);
        }
        Ok(Self(Permissions::closed(listed.into_iter().fold(0, |bits, scope| bits | scope.0))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        access::{GrantRole, Role},
        input::read,
    };

    #[test]
    fn what_a_permission_implies_comes_with_it() {
        let RolePermissions(set) = read(json!(["tasks:write"])).unwrap();
        assert_eq!(set.names().collect::<Vec<_>>(), ["tasks:read", "tasks:write", "tasks:complete"]);
        // The built-in roles and grants are such sets already.
        let built_in = Role::ALL.map(Role::permissions).into_iter().chain(GrantRole::ALL.map(GrantRole::permissions));
        for bits in built_in {
            assert_eq!(Permissions::closed(bits).bits(), bits);
        }
    }

    #[test]
    fn a_role_never_holds_what_is_the_owners_and_a_token_says_what_it_is_for() {
        let code = |fault: Faults| (fault.0[0].pointer.clone(), fault.0[0].code);
        let fault = read::<RolePermissions>(json!(["tasks:read", "organization:own"])).unwrap_err();
        assert_eq!(code(fault), ("/1".into(), "owners_only"));
        assert_eq!(code(read::<RolePermissions>(json!(["me:read"])).unwrap_err()), ("/0".into(), "not_a_permission"));
        assert_eq!(code(read::<Scopes>(json!([])).unwrap_err()), (String::new(), "empty"));
        assert_eq!(read::<Scopes>(json!(["me:read"])).unwrap().0.names().collect::<Vec<_>>(), ["me:read"]);
    }
}
