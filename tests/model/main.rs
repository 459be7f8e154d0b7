//! Who may do what, twice: in the API, and in a model that fits on a few pages. Random deeds of all kinds of people go to both;
//! every answer and everything that is left in the tables must be the same, one deed after another and many at once.
//!
//! A failure prints what was done and the seed that does it again: `TASKBELL_SEED=…` runs that one alone and compares after
//! every step. `TASKBELL_TESTS=full` runs twenty times as many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test a panic is a verdict"
)]

mod ask;
mod bits;
mod chance;
mod look;
mod race;
mod rules;
mod sequence;
mod state;
mod step;
mod world;

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
};

use futures::future::join_all;
use harness::{TestApp, variable};
use uuid::Uuid;

/// How many, and with which seeds.
struct Effort {
    first: u64,
    count: u64,
    /// One alone, to be looked at closely.
    again: bool,
}

impl Effort {
    fn of(few: u64, many: u64) -> Self {
        if let Some(seed) = variable("TASKBELL_SEED") {
            return Self { first: seed.parse().expect("TASKBELL_SEED is a number"), count: 1, again: true };
        }
        let count = if variable("TASKBELL_TESTS").as_deref() == Some("full") { many } else { few };
        // Small enough to be read and typed.
        let first = u64::from_be_bytes(Uuid::now_v7().as_bytes()[8..].try_into().unwrap()) % 1_000_000_000;
        Self { first, count, again: false }
    }

    /// Runs them all, a few side by side, each with its own people; the first that fails ends it.
    async fn run<F: Future<Output = Result<u64, String>>>(&self, what: &str, lanes: usize, one: impl Fn(u64) -> F) {
        println!("{what}: {} from seed {}", self.count, self.first);
        let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
        join_all((0..lanes).map(async |_| {
            while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|place| *place < self.count) {
                let seed = self.first + seed;
                match one(seed).await {
                    Ok(steps) => done.fetch_add(steps, Ordering::Relaxed),
                    Err(story) => panic!("{story}\nTASKBELL_SEED={seed} does it again"),
                };
            }
        }))
        .await;
        println!("{what}: {} deeds", done.into_inner());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_people_do_the_api_and_the_model_agree() {
    let (app, http) = (world::unthrottled().await, world::client());
    let effort = Effort::of(300, 10_000);
    let (app, http): (&TestApp, _) = (&app, &http);
    effort.run("sequences", 4, |seed| sequence::run(app, http, seed, 50, effort.again)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_people_do_at_once_some_order_explains_it() {
    let (app, http) = (world::unthrottled().await, world::client());
    let effort = Effort::of(60, 1_000);
    let (app, http): (&TestApp, _) = (&app, &http);
    effort.run("schedules", 1, |seed| race::run(app, http, seed)).await;
}
