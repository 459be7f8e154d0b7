//! The rows of docs/verification.md's table, at any size.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Cast, Queue, World,
    driver::{self, Load},
    report::Report,
    smtp::Manner,
    strikes::{Blows, Victims, strike},
};

/// How big.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Reminders in all.
    pub reminders: usize,
    /// Made within this time.
    pub over: Duration,
    /// What breaks meanwhile.
    pub blows: Blows,
    /// Of a hundred, how many are changed around their time.
    pub edited: u32,
    /// How long the last may take.
    pub patience: Duration,
}

/// How many tell of one person, on average: more than a handful within minutes are folded.
const EACH: usize = 3;

/// T1: everything is killed at random times.
///
/// # Panics
/// When a server does not start.
pub async fn random(name: &'static str, seed: u64, size: Size) -> Report {
    let mut world = World::new(Queue::Own).await;
    // So that a worker that is killed has something in its hands, and now and then a reply is lost.
    world.smtp.behave(Manner { slow: Duration::from_millis(100), mute: 1, refuse: None });
    let report = ran(name, &mut world, seed, size).await;
    end(world, &report).await;
    report
}

/// T3: there is no Redis at all.
///
/// # Panics
/// When a server does not start.
pub async fn without_redis(name: &'static str, seed: u64, size: Size) -> Report {
    let mut world = World::new(Queue::Absent).await;
    let report = ran(name, &mut world, seed, size).await;
    end(world, &report).await;
    report
}

/// A load in a world, while things break in it.
///
/// # Panics
/// When a process does not start.
pub async fn ran(name: &'static str, world: &mut World, seed: u64, size: Size) -> Report {
    let begun = Instant::now();
    let mut victims =
        Victims { api: world.start_api().await, workers: vec![world.start_worker().await, world.start_worker().await] };
    let orgs = (size.reminders / 50).clamp(2, 40);
    let cast = Cast::of(world, orgs, (size.reminders / EACH / orgs).max(1)).await;
    let load = Load {
        seed,
        first: 0,
        reminders: size.reminders,
        over: size.over,
        ahead: 1_500..5_000,
        edited: size.edited,
        fates: Vec::new(),
        at_once: 8,
    };
    let schedule = size.blows.schedule(seed, size.over);
    // The world is struck by one who owns it; the clients need only know where it is.
    let driving = driver::start(world, &cast, &load);
    let strikes = strike(world, &mut victims, seed, &schedule).await;
    let promises = driving.join_all().await;
    let settled = world.settles(size.patience).await;
    let report = Report::of(name, seed, world, promises, &strikes, (settled, begun.elapsed())).await;
    for mut worker in victims.workers {
        worker.stop().await;
    }
    victims.api.stop().await;
    report
}

/// Leaves the logs of the processes where something was not kept.
async fn end(world: World, report: &Report) {
    if report.is_kept() {
        world.end().await;
    } else {
        eprintln!("{report}\nthe logs are in {}", world.directory().display());
    }
}
