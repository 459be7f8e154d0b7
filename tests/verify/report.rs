//! What a run has found, for people and for machines.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{
    Tally, World,
    checker::{Verdict, check},
    journal::{Journals, Promise},
    strikes::Strike,
};

/// One scenario's end.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Which.
    pub name: &'static str,
    /// What it can be done again with.
    pub seed: u64,
    /// How long it took.
    pub seconds: f64,
    /// Whether nothing was on its way any more at the end.
    pub settled: bool,
    /// What the checker says.
    pub verdict: Verdict,
    /// The figures.
    pub tally: Tally,
    /// What was asked of the figures and does not hold.
    pub misses: Vec<String>,
}

impl Report {
    /// Compares, and counts.
    pub async fn of(
        name: &'static str,
        seed: u64,
        world: &World,
        promises: Vec<Promise>,
        strikes: &[Strike],
        (settled, took): (bool, Duration),
    ) -> Self {
        let journals = Journals::of(world, promises).await;
        let verdict = check(&journals);
        let tally = Tally::of(&journals, strikes);
        Self { name, seed, seconds: took.as_secs_f64(), settled, verdict, tally, misses: Vec::new() }
    }

    /// Whether every promise was kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.settled && self.verdict.is_clean() && self.misses.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, seed, seconds, settled, verdict, tally, misses } = self;
        write!(f, "{name}, seed {seed}, {seconds:.0} s: ")?;
        writeln!(f, "{}", if self.is_kept() { "kept" } else { "NOT KEPT" })?;
        write!(f, "  {verdict}")?;
        let late = &tally.lateness;
        writeln!(
            f,
            "  lateness: p50 {} ms, p99 {} ms, max {} ms of {}",
            late.p50,
            late.p99,
            late.max,
            late.each.len()
        )?;
        if !tally.blows.is_empty() {
            let mut blows: Vec<_> = tally.blows.iter().map(|(blow, count)| format!("{blow} {count}")).collect();
            blows.sort();
            writeln!(f, "  broken: {}; {} mails in `sending` at a kill", blows.join(", "), tally.in_sending)?;
        }
        for (what, longest) in [
            ("claimed by the dead", tally.claimed_recovered),
            ("in `sending` by the dead", tally.sending_recovered),
            ("due around a blow to Redis", tally.redis_recovered),
            ("the first after Postgres is back", tally.postgres_recovered),
        ] {
            if let Some(longest) = longest {
                writeln!(f, "  {what}: {longest:.1} s at most")?;
            }
        }
        if !settled {
            writeln!(f, "  something was still on its way")?;
        }
        misses.iter().try_for_each(|miss| writeln!(f, "  missed: {miss}"))
    }
}
