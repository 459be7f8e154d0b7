//! When a reminder may come once more, as somebody would say it.

use deserr::Deserr;
use jiff::{SignedDuration, Timestamp, Unit, Zoned, civil, civil::Weekday};

use crate::{
    input::Faults,
    time::{Instant, TimeZoneName},
};

/// A moment that is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// `This evening`.
    pub name: &'static str,
    /// `Tue 1 Dec, 18:00`, in the reader's zone.
    pub words: String,
    /// The moment itself.
    pub at: Timestamp,
}

/// The moment that was chosen.
#[derive(Debug, Deserr)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Postponement {
    /// One of those that were offered, or any other within a year.
    pub until: Instant,
}

/// What is offered to a person in `zone` who is told of dates at `hour`: each moment once, the soonest first.
pub(super) fn laters(now: Timestamp, zone: &TimeZoneName, hour: civil::Time) -> Vec<Later> {
    const EVENING: civil::Time = civil::time(18, 0, 0, 0);
    let here = now.to_zoned(zone.rules().clone());
    let at = |day: Result<civil::Date, jiff::Error>, time: civil::Time| {
        day.and_then(|day| day.to_datetime(time).to_zoned(here.time_zone().clone())).ok()
    };
    let today = here.date();
    // To the minute: what is shown is what is meant.
    let hour_on = here.checked_add(SignedDuration::from_hours(1)).and_then(|then| then.round(Unit::Minute)).ok();
    let offered = [
        ("In an hour", hour_on),
        ("This evening", at(Ok(today), EVENING).filter(|evening| *evening > here)),
        ("Tomorrow", at(today.tomorrow(), hour)),
        ("Next Monday", at(today.nth_weekday(1, Weekday::Monday), hour)),
    ];
    let mut laters: Vec<Later> = Vec::new();
    for (name, then) in offered {
        let Some(then) = then.filter(|then| laters.iter().all(|later| later.at != then.timestamp())) else { continue };
        laters.push(Later { name, words: words(&then), at: then.timestamp() });
    }
    laters.sort_by_key(|later| later.at);
    laters
}

/// `Tue 1 Dec, 18:00`.
pub(super) fn words(then: &Zoned) -> String {
    then.strftime("%a %-d %b, %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(now: &str, zone: &str, hour: i8) -> Vec<(&'static str, String, String)> {
        let laters = laters(now.parse().unwrap(), &zone.parse().unwrap(), civil::time(hour, 0, 0, 0));
        laters.into_iter().map(|later| (later.name, later.words, later.at.to_string())).collect()
    }

    #[test]
    fn what_is_offered_is_in_the_readers_zone_and_at_their_hour() {
        let said = |name, words: &str, at: &str| (name, words.to_owned(), at.to_owned());
        // A Tuesday morning, before the clocks of Berlin go back on Sunday.
        assert_eq!(
            offered("2026-10-20T07:15:40Z", "Europe/Berlin", 8),
            [
                said("In an hour", "Tue 20 Oct, 10:16", "2026-10-20T08:16:00Z"),
                said("This evening", "Tue 20 Oct, 18:00", "2026-10-20T16:00:00Z"),
                said("Tomorrow", "Wed 21 Oct, 08:00", "2026-10-21T06:00:00Z"),
                said("Next Monday", "Mon 26 Oct, 08:00", "2026-10-26T07:00:00Z"),
            ]
        );
    }

    #[test]
    fn an_evening_that_has_begun_is_not_offered_and_a_moment_is_offered_once() {
        let names = |now| offered(now, "Europe/Berlin", 9).into_iter().map(|later| later.0).collect::<Vec<_>>();
        // Sunday at six: tomorrow is Monday.
        assert_eq!(names("2026-10-25T17:00:00Z"), ["In an hour", "Tomorrow"]);
        // Monday: the next one is a week away.
        assert_eq!(offered("2026-10-26T17:30:00Z", "Europe/Berlin", 9)[2].1, "Mon 2 Nov, 09:00");
        // Five in the evening: an hour from now is the evening.
        assert_eq!(names("2026-10-20T15:00:00Z"), ["In an hour", "Tomorrow", "Next Monday"]);
    }

    #[test]
    fn a_morning_that_the_clocks_skip_moves_forward() {
        let offered = offered("2026-03-28T12:00:00Z", "Europe/Berlin", 2);
        let tomorrow = offered.iter().find(|later| later.0 == "Tomorrow").unwrap();
        assert_eq!(tomorrow.1, "Sun 29 Mar, 03:00");
    }
}
