//! Offsets: how long before or after a due value somebody is told.

use std::{fmt, str::FromStr};

use jiff::{Span, Timestamp, Unit, Zoned, civil, tz::TimeZone};
use serde::Serialize;

use super::TimeFault;

/// An ISO 8601 duration. Days and weeks are calendar days in a zone; hours, minutes and seconds are exact. The calendar
/// part is applied first.
#[derive(Clone, Copy, Debug)]
pub struct Offset(Span);

impl PartialEq for Offset {
    /// Whether both are written alike: `PT24H` is no `P1D`.
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl Offset {
    /// `anchor`, moved. `-P1D` before 09:00 is 09:00 the day before, across a change of clocks too; a local time that
    /// falls into a gap moves forward by the gap.
    ///
    /// # Errors
    /// [`TimeFault::OutOfRange`].
    pub fn from_anchor(self, anchor: &Zoned) -> Result<Timestamp, TimeFault> {
        let moved = anchor.checked_add(self.calendar()).map_err(|_| TimeFault::OutOfRange)?;
        self.exactly(moved.timestamp())
    }

    /// The same from what a wall clock shows. One day before a time that clocks skip is that time, of the day before.
    ///
    /// # Errors
    /// [`TimeFault::OutOfRange`].
    pub fn from_local(self, local: civil::DateTime, zone: &TimeZone) -> Result<Timestamp, TimeFault> {
        let moved = local.checked_add(self.calendar()).and_then(|moved| zone.to_timestamp(moved));
        self.exactly(moved.map_err(|_| TimeFault::OutOfRange)?)
    }

    fn calendar(self) -> Span {
        Span::new().weeks(self.0.get_weeks()).days(self.0.get_days())
    }

    fn exactly(self, moved: Timestamp) -> Result<Timestamp, TimeFault> {
        moved.checked_add(self.0.weeks(0).days(0)).map_err(|_| TimeFault::OutOfRange)
    }
}

impl FromStr for Offset {
    type Err = TimeFault;

    fn from_str(text: &str) -> Result<Self, TimeFault> {
        let span: Span = text.parse().map_err(|_| TimeFault::NotAnOffset)?;
        // Months and years have no place in a reminder: "a month before the 31st" is nobody's intent.
        let simple =
            span.get_years() == 0 && span.get_months() == 0 && text.trim_start_matches(['-', '+']).starts_with('P');
        let year =
            span.total((Unit::Day, jiff::SpanRelativeTo::days_are_24_hours())).is_ok_and(|days| days.abs() <= 366.0);
        match (simple, year) {
            (true, true) => Ok(Self(span)),
            (true, false) => Err(TimeFault::OutOfRange),
            (false, _) => Err(TimeFault::NotAnOffset),
        }
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Offset {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Hours, minutes and seconds, as a pattern.
macro_rules! time {
    () => {
        "T(?:[0-9]{1,4}H(?:[0-9]{1,6}M)?(?:[0-9]{1,8}S)?|[0-9]{1,6}M(?:[0-9]{1,8}S)?|[0-9]{1,8}S)"
    };
}

crate::input::parsed_field!(Offset);
// That all of it is a year at most, no pattern tells.
crate::schema::reads_as_text!(
    Offset,
    "An ISO 8601 duration of up to 366 days. Days and weeks are calendar days in a zone; hours, minutes and seconds are exact. The \
     calendar part is applied first.",
    "-P1D",
    pattern: concat!(
        "^[+-]?P(?:(?:[0-9]{1,2}W(?:[0-9]{1,3}D)?|[0-9]{1,3}D)(?:",
        time!(),
        ")?|",
        time!(),
        ")$"
    ),
);

/// An offset that leads ahead, for the API's description: nothing is read by this type.
#[derive(Debug)]
pub(crate) enum Ahead {}

crate::schema::reads_as_text!(
    Ahead,
    "How long: an ISO 8601 duration of up to a year. Days and weeks are calendar days; hours, minutes and seconds are exact.",
    "PT1H",
    pattern: concat!(
        "^[+]?P(?:(?:[0-9]{1,2}W(?:[0-9]{1,3}D)?|[0-9]{1,3}D)(?:",
        time!(),
        ")?|",
        time!(),
        ")$"
    ),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(offset: &str, anchor: &str) -> String {
        offset.parse::<Offset>().unwrap().from_anchor(&anchor.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn days_are_calendar_days_and_hours_are_exact() {
        // Clocks went forward in Berlin on 29 March 2026 at 02:00.
        assert_eq!(moved("-P1D", "2026-03-29T09:00[Europe/Berlin]"), "2026-03-28T08:00:00Z");
        assert_eq!(moved("-PT24H", "2026-03-29T09:00[Europe/Berlin]"), "2026-03-28T07:00:00Z");
        assert_eq!(moved("-P1DT1H", "2026-03-29T09:00[Europe/Berlin]"), "2026-03-28T07:00:00Z");
        assert_eq!(moved("-P1W", "2026-04-01T09:00[Europe/Berlin]"), "2026-03-25T08:00:00Z");
        assert_eq!(moved("PT0S", "2026-03-29T09:00[Europe/Berlin]"), "2026-03-29T07:00:00Z");
    }

    #[test]
    fn a_gap_moves_forward_and_a_fold_is_its_first_time() {
        // 02:30 did not exist on 29 March 2026, and was twice on 25 October.
        assert_eq!(moved("-P1D", "2026-03-30T02:30[Europe/Berlin]"), "2026-03-29T01:30:00Z");
        assert_eq!(moved("-P1D", "2026-10-26T02:30[Europe/Berlin]"), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn months_words_and_centuries_are_refused() {
        assert_eq!("-P1M".parse::<Offset>().unwrap_err(), TimeFault::NotAnOffset);
        assert_eq!("1 day ago".parse::<Offset>().unwrap_err(), TimeFault::NotAnOffset);
        assert_eq!("-P400D".parse::<Offset>().unwrap_err(), TimeFault::OutOfRange);
        assert_eq!("".parse::<Offset>().unwrap_err(), TimeFault::NotAnOffset);
    }
}
