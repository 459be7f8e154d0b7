use super::{CREATED, DONE, NOTHING, No, Verdict};
use crate::{
    bits::{ME, closed, cover},
    state::{State, Token},
    step::{Id, Who},
};

impl State {
    pub(super) fn make_token(&mut self, who: Who, org: usize, new: Id, scopes: i64) -> Verdict {
        let owner = self.account(who)?;
        let place = &self.orgs[org];
        let member = place.members.get(&owner).filter(|member| member.active && !place.closed).ok_or(NOTHING)?;
        let granted = place.projects.values().fold(0, |bits, project| bits | project.granted(owner));
        if !cover(place.held(*member) | granted, closed(scopes) & !ME) {
            return Err(No(403, "scope_not_held"));
        }
        self.tokens.insert(new, Token { owner, org, scopes: closed(scopes) });
        CREATED
    }

    pub(super) fn revoke_token(&mut self, who: Who, id: Id) -> Verdict {
        let owner = self.account(who)?;
        self.tokens.get(&id).filter(|token| token.owner == owner).ok_or(NOTHING)?;
        self.tokens.remove(&id);
        DONE
    }
}
