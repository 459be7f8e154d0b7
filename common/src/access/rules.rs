//! The rules that no single permission expresses: who may act on whom. Pure; the callers hold the locks.

use super::Role;
use crate::{error::Refusal, ids::AccountId};

/// "Above" means: holds a permission the other lacks. Nobody acts on those above.
#[must_use]
pub(super) const fn may_act_on(actor: i64, target: i64) -> bool {
    target & !actor == 0
}

/// A change of role: from what to what, by whom.
#[derive(Clone, Copy, Debug)]
pub struct RoleChange {
    /// Who changes it, and with which role.
    pub actor: (AccountId, Role),
    /// Whose role changes, and what it is.
    pub target: (AccountId, Role),
    /// What it shall be.
    pub wanted: Role,
}

/// Invariants 2 to 4 of the access policy. That an owner remains is checked where the rows are locked.
///
/// # Errors
/// The rule that forbids it.
pub fn may_change_role(change: RoleChange) -> Result<(), Refusal> {
    let RoleChange { actor: (actor, own), target: (target, current), wanted } = change;
    if own.is_below(wanted) {
        return Err(if actor == target { Refusal::SelfPromotion } else { Refusal::RoleAboveOwn });
    }
    if own.is_below(current) { Err(Refusal::RoleAboveOwn) } else { Ok(()) }
}

/// An invitation gives no more than its author has.
///
/// # Errors
/// [`Refusal::RoleAboveOwn`].
pub fn may_invite_as(own: Role, wanted: Role) -> Result<(), Refusal> {
    if own.is_below(wanted) { Err(Refusal::RoleAboveOwn) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_acts_above_themselves() {
        let (me, other) = (AccountId::new(), AccountId::new());
        for own in Role::ALL {
            for current in Role::ALL {
                for wanted in Role::ALL {
                    let change = RoleChange { actor: (me, own), target: (other, current), wanted };
                    let rank = |role| Role::ALL.iter().position(|r| *r == role).unwrap();
                    let allowed = rank(own) <= rank(current) && rank(own) <= rank(wanted);
                    assert_eq!(may_change_role(change).is_ok(), allowed, "{change:?}");
                }
            }
            let promotion = RoleChange { actor: (me, own), target: (me, own), wanted: Role::Owner };
            assert_eq!(may_change_role(promotion).is_ok(), own == Role::Owner, "{own:?}");
        }
    }
}
