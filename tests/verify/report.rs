//! What a run has found, for people and for machines.

use std::{collections::BTreeMap, fmt, time::Duration};

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
    /// In which states deliveries ended.
    pub ends: BTreeMap<String, u64>,
    /// What is asked of figures.
    pub figures: BTreeMap<String, Figure>,
    /// What was asked of the figures and does not hold.
    pub misses: Vec<String>,
}

/// What was found, and what was asked for.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figure {
    /// What it is.
    pub found: f64,
    /// What it should be at most, or at least.
    pub wanted: f64,
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
        Self::judge(name, seed, &Journals::of(world, promises).await, strikes, (settled, took))
    }

    /// The same of journals.
    #[must_use]
    pub fn judge(
        name: &'static str,
        seed: u64,
        journals: &Journals,
        strikes: &[Strike],
        (settled, took): (bool, Duration),
    ) -> Self {
        let verdict = check(journals);
        let tally = Tally::of(journals, strikes);
        let mut ends = BTreeMap::new();
        for delivery in &journals.deliveries {
            *ends.entry(delivery.state.clone()).or_default() += 1;
        }
        let (seconds, misses) = (took.as_secs_f64(), Vec::new());
        Self { name, seed, seconds, settled, verdict, tally, ends, figures: BTreeMap::new(), misses }
    }

    /// A figure that is told, and may not be more than this.
    pub fn at_most(&mut self, what: &str, found: f64, most: f64) {
        self.figure(what, found, most, found <= most);
    }

    /// A figure that is told, and may not be less than this.
    pub fn at_least(&mut self, what: &str, found: f64, least: f64) {
        self.figure(what, found, least, found >= least);
    }

    fn figure(&mut self, what: &str, found: f64, wanted: f64, holds: bool) {
        self.figures.insert(what.to_owned(), Figure { found, wanted });
        if !holds {
            self.misses.push(format!("{what}: {found:.2}, and {wanted:.2} were asked for"));
        }
    }

    /// How late it all was, as a drawing.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let drawing = ::report::Report {
            title: format!("{}: how late mail was", self.name),
            about: format!("seed {}, {} promises, {} mails", self.seed, self.verdict.promises, self.verdict.mails),
            lateness: self.tally.late.clone(),
            outcomes: self.ends.clone(),
        };
        drawing.to_svg()
    }

    /// Whether every promise was kept, however long it took.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.settled && self.verdict.is_clean()
    }

    /// Whether the figures are as they should be, too.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.is_kept() && self.misses.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, seed, seconds, settled, verdict, tally, misses, .. } = self;
        write!(f, "{name}, seed {seed}, {seconds:.0} s: ")?;
        writeln!(f, "{}", if self.is_kept() { "kept" } else { "NOT KEPT" })?;
        write!(f, "  {verdict}")?;
        let late = &tally.lateness;
        writeln!(
            f,
            "  lateness: p50 {} ms, p99 {} ms, max {} ms of {}; {:.0} mails a second",
            late.p50, late.p99, late.max, late.count, tally.a_second
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
        for (what, Figure { found, wanted }) in &self.figures {
            writeln!(f, "  {what}: {found:.2} ({wanted:.2} asked for)")?;
        }
        misses.iter().try_for_each(|miss| writeln!(f, "  missed: {miss}"))
    }
}
