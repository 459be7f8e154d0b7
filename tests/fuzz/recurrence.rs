//! Rules of recurrence.

use common::time::{
    Due, TimeZoneName,
    recurrence::{Rule, Series},
};
use jiff::{Timestamp, civil, tz::TimeZone};

/// How many occurrences are looked at.
const LOOKED_AT: usize = 12;

/// An RRULE, from a leap day, and from times in a gap and in a fold.
pub fn rrule(bytes: &[u8]) {
    let Some(rule) = crate::utf8(bytes).and_then(crate::one_truth::<Rule>) else { return };
    let local = |local: civil::DateTime, zone: &str| Due::Local { local, time_zone: TimeZoneName::stored(zone) };
    for start in [
        Due::Date { date: civil::date(2096, 2, 29) },
        local(civil::date(2011, 12, 30).at(0, 30, 0, 0), "Pacific/Apia"),
        local(civil::date(2026, 10, 25).at(2, 30, 0, 0), "Europe/Berlin"),
    ] {
        let Ok(series) = Series::new(&rule, &start) else { continue };
        let all: Vec<Due> = series.occurrences().take(LOOKED_AT).collect();
        assert_eq!(all.first().map(instant), Some(instant(&start)), "the start is the first");
        for pair in all.windows(2) {
            assert!(instant(&pair[0]) < instant(&pair[1]), "{rule}: {pair:?}");
            assert_eq!(series.next_after(&pair[0]).as_ref(), Some(&pair[1]), "{rule}");
            let now = instant(&pair[0]).to_zoned(TimeZone::UTC);
            assert!(series.next_due(&start, &now).is_some(), "{rule}: {pair:?}");
        }
    }
}

fn instant(due: &Due) -> Timestamp {
    due.anchor(&TimeZone::UTC, civil::Time::midnight()).map(|at| at.timestamp()).unwrap_or_default()
}
