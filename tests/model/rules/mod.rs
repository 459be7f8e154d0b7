//! What each deed must be answered, and do. Written from the rules of access, not from the code that keeps them: credential,
//! membership, permission in the organization, then the object with what is held in its project.

mod invitations;
mod members;
mod projects;
mod roles;
mod sights;
mod tasks;
mod tokens;

use crate::{
    bits::{Bits, EVERYTHING, IN_PROJECTS, ME, cover},
    state::{Org, Project, State},
    step::{Deed, Id, Person, Step, Who},
};

/// What somebody is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Of the problem; nothing where there is none.
    pub(crate) code: String,
    /// What was to be seen, where somebody looked.
    pub(crate) shown: Option<Vec<String>>,
}

/// It is done.
struct Yes(u16, Option<Vec<String>>);

/// It is not, and nothing has changed.
struct No(u16, &'static str);

type Verdict = Result<Yes, No>;

const CREATED: Verdict = Ok(Yes(201, None));
const CHANGED: Verdict = Ok(Yes(200, None));
const DONE: Verdict = Ok(Yes(204, None));

const UNAUTHENTICATED: No = No(401, "unauthenticated");
const WRONG_PASSWORD: No = No(401, "wrong_password");
const FORBIDDEN: No = No(403, "permission_missing");
const ABOVE: No = No(403, "role_above_own");
const NO_SESSION: No = No(403, "session_needed");
const NOTHING: No = No(404, "not_found");
const INVALID: No = No(422, "invalid");
const LAST_OWNER: No = No(409, "last_owner");
const DELETED: No = No(409, "task_deleted");
const STALE: No = No(412, "stale");
const NOT_A_MEMBER: No = No(409, "not_a_member");

/// Somebody who was let in.
#[derive(Clone, Copy)]
struct Caller {
    person: Person,
    /// What their role gives, and the token lets through.
    held: Bits,
    scopes: Bits,
    session: bool,
}

impl State {
    /// Does it, if it may be done.
    pub(crate) fn apply(&mut self, step: &Step) -> Answer {
        match self.verdict(step) {
            Ok(Yes(status, shown)) => Answer { status, code: String::new(), shown },
            Err(No(status, code)) => Answer { status, code: code.to_owned(), shown: None },
        }
    }

    fn verdict(&mut self, step: &Step) -> Verdict {
        let Step { who, org, ref deed } = *step;
        match *deed {
            Deed::Invite { new, whom, role } => self.invite(who, org, new, whom, role),
            Deed::Resend(id) => self.resend(who, org, id),
            Deed::Revoke(id) => self.revoke(who, org, id),
            Deed::Accept { invitation, mail } => self.accept(who, invitation, mail),
            Deed::SetRole { whom, role } => self.set_role(who, org, whom, role),
            Deed::Suspend(whom) => self.suspend(who, org, whom),
            Deed::Reinstate(whom) => self.reinstate(who, org, whom),
            Deed::Remove(whom) => self.remove(who, org, whom),
            Deed::Leave => self.leave(who, org),
            Deed::Transfer { to, password } => self.transfer(who, org, to, password),
            Deed::Close { password } => self.close(who, org, password),
            Deed::Reopen => self.reopen(who, org),
            Deed::MakeRole { key, gives } => self.make_role(who, org, key, gives),
            Deed::ChangeRole { key, gives } => self.change_role(who, org, key, gives),
            Deed::DropRole { key, instead } => self.drop_role(who, org, key, instead),
            Deed::MakeProject { new, key, private } => self.make_project(who, org, new, key, private),
            Deed::TurnProject { project, private } => self.turn_project(who, org, project, private),
            Deed::Grant { project, whom, role } => self.grant(who, org, project, whom, role),
            Deed::Withdraw { project, whom } => self.withdraw(who, org, project, whom),
            Deed::BreakGlass(project) => self.break_glass(who, org, project),
            Deed::MakeTask { new, project, ref assignees } => self.make_task(who, org, new, project, assignees),
            Deed::Complete(task) => self.complete(who, org, task, true),
            Deed::Uncomplete(task) => self.complete(who, org, task, false),
            Deed::Retitle { task, title, seen } => self.retitle(who, org, task, title, seen),
            Deed::Assign { task, ref people, seen } => self.assign(who, org, task, people, seen),
            Deed::Place { task, after, seen } => self.place(who, org, task, after, seen),
            Deed::DropTask { task, seen } => self.drop_task(who, org, task, seen),
            Deed::RestoreTask(task) => self.restore_task(who, org, task),
            Deed::Comment(task) => self.comment(who, org, task),
            Deed::MakeToken { new, scopes } => self.make_token(who, org, new, scopes),
            Deed::RevokeToken(token) => self.revoke_token(who, token),
            Deed::See(sight) => self.see(who, org, sight),
        }
    }

    /// Into an organization, for what needs `wanted`. What a project's role can give is enough to come in if some project
    /// gives it.
    fn enter(&self, who: Who, org: usize, wanted: Bits) -> Result<Caller, No> {
        let (person, scopes, home) = match who {
            Who::Nobody => return Err(UNAUTHENTICATED),
            Who::Person(person) => (person, EVERYTHING | ME, org),
            Who::Program(id) => {
                let token = self.tokens.get(&id).ok_or(UNAUTHENTICATED)?;
                (token.owner, token.scopes, token.org)
            }
        };
        let place = &self.orgs[org];
        let member = place.members.get(&person).filter(|member| member.active && home == org).ok_or(NOTHING)?;
        let held = place.held(*member);
        if place.closed && held & wanted & 1 == 0 {
            return Err(NOTHING);
        }
        let by_grant = |project: &Project| {
            project.grants.get(&person).is_some_and(|grant| cover((held | grant.gives()) & scopes, wanted))
        };
        let some_project = wanted & IN_PROJECTS != 0 && place.projects.values().any(by_grant);
        if cover(held & scopes, wanted) || some_project {
            Ok(Caller { person, held: held & scopes, scopes, session: matches!(who, Who::Person(_)) })
        } else {
            Err(FORBIDDEN)
        }
    }

    /// To one's own account: programs have nothing to say there.
    fn account(&self, who: Who) -> Result<Person, No> {
        match who {
            Who::Person(person) => Ok(person),
            Who::Program(token) if self.tokens.contains_key(&token) => Err(NO_SESSION),
            Who::Nobody | Who::Program(_) => Err(UNAUTHENTICATED),
        }
    }

    /// Into a project of the organization, for what needs `wanted` in it.
    fn project(&self, caller: Caller, org: usize, id: Id, wanted: Bits) -> Result<Bits, No> {
        let project = self.orgs[org].projects.get(&id).ok_or(NOTHING)?;
        admit(project.held(caller), wanted)
    }
}

/// Unseen is not there; seen but not allowed is forbidden.
fn admit(held: Bits, wanted: Bits) -> Result<Bits, No> {
    if held & crate::bits::READ == 0 {
        Err(NOTHING)
    } else if cover(held, wanted) {
        Ok(held)
    } else {
        Err(FORBIDDEN)
    }
}

impl Project {
    fn held(&self, caller: Caller) -> Bits {
        let by_role = if self.private { 0 } else { caller.held };
        (by_role | self.granted(caller.person)) & caller.scopes
    }
}

impl Org {
    /// Whether an owner remains without this one.
    fn keeps_an_owner(&self, without: Person) -> Result<(), No> {
        let owners = self.owners();
        if owners == [without] { Err(LAST_OWNER) } else { Ok(()) }
    }
}
