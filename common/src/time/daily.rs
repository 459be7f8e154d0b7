//! What comes at one hour of some days of the week.

use jiff::{Timestamp, civil, tz::TimeZone};

/// The first moment after `after` at which the clocks of `zone` show `hour` on one of `days` (a bit for each, Monday is 1); none if there are
/// no such days, or they are beyond what can be computed with. An hour that clocks skip moves forward by the gap; of one that they show
/// twice it is the first.
#[must_use]
pub fn next_at(hour: civil::Time, days: i16, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let today = after.to_zoned(zone.clone()).date();
    // From yesterday on: where a zone has skipped that day of its calendar, its hour has moved to today. Then a week and a day: today's may
    // be over. And one more, for a skipped day to come (common/tests/times.rs).
    let yesterday = today.yesterday().unwrap_or(today);
    yesterday.series(jiff::Span::new().days(1)).take(10).find_map(|date| {
        let chosen = days & (1 << date.weekday().to_monday_zero_offset()) != 0;
        let at = date.to_datetime(hour).to_zoned(zone.clone()).ok()?.timestamp();
        (chosen && at > after).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_DAY: i16 = 127;

    fn next(hour: &str, days: i16, zone: &str, after: &str) -> Option<String> {
        let next = next_at(hour.parse().unwrap(), days, &TimeZone::get(zone).unwrap(), after.parse().unwrap());
        next.map(|at| at.to_string())
    }

    #[test]
    fn the_next_one_is_later_today_or_on_the_next_chosen_day() {
        let monday = "2026-11-23T06:00:00Z";
        let at = |text: &str| Some(text.to_owned());
        assert_eq!(next("07:30", EVERY_DAY, "Europe/Berlin", monday), at("2026-11-23T06:30:00Z"));
        assert_eq!(next("07:00", EVERY_DAY, "Europe/Berlin", monday), at("2026-11-24T06:00:00Z"), "after, not at");
        // Of Mondays alone it is the next week's; of Wednesdays and Sundays, Wednesday's.
        assert_eq!(next("07:00", 1, "Europe/Berlin", monday), at("2026-11-30T06:00:00Z"));
        assert_eq!(next("07:30", 1, "Europe/Berlin", monday), at("2026-11-23T06:30:00Z"));
        assert_eq!(next("07:00", 4 + 64, "Europe/Berlin", monday), at("2026-11-25T06:00:00Z"));
        // It is Tuesday there.
        assert_eq!(next("20:30", 2, "Pacific/Kiritimati", monday), at("2026-11-24T06:30:00Z"));
        assert_eq!(next("07:00", 0, "Europe/Berlin", monday), None);
        assert_eq!(next("23:00", EVERY_DAY, "UTC", "9999-12-30T22:00:00Z"), None);
    }

    #[test]
    fn a_change_of_clocks_moves_it_and_takes_no_day_away() {
        let at = |text: &str| Some(text.to_owned());
        // Berlin skipped 02:00 to 03:00 on 29 March 2026, and had it twice on 25 October.
        assert_eq!(next("02:30", EVERY_DAY, "Europe/Berlin", "2026-03-28T12:00:00Z"), at("2026-03-29T01:30:00Z"));
        assert_eq!(next("02:30", EVERY_DAY, "Europe/Berlin", "2026-03-29T01:30:00Z"), at("2026-03-30T00:30:00Z"));
        assert_eq!(next("02:30", EVERY_DAY, "Europe/Berlin", "2026-10-24T12:00:00Z"), at("2026-10-25T00:30:00Z"));
        assert_eq!(next("02:30", EVERY_DAY, "Europe/Berlin", "2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z"));
        // Apia went from 29 to 31 December 2011.
        assert_eq!(next("09:00", EVERY_DAY, "Pacific/Apia", "2011-12-29T19:00:00Z"), at("2011-12-30T19:00:00Z"));
        assert_eq!(next("09:00", EVERY_DAY, "Pacific/Apia", "2011-12-30T19:00:00Z"), at("2011-12-31T19:00:00Z"));
    }
}
