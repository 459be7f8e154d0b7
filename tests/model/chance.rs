//! What people might do next: mostly what makes sense, often what is forbidden, now and then what is absurd.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::{
    bits::{Bits, EVERYTHING, Grant, ME, OWN, built_in},
    state::{Org, State},
    step::{Deed, Id, Key, ORGS, PEOPLE, Person, Sight, Step, Who},
};

const BUILT_IN: [Key; 4] = ["owner", "admin", "member", "guest"];
const CUSTOM: [Key; 4] = ["lead", "clerk", "scout", "porter"];
const PROJECTS: [Key; 5] = ["ALPHA", "BETA", "GAMMA", "DELTA", "OMEGA"];

/// Dice of one sequence: the same seed throws the same.
pub(crate) struct Chance {
    dice: StdRng,
    made: u32,
}

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self { dice: StdRng::seed_from_u64(seed), made: 0 }
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.dice.random_range(0..n) == 0
    }

    fn any<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        of.choose(&mut self.dice).copied()
    }

    fn new_id(&mut self) -> Id {
        self.made += 1;
        Id(self.made)
    }

    /// Any request. Most of what comes to mind first is refused: two times of three a second thought is given to it.
    pub(crate) fn step(&mut self, state: &State) -> Step {
        let org = usize::from(self.one_in(5));
        let thoughts = if self.one_in(3) { 1 } else { 5 };
        let mut step = self.thought(state, org);
        for _ in 1..thoughts {
            if state.clone().apply(&step).status < 300 {
                break;
            }
            step = self.thought(state, org);
        }
        step
    }

    /// The same without some deeds.
    pub(crate) fn step_but(&mut self, state: &State, without: impl Fn(&Deed) -> bool) -> Step {
        loop {
            let step = self.step(state);
            if !without(&step.deed) {
                return step;
            }
        }
    }

    fn thought(&mut self, state: &State, org: usize) -> Step {
        let deed = self.deed(state, org);
        Step { who: self.who(state, org, &deed), org, deed }
    }

    /// One that changes something, by somebody who may well do it: for doing many at once.
    pub(crate) fn bold_step(&mut self, state: &State) -> Step {
        loop {
            let step = self.thought(state, 0);
            let idle = matches!(step.deed, Deed::See(_) | Deed::Close { .. } | Deed::Reopen);
            // Most of what is tried at once should be allowed if it were tried alone.
            if !idle && (state.clone().apply(&step).status < 300 || self.one_in(8)) {
                return step;
            }
        }
    }

    fn who(&mut self, state: &State, org: usize, deed: &Deed) -> Who {
        let invited = |id| state.orgs.iter().find_map(|org| org.invitations.get(&id));
        if let Deed::Accept { invitation, .. } = deed
            && let Some(invitation) = invited(*invitation)
            && !self.one_in(6)
        {
            return Who::Person(invitation.whom);
        }
        match self.dice.random_range(0..40) {
            0 => Who::Nobody,
            1..=4 => Who::Person(self.person()),
            5..=9 => self.program(state, org),
            10..=17 => Who::Person(self.any(&state.orgs[org].owners()).unwrap_or(0)),
            _ => Who::Person(self.member(&state.orgs[org])),
        }
    }

    /// One that counts, or one that never did or does no more.
    fn program(&mut self, state: &State, org: usize) -> Who {
        let mut ids: Vec<Id> = state.tokens.keys().copied().collect();
        if !self.one_in(8) {
            ids.retain(|id| state.tokens[id].org == org);
        }
        self.any(&ids).map_or_else(|| Who::Person(self.person()), Who::Program)
    }

    fn person(&mut self) -> Person {
        self.dice.random_range(0..PEOPLE.len())
    }

    fn member(&mut self, org: &Org) -> Person {
        let members: Vec<Person> = org.members.keys().copied().collect();
        if self.one_in(8) { self.person() } else { self.any(&members).unwrap_or(0) }
    }

    fn role(&mut self, org: &Org) -> Key {
        let custom: Vec<Key> = org.roles.keys().copied().collect();
        match self.dice.random_range(0..20) {
            0..=9 => self.any(&BUILT_IN).unwrap_or("guest"),
            10..=18 if !custom.is_empty() => self.any(&custom).unwrap_or("guest"),
            _ => self.any(&CUSTOM).unwrap_or("guest"),
        }
    }

    /// Something of this organization; rarely of the other one, or nothing that there is.
    fn thing<T>(&mut self, state: &State, org: usize, of: impl Fn(&Org) -> Vec<T>) -> Option<T>
    where
        T: Copy,
    {
        let other = if self.one_in(12) { (org + 1) % ORGS.len() } else { org };
        if self.one_in(25) { None } else { self.any(&of(&state.orgs[other])) }
    }

    fn project(&mut self, state: &State, org: usize) -> Id {
        let found = self.thing(state, org, |org| org.projects.keys().copied().collect());
        found.unwrap_or_else(|| self.new_id())
    }

    fn task(&mut self, state: &State, org: usize) -> Id {
        let found = self.thing(state, org, |org| org.tasks.keys().copied().collect());
        found.unwrap_or_else(|| self.new_id())
    }

    fn invitation(&mut self, state: &State, org: usize) -> (Id, u32) {
        let waiting = |org: &Org| org.invitations.iter().map(|(id, offer)| (*id, offer.mail)).collect();
        self.thing(state, org, waiting).unwrap_or_else(|| (self.new_id(), 0))
    }

    /// Some permissions that a custom role may have; sometimes one that it may not give further.
    fn role_set(&mut self) -> Bits {
        let admin = EVERYTHING & !OWN;
        match self.dice.random_range(0..6) {
            0 => admin,
            1 => built_in("member").unwrap_or(0),
            2 => self.dice.random_range(0..=EVERYTHING) & self.dice.random_range(0..=EVERYTHING) & admin,
            _ => self.dice.random_range(0..=EVERYTHING) & admin,
        }
    }

    fn scopes(&mut self) -> Bits {
        let all = EVERYTHING | ME;
        let scopes = match self.dice.random_range(0..4) {
            0 => EVERYTHING & !OWN,
            1 => all,
            _ => self.dice.random_range(0..=all) & self.dice.random_range(0..=all),
        };
        if scopes == 0 { ME } else { scopes }
    }

    fn deed(&mut self, state: &State, org: usize) -> Deed {
        let place = &state.orgs[org];
        match self.dice.random_range(0..115) {
            0..=8 => Deed::Invite { new: self.new_id(), whom: self.person(), role: self.role(place) },
            9..=11 => Deed::Resend(self.invitation(state, org).0),
            12..=13 => Deed::Revoke(self.invitation(state, org).0),
            14..=19 => {
                let (invitation, mail) = self.invitation(state, org);
                let old = mail > 0 && self.one_in(4);
                Deed::Accept { invitation, mail: if old { mail - 1 } else { mail } }
            }
            20..=28 => Deed::SetRole { whom: self.member(place), role: self.role(place) },
            29..=31 => Deed::Suspend(self.member(place)),
            32..=34 => {
                let out: Vec<Person> = place.members.keys().copied().filter(|who| !place.is_active(*who)).collect();
                Deed::Reinstate(self.any(&out).unwrap_or(0))
            }
            35..=38 => Deed::Remove(self.member(place)),
            39 => Deed::Leave,
            40..=41 => Deed::Transfer { to: self.member(place), password: !self.one_in(5) },
            42 if self.one_in(3) => Deed::Close { password: !self.one_in(5) },
            42..=43 if place.closed => Deed::Reopen,
            44..=48 => Deed::MakeRole { key: self.any_key(), gives: self.role_set() },
            49..=52 => Deed::ChangeRole { key: self.any_key(), gives: self.role_set() },
            53..=55 => {
                let instead = if self.one_in(2) { None } else { Some(self.role(place)) };
                Deed::DropRole { key: self.any_key(), instead }
            }
            56..=59 => {
                let key = self.any(&PROJECTS).unwrap_or("ALPHA");
                Deed::MakeProject { new: self.new_id(), key, private: self.one_in(2) }
            }
            60..=61 => Deed::TurnProject { project: self.project(state, org), private: self.one_in(2) },
            62..=68 => {
                let role = self.any(&Grant::ALL).unwrap_or(Grant::Viewer);
                Deed::Grant { project: self.project(state, org), whom: self.member(place), role }
            }
            69..=71 => Deed::Withdraw { project: self.project(state, org), whom: self.member(place) },
            72 => Deed::BreakGlass(self.project(state, org)),
            73..=77 => {
                let assignees = self.some(place);
                Deed::MakeTask { new: self.new_id(), project: self.project(state, org), assignees }
            }
            78..=79 => Deed::Complete(self.task(state, org)),
            80..=83 => Deed::MakeToken { new: self.new_id(), scopes: self.scopes() },
            84 => {
                let ids: Vec<Id> = state.tokens.keys().copied().collect();
                Deed::RevokeToken(self.any(&ids).unwrap_or(Id(0)))
            }
            100..=114 => {
                let task = self.task(state, org);
                self.work(place, task)
            }
            _ => Deed::See(self.sight(state, org)),
        }
    }

    fn some(&mut self, org: &Org) -> Vec<Person> {
        let mut people: Vec<Person> = (0..self.dice.random_range(0..3)).map(|_| self.member(org)).collect();
        people.sort_unstable();
        people.dedup();
        people
    }

    /// Something that people do with a task.
    fn work(&mut self, org: &Org, task: Id) -> Deed {
        let version = org.tasks.get(&task).map_or(1, |task| task.version);
        let seen = match self.dice.random_range(0..6) {
            0..=1 => None,
            2 => Some(version.saturating_sub(1).max(1)),
            _ => Some(version),
        };
        match self.dice.random_range(0..15) {
            0..=3 => Deed::Retitle { task, title: self.dice.random_range(0..4), seen },
            4..=6 => Deed::Assign { task, people: self.some(org), seen },
            7..=8 => {
                let others: Vec<Id> = org.tasks.keys().copied().collect();
                let after = if self.one_in(3) { None } else { self.any(&others) };
                Deed::Place { task, after, seen }
            }
            9 => Deed::Uncomplete(task),
            10 => Deed::Complete(task),
            11 => Deed::DropTask { task, seen },
            12 => Deed::RestoreTask(task),
            _ => Deed::Comment(task),
        }
    }

    /// Many who work on one task at once, by people who may well do that; whatever else they do if there is no task.
    pub(crate) fn writers(&mut self, state: &State, count: usize) -> Vec<Step> {
        let tasks: Vec<Id> = state.orgs[0].tasks.keys().copied().collect();
        let Some(task) = self.any(&tasks) else { return (0..count).map(|_| self.bold_step(state)).collect() };
        let allowed = |step: &Step| state.clone().apply(step).status < 300;
        let one = |chance: &mut Self| {
            let deed = chance.work(&state.orgs[0], task);
            Step { who: chance.who(state, 0, &deed), org: 0, deed }
        };
        (0..count)
            .map(|_| {
                let step = one(self);
                if allowed(&step) { step } else { one(self) }
            })
            .collect()
    }

    fn any_key(&mut self) -> Key {
        if self.one_in(12) { self.any(&BUILT_IN).unwrap_or("owner") } else { self.any(&CUSTOM).unwrap_or("lead") }
    }

    fn sight(&mut self, state: &State, org: usize) -> Sight {
        match self.dice.random_range(0..13) {
            0 => Sight::Organization,
            1 => Sight::Organizations,
            2 | 3 => Sight::Members,
            4 => Sight::Invitations,
            5 => Sight::Roles,
            6 => Sight::Projects,
            7 => Sight::Project(self.project(state, org)),
            8 => Sight::Grants(self.project(state, org)),
            9 => Sight::Tasks,
            10 => {
                let in_one = if self.one_in(2) { Some(self.project(state, org)) } else { None };
                Sight::Permissions(in_one)
            }
            11 => Sight::Audit,
            _ => Sight::Tokens,
        }
    }
}
