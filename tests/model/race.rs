//! Many deeds at once. What comes out must be what some order of them, one after another, would have given: the same
//! answers and the same things left.

use std::collections::{BTreeSet, HashSet};

use futures::future::join_all;
use harness::TestApp;

use crate::{
    chance::Chance,
    look::difference,
    rules::Answer,
    sequence::Pair,
    state::{State, Told},
    step::{Deed, Id, ORGS, PEOPLE, Person, Step},
};

/// What comes before, one after another.
const BEFORE: usize = 15;
/// How many times how many at once.
const TIMES: usize = 4;
const AT_ONCE: usize = 6;

/// A schedule; gives how many deeds were done at once.
pub(crate) async fn run(app: &TestApp, http: &reqwest::Client, seed: u64) -> Result<u64, String> {
    let (mut pair, mut chance) = (Pair::new(app, http).await, Chance::of(seed));
    for _ in 0..BEFORE {
        // Nothing happens in an organization that is closed.
        let step = chance.step_but(&pair.state, |deed| matches!(deed, Deed::Close { .. }));
        pair.take(&step).await?;
    }
    pair.compare().await?;
    for _ in 0..TIMES {
        let steps: Vec<Step> = (0..AT_ONCE).map(|_| chance.bold_step(&pair.state)).collect();
        at_once(&mut pair, &steps).await?;
        // Everybody at one task, most of them by the version that they have all seen: none overwrites another's change.
        let writers: Vec<Step> = chance.writers(&pair.state, AT_ONCE);
        at_once(&mut pair, &writers).await?;
    }
    Ok((2 * TIMES * AT_ONCE) as u64)
}

async fn at_once(pair: &mut Pair<'_>, steps: &[Step]) -> Result<(), String> {
    let world = &pair.world;
    let heard = join_all(steps.iter().map(|step| world.ask(step))).await;
    let answers: Vec<Answer> = steps.iter().zip(&heard).map(|(step, heard)| world.answer(step, heard)).collect();
    for (step, heard) in steps.iter().zip(&heard) {
        pair.world.remember(step, heard, &State::default()).await;
    }
    let before = pair.state.lines();
    for (step, answer) in steps.iter().zip(&answers) {
        pair.tell(step, answer);
    }
    let refused = answers.iter().any(|answer| answer.status >= 500);
    let broken = pair.world.broken().await;
    if refused || !broken.is_empty() {
        return Err(pair.fault(&format!("The last {} at once:\n{broken:#?}", steps.len())));
    }
    let real = pair.world.lines().await;
    let Some(after) = explain(&pair.state, steps, &answers, &real) else {
        let change = difference(&before, &real).unwrap_or_default();
        return Err(pair.fault(&format!("No order explains the last {}; before and after:\n{change}", steps.len())));
    };
    pair.state = after;
    for (id, mail) in pair.state.orgs.iter().flat_map(|org| &org.invitations).map(|(id, offer)| (*id, offer.mail)) {
        pair.world.read_mail(id, mail).await;
    }
    Ok(())
}

/// The state after an order of the steps in which each is answered as it was, and that leaves what is there.
fn explain(before: &State, steps: &[Step], answers: &[Answer], real: &BTreeSet<String>) -> Option<State> {
    let all = (1_u32 << steps.len()) - 1;
    let mut open = vec![(0_u32, before.clone())];
    let (mut seen, mut ends, mut blind) = (HashSet::new(), Vec::new(), HashSet::new());
    while let Some((done, state)) = open.pop() {
        blind.extend(unseen(&state));
        if done == all {
            ends.push(state);
            continue;
        }
        for (place, (step, answer)) in steps.iter().zip(answers).enumerate() {
            let mut next = state.clone();
            let with = done | 1 << place;
            if with != done && fits(&next.apply(step), answer) && seen.insert((with, next.clone())) {
                open.push((with, next));
            }
        }
    }
    ends.into_iter().find_map(|mut state| {
        forget(&mut state, &blind, real);
        (state.lines() == *real).then_some(state)
    })
}

/// Whoever is let in by what is gone a moment later (a membership, a role, a grant, a token) is refused all the same, but
/// inside: with the refusal that is said there, not with the one at the door.
fn fits(expected: &Answer, answer: &Answer) -> bool {
    let inside = |answer: &Answer| answer.status == 404 || answer.code == "permission_missing";
    expected == answer || (inside(answer) && (inside(expected) || expected.status == 401))
}

/// Who is owed something of a task, by organization, that they do not see.
fn unseen(state: &State) -> impl Iterator<Item = (usize, Id, Person)> {
    state.orgs.iter().enumerate().flat_map(|(place, org)| {
        let owed =
            org.tasks.iter().flat_map(|(id, task)| task.owed.iter().map(|(person, _)| (*id, task.project, *person)));
        owed.filter(|(_, project, person)| !org.sees(*person, *project)).map(move |(id, _, person)| (place, id, person))
    })
}

/// A task that is made while its project is closed to somebody may owe them nothing, though the task itself came first and they
/// see it in the end: who is reminded is asked later than who may write.
fn forget(state: &mut State, blind: &HashSet<(usize, Id, Person)>, real: &BTreeSet<String>) {
    for (place, id, person) in blind.iter().copied() {
        let line = format!("{} owed {id} {} ", ORGS[place], PEOPLE[person]);
        let left = real.iter().find_map(|real| real.strip_prefix(&line)?.strip_prefix("- ")?.parse().ok()).unwrap_or(0);
        let Some(task) = state.orgs[place].tasks.get_mut(&id) else { continue };
        // Who is assigned may have been told later than who has made it.
        for why in [Told::Assigned, Told::Asked] {
            if task.owes(person) > left {
                task.owed.remove(&(person, why));
            }
        }
    }
}
