//! One deed after another.

use harness::TestApp;

use crate::{chance::Chance, look::difference, rules::Answer, state::State, step::Step, world::World};

/// How often the tables are looked at, when they are not after each step.
const EVERY: usize = 10;

/// A model, the real thing beside it, and what was done to both.
pub(crate) struct Pair<'a> {
    pub(crate) state: State,
    pub(crate) world: World<'a>,
    story: Vec<String>,
}

impl<'a> Pair<'a> {
    pub(crate) async fn new(app: &'a TestApp, http: &reqwest::Client) -> Self {
        let state = State::founded();
        Self { world: World::furnish(app, http, &state).await, state, story: Vec::new() }
    }

    /// Does one step in both; they must say the same.
    pub(crate) async fn take(&mut self, step: &Step) -> Result<(), String> {
        let expected = self.state.apply(step);
        let heard = self.world.ask(step).await;
        self.world.remember(step, &heard, &self.state).await;
        let answer = self.world.answer(step, &heard);
        self.tell(step, &answer);
        if answer == expected {
            Ok(())
        } else {
            Err(self.fault(&format!("The model says {}, and the API {}", told(&expected), told(&answer))))
        }
    }

    pub(crate) fn tell(&mut self, step: &Step, answer: &Answer) {
        self.story.push(format!("{:3}. {step} -> {} {}", self.story.len() + 1, answer.status, answer.code));
    }

    /// Compares what there is.
    pub(crate) async fn compare(&self) -> Result<(), String> {
        let real = self.world.lines().await;
        difference(&self.state.lines(), &real).map_or(Ok(()), |text| Err(self.fault(&text)))
    }

    pub(crate) fn fault(&self, what: &str) -> String {
        format!("{}\n{what}", self.story.join("\n"))
    }
}

fn told(answer: &Answer) -> String {
    let shown = answer.shown.as_ref().map_or_else(String::new, |lines| format!(" {lines:#?}"));
    format!("{} {}{shown}", answer.status, answer.code)
}

/// A sequence of `length` steps; gives how many.
pub(crate) async fn run(
    app: &TestApp,
    http: &reqwest::Client,
    seed: u64,
    length: usize,
    closely: bool,
) -> Result<u64, String> {
    let (mut pair, mut chance) = (Pair::new(app, http).await, Chance::of(seed));
    for count in 1..=length {
        let step = chance.step(&pair.state);
        pair.take(&step).await?;
        if closely || count % EVERY == 0 || count == length {
            pair.compare().await?;
        }
    }
    Ok(length as u64)
}
