use super::{ABOVE, CHANGED, CREATED, DONE, INVALID, NOTHING, No, Verdict, members::capped};
use crate::{
    bits::{MEMBERS, cover},
    state::{Invitation, Member, State},
    step::{Id, Key, Person, Who},
};

impl State {
    pub(super) fn invite(&mut self, who: Who, org: usize, new: Id, whom: Person, role: Key) -> Verdict {
        let caller = self.enter(who, org, MEMBERS)?;
        let place = &mut self.orgs[org];
        let given = place.gives(role).ok_or(INVALID)?;
        if !cover(caller.held, given) {
            return Err(ABOVE);
        }
        if place.members.contains_key(&whom) {
            return Err(No(409, "already_member"));
        }
        if place.invitations.values().any(|invitation| invitation.whom == whom) {
            return Err(No(409, "already_invited"));
        }
        place.invitations.insert(new, Invitation { whom, role, by: caller.person, mail: 0 });
        place.wrote("invitation.created");
        CREATED
    }

    /// The caller, and an invitation that is theirs to touch.
    fn waiting(&mut self, who: Who, org: usize, id: Id) -> Result<(Person, &mut Invitation), No> {
        let caller = self.enter(who, org, MEMBERS)?;
        let place = &mut self.orgs[org];
        let role = place.invitations.get(&id).ok_or(NOTHING)?.role;
        let given = place.gives(role).unwrap_or(0);
        let invitation = place.invitations.get_mut(&id).ok_or(NOTHING)?;
        if cover(caller.held, given) { Ok((caller.person, invitation)) } else { Err(ABOVE) }
    }

    pub(super) fn resend(&mut self, who: Who, org: usize, id: Id) -> Verdict {
        let (caller, invitation) = self.waiting(who, org, id)?;
        invitation.mail += 1;
        invitation.by = caller;
        self.orgs[org].wrote("invitation.resent");
        CHANGED
    }

    pub(super) fn revoke(&mut self, who: Who, org: usize, id: Id) -> Verdict {
        self.waiting(who, org, id)?;
        self.orgs[org].invitations.remove(&id);
        self.orgs[org].wrote("invitation.revoked");
        DONE
    }

    /// By the newest mail alone, by the invited alone, and only while whoever invited might still.
    pub(super) fn accept(&mut self, who: Who, id: Id, mail: u32) -> Verdict {
        let person = self.account(who)?;
        let mut open = self.orgs.iter_mut().filter(|org| !org.closed);
        let place = open.find(|org| org.invitations.contains_key(&id)).ok_or(NOTHING)?;
        let invitation = place.invitations[&id];
        let inviter = place.members.get(&invitation.by).filter(|member| member.active).ok_or(NOTHING)?;
        let held = place.held(*inviter);
        if invitation.whom != person || invitation.mail != mail || !cover(held, MEMBERS) {
            return Err(NOTHING);
        }
        if place.members.contains_key(&person) {
            return Err(No(409, "already_member"));
        }
        let offered = place.gives(invitation.role).unwrap_or(0);
        let role = capped((invitation.role, offered), (inviter.role, held));
        place.members.insert(person, Member { role, active: true });
        place.invitations.remove(&id);
        place.wrote("invitation.accepted");
        CREATED
    }
}
