//! The rows of docs/verification.md's table, at any size.

mod crowd;
mod recovery;
mod soak;

use std::time::Duration;

use tokio::time::Instant;

pub use crowd::{large_and_small, same_second};
pub use recovery::recovery;
pub use soak::{segments, soak};

use super::{
    Cast, Queue, World,
    driver::{self, Load},
    report::Report,
    smtp::Manner,
    strikes::{Blow, Blows, Victims, strike},
    watch::watch,
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
    /// How many tell of one person, on average: more than a handful within minutes are folded.
    pub each: usize,
    /// How long the last may take.
    pub patience: Duration,
    /// Whether somebody watches.
    pub watched: bool,
}

/// Of one person: few enough to be a mail each.
pub const APART: usize = 3;
/// Of one person: many enough to be folded.
pub const TOGETHER: usize = 25;

/// T1: everything is killed at random times.
///
/// # Panics
/// When a server does not start.
pub async fn random(name: &'static str, seed: u64, size: Size) -> Report {
    let mut world = World::new(Queue::Own).await;
    // So that a worker that is killed has something in its hands, and now and then a reply is lost.
    world.smtp.behave(Manner { slow: Duration::from_millis(100), mute: 1, refuse: None });
    let schedule = size.blows.schedule(seed, size.over);
    let report = ran(name, &mut world, seed, size, &schedule).await;
    end(world, report).await
}

/// T3: there is no Redis at all.
///
/// # Panics
/// When a server does not start.
pub async fn without_redis(name: &'static str, seed: u64, size: Size) -> Report {
    let mut world = World::new(Queue::Absent).await;
    let mut report = ran(name, &mut world, seed, size, &[]).await;
    report.at_most("lateness p99, s", seconds(report.tally.lateness.p99), 5.0);
    end(world, report).await
}

/// T4: nothing breaks, and reminders fall due at a steady rate.
///
/// # Panics
/// When a server does not start.
pub async fn steady(name: &'static str, seed: u64, size: Size) -> Report {
    let mut world = World::new(Queue::Own).await;
    let mut report = ran(name, &mut world, seed, size, &[]).await;
    let late = report.tally.lateness.clone();
    report.at_most("lateness p50, s", seconds(late.p50), 1.0);
    report.at_most("lateness p99, s", seconds(late.p99), 2.0);
    report.at_most("lateness max, s", seconds(late.max), 5.0);
    end(world, report).await
}

/// A load in a world, while things break in it.
///
/// # Panics
/// When a process does not start.
pub async fn ran(
    name: &'static str,
    world: &mut World,
    seed: u64,
    size: Size,
    schedule: &[(Duration, Blow)],
) -> Report {
    let begun = Instant::now();
    let _watch = size.watched.then(|| watch(world, name, size.reminders, schedule.len()));
    let mut victims = victims(world).await;
    let orgs = (size.reminders / 50).clamp(2, 40);
    let cast = Cast::of(world, orgs, (size.reminders / size.each / orgs).max(1)).await;
    let load = Load {
        seed,
        first: 0,
        reminders: size.reminders,
        over: size.over,
        ahead: 1_500..5_000,
        edited: size.edited,
        fates: Vec::new(),
        at_once: 16,
        shares: Vec::new(),
    };
    // The world is struck by one who owns it; the clients need only know where it is.
    let driving = driver::start(world, &cast, &load);
    let strikes = strike(world, &mut victims, seed, schedule).await;
    let promises = driving.join_all().await;
    let settled = world.settles(size.patience).await;
    let report = Report::of(name, seed, world, promises, &strikes, (settled, begun.elapsed())).await;
    dismiss(victims).await;
    report
}

/// An API and two workers.
async fn victims(world: &mut World) -> Victims {
    Victims { api: world.start_api().await, workers: vec![world.start_worker().await, world.start_worker().await] }
}

/// Each must have lived through whatever there was.
async fn dismiss(mut victims: Victims) {
    for worker in &mut victims.workers {
        worker.stop().await;
    }
    victims.api.stop().await;
}

/// Leaves the logs of the processes where something was not kept.
async fn end(world: World, report: Report) -> Report {
    if report.is_kept() {
        world.end().await;
    } else {
        eprintln!("{report}\nthe logs are in {}", world.directory().display());
    }
    report
}

fn seconds(millis: i64) -> f64 {
    Duration::from_millis(millis.max(0).unsigned_abs()).as_secs_f64()
}
