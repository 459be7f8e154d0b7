//! The rules that no single permission expresses: who may act on whom. Pure; the callers hold the locks.
//!
//! They compare sets, not names: "above" means to hold a permission that the other lacks, whichever role it comes from.

use super::Permissions;
use crate::{error::Refusal, ids::AccountId};

/// A change of role: from what to what, by whom.
#[derive(Clone, Copy, Debug)]
pub struct RoleChange {
    /// Who changes it, and what they hold.
    pub actor: (AccountId, Permissions),
    /// Whose role changes, and what it gives.
    pub target: (AccountId, Permissions),
    /// What the new one gives.
    pub wanted: Permissions,
}

/// Invariants 2 to 4 of the access policy. That an owner remains is checked where the rows are locked.
///
/// # Errors
/// The rule that forbids it.
pub fn may_change_role(change: RoleChange) -> Result<(), Refusal> {
    let RoleChange { actor: (actor, own), target: (target, current), wanted } = change;
    if !own.cover(wanted) {
        return Err(if actor == target { Refusal::SelfPromotion } else { Refusal::RoleAboveOwn });
    }
    may_act_on(own, current)
}

/// Nobody acts on those above.
///
/// # Errors
/// [`Refusal::RoleAboveOwn`].
pub fn may_act_on(own: Permissions, target: Permissions) -> Result<(), Refusal> {
    if own.cover(target) { Ok(()) } else { Err(Refusal::RoleAboveOwn) }
}

/// Nobody gives what they lack: by role, by grant, by invitation or by token.
///
/// # Errors
/// [`Refusal::RoleAboveOwn`].
pub fn may_give(own: Permissions, given: Permissions) -> Result<(), Refusal> {
    if own.cover(given) { Ok(()) } else { Err(Refusal::RoleAboveOwn) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    #[test]
    fn nobody_acts_above_themselves() {
        let (me, other) = (AccountId::new(), AccountId::new());
        let held = |role: Role| Permissions::of(role.permissions());
        for own in Role::ALL {
            for current in Role::ALL {
                for wanted in Role::ALL {
                    let change =
                        RoleChange { actor: (me, held(own)), target: (other, held(current)), wanted: held(wanted) };
                    let rank = |role| Role::ALL.iter().position(|r| *r == role).unwrap();
                    let allowed = rank(own) <= rank(current) && rank(own) <= rank(wanted);
                    assert_eq!(may_change_role(change).is_ok(), allowed, "{change:?}");
                }
            }
            let promotion = RoleChange { actor: (me, held(own)), target: (me, held(own)), wanted: held(Role::Owner) };
            assert_eq!(may_change_role(promotion).is_ok(), own == Role::Owner, "{own:?}");
        }
    }

    #[test]
    fn of_two_roles_that_differ_neither_stands_above_the_other() {
        let (one, other) = (Permissions::of(0b110), Permissions::of(0b011));
        assert_eq!(may_act_on(one, other), Err(Refusal::RoleAboveOwn));
        assert_eq!(may_act_on(other, one), Err(Refusal::RoleAboveOwn));
        assert_eq!(may_give(one, Permissions::of(0b100)), Ok(()));
    }
}
