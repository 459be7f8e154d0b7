//! What comes at the same time of some days.

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::{Hour, Weekdays};

/// A time of day, on some days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daily {
    /// When.
    pub hour: Hour,
    /// On which days.
    pub days: Weekdays,
}

impl Daily {
    /// The first time after `after`, in `zone`; none where there are no days. A time in a gap moves forward by the gap, one that is shown
    /// twice is the first.
    #[must_use]
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = after.to_zoned(zone.clone()).date();
        // A week, and what a change of clocks by a day takes from it.
        (-1..=15).find_map(|days| {
            let day = today.checked_add(days.days()).ok().filter(|day| self.days.has(day.weekday()))?;
            zone.to_timestamp(day.to_datetime(self.hour.time())).ok().filter(|at| *at > after)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_the_first_that_has_not_come() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let workdays = Daily { hour: "07:30".parse().unwrap(), days: Weekdays::stored(31) };
        // Friday, 4 December 2026.
        assert_eq!(workdays.next(at("2026-12-04T06:29:59Z"), &berlin), Some(at("2026-12-04T06:30:00Z")));
        assert_eq!(workdays.next(at("2026-12-04T06:30:00Z"), &berlin), Some(at("2026-12-07T06:30:00Z")));
        let sundays = Daily { hour: "02:30".parse().unwrap(), days: Weekdays::stored(64) };
        // In the gap; and of the two in the fold the first, once.
        assert_eq!(sundays.next(at("2026-03-29T00:00:00Z"), &berlin), Some(at("2026-03-29T01:30:00Z")));
        assert_eq!(sundays.next(at("2026-10-25T00:00:00Z"), &berlin), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(sundays.next(at("2026-10-25T00:30:00Z"), &berlin), Some(at("2026-11-01T01:30:00Z")));
        assert_eq!(Daily { days: Weekdays::default(), ..sundays }.next(at("2026-10-25T00:30:00Z"), &berlin), None);
    }
}
