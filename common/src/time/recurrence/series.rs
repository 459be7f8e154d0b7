//! A rule with its start: when it is due, and when next.

use jiff::{Timestamp, Zoned, civil, tz::TimeZone};

use super::{
    RecurrenceFault,
    days::Days,
    rule::{End, Rule},
};
use crate::time::{Due, TimeZoneName};

/// The occurrences of a rule from a start on (RFC 5545's DTSTART), which is always the first of them and counts, whether or not the
/// rule itself would name it.
///
/// They are counted on the calendar of the start's zone. A time that falls into a gap moves forward by the gap, in a fold it is the
/// first one; on a day that a zone has left out it coincides with the next day's, and is one with it.
#[derive(Clone, Debug)]
pub struct Series {
    rule: Rule,
    start: civil::DateTime,
    /// None: of dates, which are the same everywhere.
    zone: Option<TimeZoneName>,
}

impl Series {
    /// A series that begins at `start`.
    ///
    /// # Errors
    /// [`NeedsZone`](RecurrenceFault::NeedsZone) for an instant; `UNTIL` of another form than `start`, or before it;
    /// [`Never`](RecurrenceFault::Never) if, its end aside, it would not occur again after the start.
    pub fn new(rule: &Rule, start: &Due) -> Result<Self, RecurrenceFault> {
        let endless = Rule { end: End::Never, ..rule.clone() };
        let mut series = Self::stored(&endless, Self::start(start)?, start)?;
        let first = series.instants(None).next().ok_or(RecurrenceFault::Never)?.timestamp();
        if series.after(first).is_none() {
            return Err(RecurrenceFault::Never);
        }
        series.rule = rule.clone();
        match (rule.end, &series.zone) {
            (End::Until(_), Some(_)) | (End::UntilInstant(_), None) => Err(RecurrenceFault::UntilForm),
            _ if rule.until().is_some_and(|until| until < first) => Err(RecurrenceFault::UntilBeforeStart),
            _ => Ok(series),
        }
    }

    /// What is stored of a start.
    pub(super) fn start(due: &Due) -> Result<civil::DateTime, RecurrenceFault> {
        match due {
            Due::Date { date } => Ok(date.to_datetime(civil::Time::midnight())),
            Due::Local { local, .. } => Ok(*local),
            Due::At { .. } => Err(RecurrenceFault::NeedsZone),
        }
    }

    /// One that was checked when it was stored; `like` has its form and zone.
    pub(super) fn stored(rule: &Rule, start: civil::DateTime, like: &Due) -> Result<Self, RecurrenceFault> {
        let zone = match like {
            Due::Date { .. } => None,
            Due::Local { time_zone, .. } => Some(time_zone.clone()),
            Due::At { .. } => return Err(RecurrenceFault::NeedsZone),
        };
        Ok(Self { rule: rule.clone(), start, zone })
    }

    /// All of them, ascending.
    pub fn occurrences(&self) -> impl Iterator<Item = Due> {
        self.instants(None).map(|at| self.due(&at))
    }

    /// The one that follows `previous`, which need not be one itself.
    #[must_use]
    pub fn next_after(&self, previous: &Due) -> Option<Due> {
        self.after(instant(previous)?).map(|at| self.due(&at))
    }

    /// The one that follows `previous` and is not missed yet: a date as long as its day lasts where `now` is said, a time as long as
    /// it is to come.
    #[must_use]
    pub fn next_due(&self, previous: &Due, now: &Zoned) -> Option<Due> {
        let now = match self.zone {
            Some(_) => now.timestamp(),
            None => midnight(now.date().yesterday().ok()?)?,
        };
        self.after(instant(previous)?.max(now)).map(|at| self.due(&at))
    }

    fn after(&self, instant: Timestamp) -> Option<Zoned> {
        self.instants(Some(instant)).find(|at| at.timestamp() > instant)
    }

