//! Many deeds at once. What comes out must be what some order of them, one after another, would have given: the same
//! answers and the same things left.

use std::collections::{BTreeSet, HashSet};

use futures::future::join_all;
use harness::TestApp;

use crate::{chance::Chance, look::difference, rules::Answer, sequence::Pair, state::State, step::Step};

/// What comes before, one after another.
const BEFORE: usize = 15;
/// How many times how many at once.
const TIMES: usize = 4;
const AT_ONCE: usize = 6;

/// A schedule; gives how many deeds were done at once.
pub(crate) async fn run(app: &TestApp, http: &reqwest::Client, seed: u64) -> Result<u64, String> {
    let (mut pair, mut chance) = (Pair::new(app, http).await, Chance::of(seed));
    for _ in 0..BEFORE {
        let step = chance.step(&pair.state);
        pair.take(&step).await?;
    }
    pair.compare().await?;
    for _ in 0..TIMES {
        let steps: Vec<Step> = (0..AT_ONCE).map(|_| chance.bold_step(&pair.state)).collect();
        at_once(&mut pair, &steps).await?;
    }
    Ok((TIMES * AT_ONCE) as u64)
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
    while let Some((done, state)) = open.pop() {
        if done == all {
            if state.lines() == *real {
                return Some(state);
            }
            continue;
        }
        for (place, (step, answer)) in steps.iter().zip(answers).enumerate() {
            let mut next = state.clone();
            let with = done | 1 << place;
            if with != done && next.apply(step) == *answer && seen.insert((with, next.clone())) {
                open.push((with, next));
            }
        }
    }
    None
}
