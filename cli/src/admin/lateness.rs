use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use clap::Args;
use common::operators::{Ended, Operator};
use report::{Report, duration};

use super::{ago, table::Table};
use crate::Failure;

/// What is asked.
#[derive(Args)]
pub(crate) struct Asked {
    /// Of what was due within this time: 7d, 12h, 30m.
    #[arg(long, value_parser = written, default_value = "7d")]
    since: (String, Duration),
    /// Only of these kinds.
    #[arg(long, value_delimiter = ',')]
    kind: Vec<String>,
    /// Write percentiles, histogram and counts into this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Draw them into this file.
    #[arg(long)]
    svg: Option<PathBuf>,
}

fn written(text: &str) -> Result<(String, Duration), String> {
    Ok((text.to_owned(), ago(text)?))
}

pub(super) async fn run(operator: &mut Operator, asked: &Asked) -> Result<(), Failure> {
    let (since, length) = &asked.since;
    let mut ended = operator.lateness(*length).await?;
    ended.retain(|some| asked.kind.is_empty() || asked.kind.contains(&some.kind));
    let mut kinds: BTreeMap<&str, Vec<&Ended>> = BTreeMap::new();
    for some in &ended {
        kinds.entry(&some.kind).or_default().push(some);
    }
    let reports: Vec<(&str, Report)> = kinds.into_iter().map(|(kind, ended)| (kind, of(kind, since, ended))).collect();
    let names = if asked.kind.is_empty() { "all mail".to_owned() } else { asked.kind.join(", ") };
    let whole = of(&names, since, &ended);
    let mut table = Table::new(&["KIND", "SENT", "P50", "P90", "P99", "P99.9", "LATEST", "NOT SENT"]);
    for (name, report) in reports.iter().map(|(name, report)| (*name, report)).chain([("all", &whole)]) {
        table.row(line(name, report));
    }
    print!("{table}");
    if let Some(file) = &asked.json {
        let mut json = whole.to_json();
        json["kinds"] = reports.iter().map(|(kind, report)| ((*kind).to_owned(), report.to_json())).collect();
        fs::write(file, format!("{json:#}\n")).map_err(|fault| format!("{}: {fault}", file.display()))?;
    }
    if let Some(file) = &asked.svg {
        fs::write(file, whole.to_svg()).map_err(|fault| format!("{}: {fault}", file.display()))?;
    }
    Ok(())
}

fn of<'a>(names: &str, since: &str, ended: impl IntoIterator<Item = &'a Ended>) -> Report {
    let mut report = Report {
        title: "How late mail was".to_owned(),
        about: format!("{names} that was due in the last {since}"),
        ..Report::default()
    };
    for some in ended {
        let count = some.deliveries.unsigned_abs();
        if let Some(late) = some.late_ms {
            report.lateness.add(late, count);
        }
        *report.outcomes.entry(some.state.clone()).or_default() += count;
    }
    report
}

fn line(name: &str, report: &Report) -> Vec<String> {
    let late = &report.lateness;
    let of = |share| late.percentile(share).map(duration).unwrap_or_default();
    let others =
        report.outcomes.iter().filter(|(state, _)| *state != "sent").map(|(state, count)| format!("{count} {state}"));
    vec![
        name.to_owned(),
        late.count().to_string(),
        of(0.5),
        of(0.9),
        of(0.99),
        of(0.999),
        late.max().map(duration).unwrap_or_default(),
        others.collect::<Vec<_>>().join(", "),
    ]
}