    /// All of them; `after` says which nobody looks at, so that a series of ten years ago need not be walked through.
    fn instants(&self, after: Option<Timestamp>) -> impl Iterator<Item = Zoned> + use<> {
        let (zone, start) = (self.rules(), self.start);
        let (count, until) = match self.rule.end {
            End::Count(count) => (usize::from(count), None),
            _ => (usize::MAX, self.rule.until()),
        };
        // A day earlier: out of a gap, an occurrence may land on the day after its own.
        let from = after.and_then(|at| at.to_zoned(zone.clone()).date().yesterday().ok());
        let skipped = match self.rule.end {
            End::Count(_) => 0,
            _ => from.map_or(0, |day| self.rule.period_of(start.date(), day)),
        };
        let first = start.to_zoned(zone.clone()).ok();
        let days = Days::new(self.rule.filled(start.date()), start.date(), skipped);
        let rest = days.map_while(move |day| day.to_datetime(start.time()).to_zoned(zone.clone()).ok());
        let mut last = Timestamp::MIN;
        first
            .into_iter()
            .chain(rest)
            // Neither what lies before the start in its week, month or year, nor one instant twice.
            .filter(move |at| {
                let later = at.timestamp() > last;
                last = last.max(at.timestamp());
                later
            })
            .take_while(move |at| until.is_none_or(|until| at.timestamp() <= until))
            .take(count)
    }

    fn rules(&self) -> TimeZone {
        self.zone.as_ref().map_or(TimeZone::UTC, |zone| zone.rules().clone())
    }

    fn due(&self, at: &Zoned) -> Due {
        match &self.zone {
            None => Due::Date { date: at.date() },
            Some(zone) => Due::Local { local: at.datetime(), time_zone: zone.clone() },
        }
    }
}

impl Rule {
    fn until(&self) -> Option<Timestamp> {
        match self.end {
            End::Until(date) => midnight(date),
            End::UntilInstant(at) => Some(at),
            End::Never | End::Count(_) => None,
        }
    }
}

fn instant(due: &Due) -> Option<Timestamp> {
    match due {
        Due::Date { date } => midnight(*date),
        Due::Local { local, time_zone } => Some(local.to_zoned(time_zone.rules().clone()).ok()?.timestamp()),
        Due::At { at } => Some(*at),
    }
}

