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
    let mut seen = HashSet::new();
    while let Some((done, mut state)) = open.pop() {
        if done == all {
            forget_unseen(&mut state, real);
            if state.lines() == *real {
                return Some(state);
            }
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
    None
}

/// Whoever is let in by what is gone a moment later (a membership, a role, a grant, a token) is refused all the same, but
/// inside: with the refusal that is said there, not with the one at the door.
fn fits(expected: &Answer, answer: &Answer) -> bool {
    let inside = |answer: &Answer| answer.status == 404 || answer.code == "permission_missing";
    expected == answer || (inside(answer) && (inside(expected) || expected.status == 401))
}

/// A task that is made while its project is closed to somebody may owe them nothing any more, though the task itself came
/// first: who is reminded is asked later than who may write.
fn forget_unseen(state: &mut State, real: &BTreeSet<String>) {
    for (org, name) in state.orgs.iter_mut().zip(ORGS) {
        let blind: Vec<(Id, Person)> = org
            .tasks
            .iter()
            .flat_map(|(id, task)| task.owed.iter().map(|(person, _)| (*id, *person)))
            .filter(|(id, person)| !org.sees(*person, org.tasks[id].project))
            .collect();
        for (id, person) in blind {
            let line = format!("{name} owed {id} {} ", PEOPLE[person]);
            let left =
                real.iter().find_map(|real| real.strip_prefix(&line)?.strip_prefix("- ")?.parse().ok()).unwrap_or(0);
            let Some(task) = org.tasks.get_mut(&id) else { continue };
            // Who is assigned may have been told later than who has made it.
            for why in [Told::Assigned, Told::Asked] {
                if task.owes(person) > left {
                    task.owed.remove(&(person, why));
                }
            }
        }
    }
}
