use super::{ABOVE, CHANGED, CREATED, DONE, INVALID, NOTHING, No, Verdict};
use crate::{
    bits::{Bits, ROLES, built_in, closed, cover},
    state::State,
    step::{Key, Who},
};

impl State {
    pub(super) fn make_role(&mut self, who: Who, org: usize, key: Key, gives: Bits) -> Verdict {
        let caller = self.enter(who, org, ROLES)?;
        if !cover(caller.held, closed(gives)) {
            return Err(ABOVE);
        }
        let place = &mut self.orgs[org];
        if place.gives(key).is_some() {
            return Err(No(409, "role_exists"));
        }
        place.roles.insert(key, closed(gives));
        place.wrote("role.created");
        CREATED
    }

    /// A custom role that gives nothing beyond what the caller holds.
    fn custom(&self, who: Who, org: usize, key: Key) -> Result<Bits, No> {
        let caller = self.enter(who, org, ROLES)?;
        if built_in(key).is_some() {
            return Err(No(409, "role_built_in"));
        }
        let gives = *self.orgs[org].roles.get(key).ok_or(NOTHING)?;
        if cover(caller.held, gives) { Ok(caller.held) } else { Err(ABOVE) }
    }

    pub(super) fn change_role(&mut self, who: Who, org: usize, key: Key, gives: Bits) -> Verdict {
        let held = self.custom(who, org, key)?;
        if !cover(held, closed(gives)) {
            return Err(ABOVE);
        }
        // What is the same already changes nothing.
        if self.orgs[org].roles.insert(key, closed(gives)) != Some(closed(gives)) {
            self.orgs[org].wrote("role.updated");
        }
        CHANGED
    }

    pub(super) fn drop_role(&mut self, who: Who, org: usize, key: Key, instead: Option<Key>) -> Verdict {
        let held = self.custom(who, org, key)?;
        let place = &mut self.orgs[org];
        if let Some(other) = instead.filter(|other| *other != key) {
            if !cover(held, place.gives(other).ok_or(INVALID)?) {
                return Err(ABOVE);
            }
            for member in place.members.values_mut().filter(|member| member.role == key) {
                member.role = other;
            }
            for invitation in place.invitations.values_mut().filter(|invitation| invitation.role == key) {
                invitation.role = other;
            }
        }
        let holders = place.members.values().map(|member| member.role);
        if holders.chain(place.invitations.values().map(|offer| offer.role)).any(|role| role == key) {
            return Err(No(409, "role_in_use"));
        }
        place.roles.remove(key);
        place.wrote("role.deleted");
        DONE
    }
}