/// How dates are ordered among each other; no zone has a part in it.
fn midnight(date: civil::Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read;
    use serde_json::json;

    fn local(local: &str, zone: &str) -> Due {
        read(json!({"local": local, "time_zone": zone})).unwrap()
    }

    fn date(date: &str) -> Due {
        read(json!({"date": date})).unwrap()
    }

    fn series(rule: &str, start: &Due) -> Result<Series, RecurrenceFault> {
        Series::new(&rule.parse().unwrap(), start)
    }

    fn first(count: usize, rule: &str, start: &Due) -> Vec<String> {
        let series = series(rule, start).unwrap();
        let occurrences = series.occurrences().take(count).map(|due| match due {
            Due::Date { date } => date.to_string(),
            Due::Local { local, .. } => local.to_string(),
            Due::At { at } => at.to_string(),
        });
        occurrences.collect()
    }

    #[test]
    fn the_31st_waits_for_a_month_that_has_one_and_the_last_day_does_not() {
        let start = date("2026-01-31");
        assert_eq!(first(4, "FREQ=MONTHLY", &start), ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]);
        assert_eq!(first(3, "FREQ=MONTHLY;BYMONTHDAY=-1", &start), ["2026-01-31", "2026-02-28", "2026-03-31"]);
        assert_eq!(first(3, "FREQ=YEARLY", &date("2096-02-29")), ["2096-02-29", "2104-02-29", "2108-02-29"]);
    }

    #[test]
    fn a_start_that_the_rule_would_not_name_is_its_first_occurrence() {
        let tuesday = date("2026-12-01");
        let expected = ["2026-12-01", "2026-12-07", "2026-12-14"];
        assert_eq!(first(9, "FREQ=WEEKLY;BYDAY=MO;COUNT=3", &tuesday), expected);
        assert_eq!(first(9, "FREQ=WEEKLY;BYDAY=MO;UNTIL=20261214", &tuesday), expected);
    }

    #[test]
    fn a_gap_moves_one_occurrence_and_no_other() {
        let start = local("2026-03-28T02:30", "Europe/Berlin");
        let expected = ["2026-03-28T02:30:00", "2026-03-29T03:30:00", "2026-03-30T02:30:00"];
        assert_eq!(first(3, "FREQ=DAILY", &start), expected);
        let daily = series("FREQ=DAILY", &start).unwrap();
        let moved = local("2026-03-29T03:30", "Europe/Berlin");
        assert_eq!(daily.next_after(&moved), Some(local("2026-03-30T02:30", "Europe/Berlin")));
    }

    #[test]
    fn a_day_that_a_zone_left_out_is_one_with_the_next() {
        // Samoa went from the 29th to the 31st.
        let start = local("2011-12-29T09:00", "Pacific/Apia");
        let expected = ["2011-12-29T09:00:00", "2011-12-31T09:00:00", "2012-01-01T09:00:00"];
        assert_eq!(first(9, "FREQ=DAILY;COUNT=3", &start), expected);
        let fridays = series("FREQ=WEEKLY;BYDAY=FR;WKST=SA", &start).unwrap();
        let before = "2011-12-31T08:00[Pacific/Apia]".parse().unwrap();
        assert_eq!(fridays.next_due(&start, &before), Some(local("2011-12-31T09:00", "Pacific/Apia")));
    }

    #[test]
    fn a_series_of_long_ago_is_not_walked_through() {
        let start = local("1970-01-01T09:00", "UTC");
        let daily = series("FREQ=DAILY", &start).unwrap();
        let far = "9998-12-30T10:00[UTC]".parse().unwrap();
        let begun = std::time::Instant::now();
        assert_eq!(daily.next_due(&start, &far), Some(local("9998-12-31T09:00", "UTC")));
        assert!(begun.elapsed().as_millis() < 100, "{:?}", begun.elapsed());
        assert_eq!(daily.next_after(&local("9998-12-31T09:00", "UTC")), None);
    }

    #[test]
    fn until_has_the_form_of_the_start_and_is_not_before_it() {
        let at = local("2026-12-01T09:00", "Europe/Berlin");
        let day = date("2026-12-01");
        let fault = |rule, start| series(rule, start).unwrap_err();
        assert_eq!(fault("FREQ=DAILY;UNTIL=20261231", &at), RecurrenceFault::UntilForm);
        assert_eq!(fault("FREQ=DAILY;UNTIL=20261231T080000Z", &day), RecurrenceFault::UntilForm);
        assert_eq!(fault("FREQ=DAILY;UNTIL=20261130", &day), RecurrenceFault::UntilBeforeStart);
        assert_eq!(fault("FREQ=DAILY;UNTIL=20261201T075959Z", &at), RecurrenceFault::UntilBeforeStart);
        assert_eq!(first(9, "FREQ=DAILY;UNTIL=20261202T080000Z", &at).len(), 2);
        assert_eq!(first(9, "FREQ=DAILY;UNTIL=20261202T075959Z", &at).len(), 1);
        let instant = read(json!({"at": "2026-12-01T09:00:00Z"})).unwrap();
        assert_eq!(fault("FREQ=DAILY", &instant), RecurrenceFault::NeedsZone);
    }

    #[test]
    fn what_never_occurs_again_is_found_out_quickly() {
        let begun = std::time::Instant::now();
        for (rule, start) in [
            ("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", "2027-01-01"),
            ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30", "2026-02-01"),
            ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "2026-12-01"),
            ("FREQ=MONTHLY;BYMONTH=2", "2026-01-31"),
        ] {
            assert_eq!(series(rule, &date(start)).unwrap_err(), RecurrenceFault::Never, "{rule}");
        }
        assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
        // In a month with 31 days nothing is implied that others lack.
        assert!(series("FREQ=YEARLY;BYMONTH=2;COUNT=5", &date("2026-01-28")).is_ok());
    }
}
