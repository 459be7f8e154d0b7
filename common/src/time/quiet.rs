//! When somebody does not want to be disturbed, and when that is over.
//!
//! A window is a stretch of time, not of the wall clock: it goes from the instant at which the clock shows its beginning to the one at
//! which it shows its end. A time in a gap moves forward by the gap, one that is shown twice is the first, here as everywhere. So a moment
//! is moved forward, never back, and a night is over once.

use deserr::Deserr;
use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Hour, TimeFault, Weekdays};
use crate::input::Faults;

/// From one time of day to another; over midnight if it ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserr, ToSchema)]
#[schema(example = json!({ "from": "22:00", "until": "07:00" }))]
#[deserr(error = Faults, deny_unknown_fields, validate = Self::lasts -> TimeFault)]
pub struct QuietHours {
    /// When they begin.
    pub from: Hour,
    /// When they end.
    pub until: Hour,
}

impl QuietHours {
    fn lasts(self, _: deserr::ValuePointerRef) -> Result<Self, TimeFault> {
        if self.from == self.until { Err(TimeFault::EmptyWindow) } else { Ok(self) }
    }
}

/// What somebody has said about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quiet {
    /// Hours of each day.
    pub hours: Option<QuietHours>,
    /// Whole days.
    pub days_off: Weekdays,
}

/// More windows than can follow each other: two a day, and a week has a day that is not off.
const CHAIN: usize = 64;

impl Quiet {
    /// The moment itself, or the end of the window that it falls into in `zone`; of the last one, where one begins before the other ends.
    #[must_use]
    pub fn over(&self, at: Timestamp, zone: &TimeZone) -> Timestamp {
        let mut moved = at;
        for _ in 0..CHAIN {
            match self.window(moved, zone) {
                Some(end) if end > moved => moved = end,
                _ => break,
            }
        }
        moved
    }

    /// The end of a window that holds the moment; the latest, if several do.
    fn window(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        // Clocks have been set by a whole day: a window may hold moments of its neighbours' dates.
        let today = at.to_zoned(zone.clone()).date();
        let near = (-2..=1).filter_map(|days| today.checked_add(days.days()).ok());
        near.flat_map(|day| [self.day_off(day, zone), self.night(day, zone)])
            .flatten()
            .filter(|(from, until)| (*from..*until).contains(&at))
            .map(|(_, until)| until)
            .max()
    }

    fn day_off(&self, day: civil::Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        if !self.days_off.has(day.weekday()) {
            return None;
        }
        Some((
            instant(day, civil::Time::midnight(), zone)?,
            instant(day.tomorrow().ok()?, civil::Time::midnight(), zone)?,
        ))
    }

    fn night(&self, day: civil::Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let QuietHours { from, until } = self.hours?;
        let last = if from < until { day } else { day.tomorrow().ok()? };
        Some((instant(day, from.time(), zone)?, instant(last, until.time(), zone)?))
    }
}

