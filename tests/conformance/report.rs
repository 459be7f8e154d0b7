//! What a run did, from the events that it reports.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use serde_json::Value;

/// Counts.
#[derive(Default)]
pub(crate) struct Report {
    phases: BTreeMap<String, usize>,
    statuses: BTreeMap<u64, usize>,
    operations: BTreeSet<String>,
    checks: usize,
}

impl Report {
    /// Reads the events, one of JSON a line.
    pub(crate) fn read(path: &Path) -> Self {
        let mut report = Self::default();
        for line in BufReader::new(File::open(path).unwrap()).lines() {
            let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let scenario = &event["ScenarioFinished"];
            let phase = scenario["phase"].as_str().unwrap_or_default();
            let recorder = &scenario["recorder"];
            for (case, exchange) in recorder["interactions"].as_object().into_iter().flatten() {
                *report.phases.entry(phase.to_owned()).or_default() += 1;
                let status = exchange["response"]["status_code"].as_u64().unwrap_or_default();
                *report.statuses.entry(status).or_default() += 1;
                let sent = &recorder["cases"][case]["value"];
                let operation = format!("{} {}", sent["method"].as_str().unwrap(), sent["path"].as_str().unwrap());
                if (200..300).contains(&status) {
                    report.operations.insert(operation);
                }
            }
            let checks = recorder["checks"].as_object().into_iter().flatten();
            report.checks += checks.map(|(_, checks)| checks.as_array().map_or(0, Vec::len)).sum::<usize>();
        }
        report
    }

    fn cases(&self) -> usize {
        self.phases.values().sum()
    }

    fn count(&self, status: u64) -> usize {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// Asserts that it asked much, and was not turned away at the door.
    pub(crate) fn assert_meant_something(&self, least: usize, of: usize) {
        let cases = self.cases();
        assert!(cases >= least, "{cases} cases are not enough");
        let turned_away = self.count(401) + self.count(429);
        assert!(turned_away * of < cases, "of {cases} cases {turned_away} were turned away");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cases {:?}, {} checks", self.cases(), self.phases, self.checks)?;
        writeln!(f, "answers by status: {:?}", self.statuses)?;
        write!(f, "{} operations did what they were asked for at least once", self.operations.len())
    }
}
