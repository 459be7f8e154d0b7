//! T5: how long it takes after each blow by itself.

use std::time::Duration;

use super::{Size, end, ran};
use crate::verify::{Queue, World, report::Report, smtp::Manner, strikes::Blows};

/// Each kind of blow so often, a while apart, each kind in a world of its own.
///
/// # Panics
/// When a server does not start.
pub async fn recovery(seed: u64, size: Size, each: usize) -> Vec<Report> {
    let (often, none) = (each, Blows::default());
    let mut reports = vec![alone("T5 kill -9 of a worker", seed, size, Blows { workers: often, ..none }).await];
    let worker = &mut reports[0];
    if let Some(found) = worker.tally.claimed_recovered {
        worker.at_most("crash before the body, s", found, 10.0);
    }
    if let Some(found) = worker.tally.sending_recovered {
        worker.at_most("crash in `sending`, s", found, 40.0);
    }
    for (name, blows) in [
        ("T5 FLUSHALL", Blows { flushes: often, ..none }),
        ("T5 kill -9 of Redis", Blows { redises: often, ..none }),
        ("T5 stop of Postgres", Blows { postgreses: often, ..none }),
        ("T5 kill -9 of the API", Blows { apis: often, ..none }),
    ] {
        let mut report = alone(name, seed, size, blows).await;
        if let Some(found) = report.tally.redis_recovered {
            report.at_most("lateness around a blow to Redis, s", found, 20.0);
        }
        if let Some(found) = report.tally.postgres_recovered {
            report.at_most("the first mail after Postgres is back, s", found, 10.0);
        }
        reports.push(report);
    }
    reports
}

async fn alone(name: &'static str, seed: u64, size: Size, blows: Blows) -> Report {
    let mut world = World::new(Queue::Own).await;
    // Half of what a worker has in its hands waits for the 354, the other half for the last reply.
    world.smtp.behave(Manner { slow: Duration::from_millis(300), mute: 0, refuse: None });
    let report = ran(name, &mut world, seed, size, &blows.spaced(size.over)).await;
    end(world, report).await
}
