//! T17: the same for hours, and nothing grows.

use std::time::Duration;

use jiff::SignedDuration;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{Instant, sleep_until};

use super::{Size, dismiss, end, victims};
use crate::verify::{
    Cast, Queue, World,
    driver::{self, Load},
    journal::Journals,
    now,
    report::Report,
    strikes::{Blow, fall},
    watch::watch,
};

/// What is asked of Redis.
const REDIS_MEGABYTES: f64 = 64.0;
const REDIS_KEYS: f64 = 5_000.0;
/// By how much a process may have grown: connections, buffers, caches fill in the first hours.
const GROWN_MEGABYTES: f64 = 32.0;
const GROWN_FILES: f64 = 16.0;

/// What one process holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    megabytes: f64,
    files: f64,
}

/// Segment after segment, each with its load, one blow and a check; one report for each. The API and one worker are spared.
///
/// # Panics
/// When a server does not start.
pub async fn soak(seed: u64, size: Size, segments: usize) -> Vec<Report> {
    let mut world = World::new(Queue::Own).await;
    let mut victims = victims(&mut world).await;
    let (orgs, mut chance) = (20, StdRng::seed_from_u64(seed));
    // So many people that a day's reminders are few for each.
    let cast = Cast::of(&world, orgs, 250).await;
    let (mut reports, mut first): (Vec<Report>, Option<[Held; 2]>) = (Vec::new(), None);
    for segment in 0..segments {
        let (begun, since) = (Instant::now(), now().checked_sub(SignedDuration::from_secs(1)).unwrap());
        let watched = size.watched.then(|| watch(&world, "soak", size.reminders * segments, segments));
        let load = Load {
            seed: seed ^ u64::try_from(segment).unwrap(),
            first: segment * size.reminders,
            reminders: size.reminders,
            over: size.over,
            ahead: 1_500..5_000,
            edited: size.edited,
            fates: Vec::new(),
            at_once: 16,
            shares: Vec::new(),
        };
        let driving = driver::start(&world, &cast, &load);
        sleep_until(begun + size.over.mul_f64(chance.random())).await;
        let blows = [Blow::KillWorker, Blow::FlushAll, Blow::KillRedis, Blow::StopPostgres];
        let strike = fall(&mut world, &mut victims, blows[segment % blows.len()], 1).await;
        world.gauge.strike();
        let promises = driving.join_all().await;
        let settled = world.settles(size.patience).await;
        let journals = Journals::since(&world, promises, since).await;
        let mut report = Report::judge("soak", seed, &journals, &[strike], (settled, begun.elapsed()));
        let held = [victims.api.pid(), victims.workers[0].pid()].map(|pid| held(pid.unwrap()));
        let then = *first.get_or_insert(held);
        for (name, (now, then)) in ["the API", "a worker"].into_iter().zip(held.into_iter().zip(then)) {
            report.at_most(&format!("{name}, MB"), now.megabytes, then.megabytes + GROWN_MEGABYTES);
            report.at_most(&format!("{name}, open files"), now.files, then.files + GROWN_FILES);
        }
        let (megabytes, keys) = world.redis_holds().await;
        report.at_most("Redis, MB", megabytes, REDIS_MEGABYTES);
        report.at_most("Redis, keys", keys, REDIS_KEYS);
        drop(watched);
        println!("segment {} of {segments}: {report}", segment + 1);
        let kept = report.is_kept();
        reports.push(report);
        if !kept {
            break;
        }
        world.smtp.forget();
    }
    dismiss(victims).await;
    if let Some(last) = reports.pop() {
        reports.push(end(world, last).await);
    }
    reports
}

/// What the system says.
fn held(pid: u32) -> Held {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let kilobytes: f64 = kilobytes.unwrap_or_default();
    Held { megabytes: kilobytes / 1024.0, files: f64::from(u32::try_from(files).unwrap()) }
}

/// Of a day: segments of five minutes.
#[must_use]
pub fn segments(hours: usize, over: Duration) -> usize {
    let hour = usize::try_from(3_600 / over.as_secs().max(1)).unwrap_or(1);
    (hours * hour).max(1)
}
