//! Many at once.

use std::{collections::HashSet, time::Duration};

use ::report::Lateness;
use tokio::time::Instant;

use super::{Size, dismiss, end, seconds, victims};
use crate::verify::{
    Cast, Figures, Queue, World,
    driver::{self, Load},
    journal::Journals,
    report::Report,
    watch::watch,
};

/// When they are due, once all are asked for.
const WAIT: Duration = Duration::from_secs(5);
/// What is asked for is due in a day, until all of it is moved.
const DAY: i64 = 86_400_000;

/// T6: all of it is due in the same second.
///
/// # Panics
/// When a server does not start.
pub async fn same_second(name: &'static str, seed: u64, size: Size) -> Report {
    let orgs = (size.reminders / 100).clamp(1, 40);
    let shares = vec![size.reminders / orgs; orgs];
    let (world, mut report, _) = crowd(name, seed, size, shares).await;
    report.at_least("mails a second", report.tally.a_second, 200.0);
    end(world, report).await
}

/// T7: one organization has a great many, and `small` others have `each`.
///
/// # Panics
/// When a server does not start.
pub async fn large_and_small(name: &'static str, seed: u64, size: Size, small: usize, each: usize) -> Report {
    let mut shares = vec![each; small];
    shares.insert(0, size.reminders);
    let (world, mut report, journals) = crowd(name, seed, size, shares).await;
    let large = journals.promises[0].org.clone();
    let small: HashSet<&str> = journals
        .promises
        .iter()
        .filter(|promise| promise.org != large)
        .map(|promise| promise.marker.as_str())
        .collect();
    let of_small = |title: &str| title.split(' ').any(|word| small.contains(word));
    let (few, many): (Vec<_>, Vec<_>) = journals.late().into_iter().partition(|(told, _)| of_small(&told.title));
    let late = |some: &[(_, i64)]| Figures::of(&some.iter().map(|(_, late)| *late).collect::<Lateness>());
    let (few, many) = (late(&few), late(&many));
    report.at_most("the small ones' lateness p99, s", seconds(few.p99), 10.0);
    // Otherwise nobody has had to wait for anybody.
    report.at_least("the large one's lateness p50, of the small ones' p99", seconds(many.p50) / seconds(few.p99), 1.0);
    end(world, report).await
}

/// So many for each organization, made in peace, and then due at once.
async fn crowd(name: &'static str, seed: u64, size: Size, shares: Vec<usize>) -> (World, Report, Journals) {
    let begun = Instant::now();
    let mut world = World::new(Queue::Own).await;
    let all = shares.iter().sum();
    let _watch = size.watched.then(|| watch(&world, name, all, 0));
    let victims = victims(&mut world).await;
    let cast = Cast::sized(&world, &shares).await;
    let load = Load {
        seed,
        first: 0,
        reminders: all,
        over: Duration::ZERO,
        ahead: DAY..DAY + 1,
        edited: 0,
        fates: Vec::new(),
        at_once: 16,
        shares,
    };
    let mut promises = driver::run(&world, &cast, &load).await;
    promises.sort_by(|one, other| one.marker.cmp(&other.marker));
    let due_at = world.all_due_in(WAIT).await;
    for occurrence in promises.iter_mut().flat_map(|promise| &mut promise.occurrences) {
        occurrence.due_at = due_at;
    }
    let settled = world.settles(size.patience).await;
    let journals = Journals::of(&world, promises).await;
    let report = Report::judge(name, seed, &journals, &[], (settled, begun.elapsed()));
    dismiss(victims).await;
    (world, report, journals)
}
