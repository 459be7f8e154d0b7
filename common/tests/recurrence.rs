//! Recurrence against an independent judge: Python's dateutil and zoneinfo (docs/adr/0019).

use std::{path::Path, process::Command};

use common::time::{
    Due,
    recurrence::{RecurrenceFault, Rule, Series},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Before how far in the future dateutil has looked.
const HORIZONS: [&str; 2] = ["2100-01-01T00:00:00Z", "2024-12-30T00:00:00Z"];

/// One line of `recurrence/cases.txt`; `generate.py` says what is in it.
struct Case<'a> {
    due: Due,
    rule: &'a str,
    expected: Vec<Timestamp>,
    end: char,
}

fn case(line: &str) -> Option<Case<'_>> {
    let [zone, start, rule, steps] = line.split('|').collect::<Vec<_>>().try_into().ok()?;
    let day = format!("{}-{}-{}", &start[..4], &start[4..6], &start[6..8]);
    let due = if zone == "-" {
        Due::Date { date: day.parse().ok()? }
    } else {
        let local = format!("{day}T{}:{}", &start[9..11], &start[11..]).parse().ok()?;
        Due::Local { local, time_zone: zone.parse().ok()? }
    };
    let end = steps.chars().last()?;
    let mut expected = vec![instant(&due)];
    for run in steps[..steps.len() - 1].split_whitespace() {
        let (step, times) = run.split_once('*').unwrap_or((run, "1"));
        let (days, minutes) = step.find(['+', '-']).map_or((step, "0"), |at| step.split_at(at));
        let step = days.parse::<i64>().ok()? * 1440 + minutes.parse::<i64>().ok()?;
        for _ in 0..times.parse::<u32>().ok()? {
            expected.push(*expected.last()? + SignedDuration::from_mins(step));
        }
    }
    Some(Case { due, rule, expected, end })
}

fn instant(due: &Due) -> Timestamp {
    due.anchor(&TimeZone::UTC, jiff::civil::Time::midnight()).map(|at| at.timestamp()).unwrap_or_default()
}

/// What is wrong with our answer, if anything is.
fn fault(case: &Case) -> Option<String> {
    let rule: Rule = match case.rule.parse() {
        Ok(rule) => rule,
        Err(RecurrenceFault::Never) if case.expected.len() == 1 && case.end != '+' => return None,
        Err(fault) => return Some(format!("refused: {fault}")),
    };
    if rule.to_string().parse().ok() != Some(rule.clone()) {
        return Some(format!("written as {rule}, it is another rule"));
    }
    let series = match Series::new(&rule, &case.due) {
        Ok(series) => series,
        Err(RecurrenceFault::Never) if case.expected.len() == 1 && case.end != '+' => return None,
        Err(fault) => return Some(format!("refused: {fault}")),
    };
    if case.end == '!' {
        return Some("occurs, and never should".into());
    }
    let all: Vec<Due> = series.occurrences().take(case.expected.len() + 1).collect();
    let found: Vec<Timestamp> = all.iter().map(instant).collect();
    let listed = found.len().min(case.expected.len());
    let more = found.get(listed);
    let horizon: Timestamp = HORIZONS[usize::from(matches!(case.due, Due::Local { .. }))].parse().unwrap_or_default();
    let ends = match case.end {
        '+' => more.is_some(),
        '~' => more.is_none_or(|at| *at >= horizon),
        _ => more.is_none(),
    };
    // What a wall clock is said to show, it shows; the start alone may be somebody's input.
    let real = |due: &Due| match due {
        Due::Local { local, time_zone } => instant(due).to_zoned(time_zone.rules().clone()).datetime() == *local,
        _ => true,
    };
    // One step at a time is the same as all at once.
    let steps = all.windows(2).all(|pair| series.next_after(&pair[0]).as_ref() == Some(&pair[1]));
    if found[..listed] == case.expected && ends && steps && all[1..].iter().all(real) {
        return None;
    }
    Some(format!(
        "is {:?} {}, expected {:?} {}",
        found,
        if steps { "" } else { "(in other steps)" },
        case.expected,
        case.end
    ))
}

fn judge(table: &str, least: usize) {
    let lines: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= least, "{} cases only", lines.len());
    let check = |line: &str| case(line).map_or_else(|| Some("is not a case".into()), |case| fault(&case));
    let wrong: Vec<_> =
        lines.iter().filter_map(|line| check(line).map(|fault| format!("{line}\n    {fault}"))).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), lines.len(), wrong[..wrong.len().min(10)].join("\n"));
}

#[test]
fn every_case_of_the_table_is_as_dateutil_says() {
    judge(include_str!("recurrence/cases.txt"), 4000);
}

#[test]
fn cases_made_anew_are_as_dateutil_says_too() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let judges = [root.join("target/judge/bin/python"), "python3".into()];
    let works = |python: &&std::path::PathBuf| {
        let asked = Command::new(python).args(["-c", "import dateutil.rrule, zoneinfo"]).output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    let Some(python) = judges.iter().find(works) else {
        println!(
            "skipped: there is no Python with dateutil. To have one: python3 -m venv target/judge && target/judge/bin/pip install python-dateutil"
        );
        return;
    };
    let seed = rand::random::<u32>().to_string();
    let script = root.join("common/tests/recurrence/generate.py");
    let made = Command::new(python).arg(script).args(["--seed", &seed, "--count", "500"]).output().unwrap();
    assert!(made.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&made.stderr));
    println!("seed {seed}: {}", String::from_utf8_lossy(&made.stderr));
    judge(&String::from_utf8_lossy(&made.stdout), 500);
}
