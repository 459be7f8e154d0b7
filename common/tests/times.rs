//! Points in time against an independent judge: Python's zoneinfo, and dateutil beside it (docs/reminders.md, "When").

use std::{path::Path, process::Command};

use common::time::{Due, Hour, Quiet, QuietHours, TimeZoneName, Weekdays, When, next_at};
use jiff::{Timestamp, civil};

/// What is computed for one line of `times/cases.txt`, and what it should be; `generate.py` says what is in it.
fn case(line: &str) -> Option<(Timestamp, Timestamp)> {
    let parts: Vec<&str> = line.split('|').collect();
    let found = match parts.as_slice() {
        ["L", zone, local, _] => {
            let when = When::Local { local: wall(local)?, time_zone: zone.parse().ok()? };
            // Whose it is does not matter.
            when.instant(None, TimeZoneName::utc().rules(), civil::Time::MIN).ok()??
        }
        ["O", due, reader, hour, offset, _] => {
            let when = When::Offset { offset: offset.parse().ok()? };
            let reader: TimeZoneName = reader.parse().ok()?;
            when.instant(Some(&due_value(due)?), reader.rules(), hour_of(hour)?.time()).ok()??
        }
        ["Q", zone, hours, days, at, _] => {
            let hours = hours.split_once('-').filter(|(from, _)| !from.is_empty());
            let hours = hours.map(|(from, until)| Some(QuietHours { from: hour_of(from)?, until: hour_of(until)? }));
            let quiet = Quiet { hours: hours.flatten(), days_off: Weekdays::stored(days.parse().ok()?) };
            quiet.over(instant(at)?, zone.parse::<TimeZoneName>().ok()?.rules())
        }
        ["N", zone, hour, days, after, _] => {
            let zone: TimeZoneName = zone.parse().ok()?;
            next_at(hour_of(hour)?.time(), days.parse().ok()?, zone.rules(), instant(after)?)?
        }
        _ => return None,
    };
    Some((found, instant(parts.last()?)?))
}

fn due_value(text: &str) -> Option<Due> {
    let (kind, rest) = text.split_at_checked(1)?;
    Some(match (kind, rest.split_once('@')) {
        ("D", _) => Due::Date { date: civil::Date::strptime("%Y%m%d", rest).ok()? },
        ("L", Some((local, zone))) => Due::Local { local: wall(local)?, time_zone: zone.parse().ok()? },
        ("A", _) => Due::At { at: instant(rest)? },
        _ => return None,
    })
}

fn wall(text: &str) -> Option<civil::DateTime> {
    civil::DateTime::strptime("%Y%m%dT%H%M", text).ok()
}

fn instant(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(text.parse().ok()?).ok()
}

fn hour_of(text: &str) -> Option<Hour> {
    let (hour, minute) = text.split_at_checked(2)?;
    format!("{hour}:{minute}").parse().ok()
}

fn judge(table: &str, least: usize) {
    let lines: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= least, "{} cases only", lines.len());
    let fault = |line: &&str| match case(line) {
        None => Some(format!("{line}\n    cannot be computed")),
        Some((found, expected)) => (found != expected).then(|| format!("{line}\n    is {found}, expected {expected}")),
    };
    let wrong: Vec<String> = lines.iter().filter_map(fault).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), lines.len(), wrong[..wrong.len().min(10)].join("\n"));
}

#[test]
fn every_time_of_the_table_is_as_zoneinfo_says() {
    judge(include_str!("times/cases.txt"), 6000);
}

#[test]
fn times_made_anew_are_as_zoneinfo_says_too() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let judges = [root.join("target/judge/bin/python"), "python3".into()];
    let works = |python: &&std::path::PathBuf| {
        let asked = Command::new(python)
            .args(["-c", "import dateutil.tz, zoneinfo; zoneinfo.ZoneInfo('Antarctica/Troll')"])
            .output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    let Some(python) = judges.iter().find(works) else {
        println!(
            "skipped: there is no Python with zoneinfo and dateutil. To have one: python3 -m venv target/judge && target/judge/bin/pip install python-dateutil tzdata"
        );
        return;
    };
    let seed = rand::random::<u32>().to_string();
    let script = root.join("common/tests/times/generate.py");
    let made = Command::new(python).arg(script).args(["--seed", &seed, "--count", "1000"]).output().unwrap();
    assert!(made.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&made.stderr));
    println!("seed {seed}: {}", String::from_utf8_lossy(&made.stderr));
    judge(&String::from_utf8_lossy(&made.stdout), 1000);
}
