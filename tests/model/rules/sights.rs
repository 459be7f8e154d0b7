use super::{Caller, NOTHING, Verdict, Yes};
use crate::{
    bits::{AUDIT, Bits, IN_PROJECTS, LIST, MEMBERS, READ, built_in, names},
    state::{Org, Project, State},
    step::{Id, ORGS, PEOPLE, Sight, Who},
};

/// A set, in an answer.
pub(crate) fn set(bits: Bits) -> String {
    format!("[{}]", names(bits).join(" "))
}

#[expect(clippy::unnecessary_wraps, reason = "the end of what may be refused before")]
fn seen(lines: impl IntoIterator<Item = String>) -> Verdict {
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_unstable();
    Ok(Yes(200, Some(lines)))
}

impl State {
    pub(super) fn see(&self, who: Who, org: usize, sight: Sight) -> Verdict {
        let place = &self.orgs[org];
        match sight {
            Sight::Organizations => self.organizations(who),
            Sight::Tokens => {
                let owner = self.account(who)?;
                let own = self.tokens.iter().filter(|(_, token)| token.owner == owner);
                seen(own.map(|(id, token)| format!("{id} {} {}", ORGS[token.org], set(token.scopes))))
            }
            Sight::Organization => {
                let caller = self.enter(who, org, 0)?;
                let role = place.members[&caller.person].role;
                seen([format!("{} {role} {}", ORGS[org], set(caller.held))])
            }
            Sight::Members => seen(place.seen_members(self.enter(who, org, 0)?)),
            Sight::Invitations => {
                self.enter(who, org, MEMBERS)?;
                seen(
                    place.invitations.iter().map(|(id, offer)| {
                        format!("{id} {} {} by {}", PEOPLE[offer.whom], offer.role, PEOPLE[offer.by])
                    }),
                )
            }
            Sight::Roles => {
                self.enter(who, org, LIST)?;
                let own = ["owner", "admin", "member", "guest"].map(|role| (role, built_in(role).unwrap_or(0)));
                let custom = place.roles.iter().map(|(key, gives)| (*key, *gives));
                seen(own.into_iter().chain(custom).map(|(key, gives)| format!("{key} {}", set(gives))))
            }
            Sight::Projects => {
                let caller = self.enter(who, org, 0)?;
                seen(place.visible(caller).map(|(id, project)| project.line(id, caller)))
            }
            Sight::Project(id) => {
                let caller = self.enter(who, org, 0)?;
                let project = place.visible(caller).find(|(seen, _)| *seen == id).ok_or(NOTHING)?.1;
                seen([project.line(id, caller)])
            }
            Sight::Grants(id) => {
                let caller = self.enter(who, org, READ)?;
                self.project(caller, org, id, READ)?;
                let grants = &place.projects[&id].grants;
                seen(grants.iter().map(|(person, role)| format!("{} {}", PEOPLE[*person], role.name())))
            }
            Sight::Tasks => {
                let caller = self.enter(who, org, READ)?;
                let visible: Vec<Id> = place.visible(caller).map(|(id, _)| id).collect();
                let tasks = place.tasks.iter().filter(|(_, task)| !task.deleted && visible.contains(&task.project));
                seen(tasks.map(|(id, task)| {
                    let people: Vec<_> = task.assignees.iter().map(|person| PEOPLE[*person]).collect();
                    format!("{id} {}", people.join(" "))
                }))
            }
            Sight::Permissions(None) => {
                let caller = self.enter(who, org, 0)?;
                seen([format!("{} {}", set(caller.held), place.why(caller))])
            }
            Sight::Permissions(Some(id)) => {
                let caller = self.enter(who, org, 0)?;
                let project = place.visible(caller).find(|(seen, _)| *seen == id).ok_or(NOTHING)?.1;
                let held = project.held(caller) & IN_PROJECTS;
                let granted = project.grants.get(&caller.person).map_or("none", |grant| grant.name());
                let visibility = if project.private { "private" } else { "open" };
                seen([format!("{} {visibility} {granted} {}", set(held), place.why(caller))])
            }
            Sight::Audit => self.enter(who, org, AUDIT).map(|_| Yes(200, Some(Vec::new()))),
        }
    }

    /// One that will be deleted is there for its owners alone.
    fn organizations(&self, who: Who) -> Verdict {
        let person = self.account(who)?;
        let own = self.orgs.iter().zip(ORGS).filter_map(|(org, name)| {
            let member = org.members.get(&person).filter(|member| member.active)?;
            let there = !org.closed || member.role == "owner";
            there.then(|| format!("{name} {} {}", member.role, set(org.held(*member))))
        });
        seen(own)
    }
}

impl Org {
    fn visible(&self, caller: Caller) -> impl Iterator<Item = (Id, &Project)> {
        let projects = self.projects.iter().map(|(id, project)| (*id, project));
        projects.filter(move |(_, project)| project.held(caller) & READ != 0)
    }

    /// Who may not list them sees those with whom they share a project.
    fn seen_members(&self, caller: Caller) -> Vec<String> {
        let me = caller.person;
        let shares = |person| {
            let both = |project: &Project| project.grants.contains_key(&me) && project.grants.contains_key(&person);
            person == me || (caller.scopes & READ != 0 && self.projects.values().any(both))
        };
        let all = caller.held & LIST != 0;
        let seen = self.members.iter().filter(|(person, _)| all || shares(**person));
        seen.map(|(person, member)| {
            let status = if member.active { "active" } else { "suspended" };
            format!("{} {} {status}", PEOPLE[*person], member.role)
        })
        .collect()
    }

    /// What permissions come from.
    fn why(&self, caller: Caller) -> String {
        let member = self.members[&caller.person];
        let scopes = if caller.session { "all".to_owned() } else { set(caller.scopes) };
        format!("{} {} {scopes}", member.role, set(self.held(member)))
    }
}

impl Project {
    fn line(&self, id: Id, caller: Caller) -> String {
        let visibility = if self.private { "private" } else { "open" };
        format!("{id} {} {visibility} {}", self.key, set(self.held(caller) & IN_PROJECTS))
    }
}