/// When the clock shows this.
fn instant(day: civil::Date, time: civil::Time, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(day.to_datetime(time)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(from: &str, until: &str, days_off: i16) -> Quiet {
        let hours = QuietHours { from: from.parse().unwrap(), until: until.parse().unwrap() };
        Quiet { hours: Some(hours).filter(|hours| hours.from != hours.until), days_off: Weekdays::stored(days_off) }
    }

    /// Where a moment of Berlin ends up, as its clock shows it.
    fn moved(quiet: Quiet, at: &str) -> String {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at: Timestamp = at.parse::<civil::DateTime>().unwrap().to_zoned(berlin.clone()).unwrap().timestamp();
        quiet.over(at, &berlin).to_zoned(berlin).strftime("%F %H:%M").to_string()
    }

    #[test]
    fn a_moment_in_the_night_waits_for_the_morning() {
        let night = quiet("22:00", "07:00", 0);
        assert_eq!(moved(night, "2026-12-01T21:59"), "2026-12-01 21:59");
        assert_eq!(moved(night, "2026-12-01T22:00"), "2026-12-02 07:00");
        assert_eq!(moved(night, "2026-12-02T06:59"), "2026-12-02 07:00");
        assert_eq!(moved(night, "2026-12-02T07:00"), "2026-12-02 07:00");
        let nap = quiet("13:00", "14:30", 0);
        assert_eq!(moved(nap, "2026-12-01T13:00"), "2026-12-01 14:30");
        assert_eq!(moved(nap, "2026-12-01T12:59"), "2026-12-01 12:59");
        assert_eq!(moved(nap, "2026-12-01T23:00"), "2026-12-01 23:00");
        assert_eq!(moved(Quiet::default(), "2026-12-01T23:00"), "2026-12-01 23:00");
    }

    #[test]
    fn a_day_off_is_left_by_its_end_and_by_the_night_after_it() {
        // The 5th and 6th of December 2026 are a Saturday and a Sunday.
        let weekend = quiet("00:00", "00:00", 96);
        assert_eq!(moved(weekend, "2026-12-04T23:59"), "2026-12-04 23:59");
        assert_eq!(moved(weekend, "2026-12-05T00:00"), "2026-12-07 00:00");
        let both = quiet("22:00", "07:00", 96);
        assert_eq!(moved(both, "2026-12-04T23:00"), "2026-12-07 07:00");
        assert_eq!(moved(both, "2026-12-06T12:00"), "2026-12-07 07:00");
        let wednesdays_only = quiet("23:59", "23:00", 127 - 4);
        assert_eq!(moved(wednesdays_only, "2026-12-03T09:00"), "2026-12-09 23:00");
    }

    #[test]
    fn a_window_that_ends_in_a_gap_or_in_a_fold_ends_once() {
        // 02:30 did not exist on 29 March 2026: the night ends at 03:30.
        assert_eq!(moved(quiet("22:00", "02:30", 0), "2026-03-29T01:00"), "2026-03-29 03:30");
        // It was twice on 25 October: the night ends with the first, and the second is in no window.
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let night = quiet("22:00", "02:30", 0);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(night.over(at("2026-10-25T00:15:00Z"), &berlin), at("2026-10-25T00:30:00Z"));
        assert_eq!(night.over(at("2026-10-25T01:15:00Z"), &berlin), at("2026-10-25T01:15:00Z"));
        // One that begins in it begins with the first.
        let late = quiet("02:30", "07:00", 0);
        assert_eq!(late.over(at("2026-10-25T01:15:00Z"), &berlin), at("2026-10-25T06:00:00Z"));
    }

    #[test]
    fn a_day_that_a_zone_left_out_is_no_day_off() {
        // Samoa went from Thursday the 29th to Saturday the 31st of December 2011.
        let apia = TimeZone::get("Pacific/Apia").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let fridays = quiet("00:00", "00:00", 16);
        for moment in ["2011-12-30T09:59:00Z", "2011-12-30T10:00:00Z", "2011-12-31T05:00:00Z"] {
            assert_eq!(fridays.over(at(moment), &apia), at(moment));
        }
        let thursdays = quiet("00:00", "00:00", 8);
        assert_eq!(thursdays.over(at("2011-12-29T20:00:00Z"), &apia), at("2011-12-30T10:00:00Z"));
    }

    #[test]
    fn whatever_is_wanted_a_moment_moves_forward_to_a_free_one_and_keeps_its_place_in_line() {
        let zones = [
            "Australia/Lord_Howe",
            "Asia/Beirut",
            "America/Havana",
            "America/Asuncion",
            "Antarctica/Troll",
            "Pacific/Apia",
        ]
        .map(|name| TimeZone::get(name).unwrap());
        let hour = || format!("{:02}:{:02}", rand::random_range(0..24), [0, 1, 30, 59][rand::random_range(0..4)]);
        for _ in 0..3_000 {
            let (from, until) = (hour(), hour());
            let quiet = quiet(&from, &until, rand::random_range(0..127));
            let zone = &zones[rand::random_range(0..zones.len())];
            let at = Timestamp::from_second(rand::random_range(1_300_000_000..1_800_000_000)).unwrap();
            let moved = quiet.over(at, zone);
            let case = format!("{quiet:?} {at} {zone:?} {moved}");
            assert!(moved >= at && quiet.window(moved, zone).is_none(), "{case}");
            assert_eq!(quiet.over(moved, zone), moved, "{case}");
            let later = at.checked_add(rand::random_range(1..100_000).seconds()).unwrap();
            assert!(quiet.over(later, zone) >= moved, "{case} {later}");
        }
    }
}
