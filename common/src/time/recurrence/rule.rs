//! A rule and how it is written.

use std::fmt;

use jiff::{
    Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde::Serialize;

/// An RRULE without a start. Written, it has one form: parts in a fixed order, values sorted, defaults left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) frequency: Frequency,
    /// 1 to 1,000.
    pub(super) interval: u16,
    pub(super) months: Vec<i8>,
    /// Negative ones count from the end of the month.
    pub(super) month_days: Vec<i8>,
    pub(super) days: Vec<Day>,
    pub(super) positions: Vec<i16>,
    pub(super) end: End,
    pub(super) week_start: Weekday,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// `MO`, or `2MO`, `-1FR`: the second, the last of a month or year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) ordinal: Option<i8>,
    pub(super) weekday: Weekday,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Never,
    /// 1 to 1,000; the start is the first.
    Count(u16),
    /// This day, too; for dates.
    Until(Date),
    /// This instant, too; for local times.
    UntilInstant(Timestamp),
}

pub(super) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

pub(super) const FREQUENCIES: [(&str, Frequency); 4] = [
    ("DAILY", Frequency::Daily),
    ("WEEKLY", Frequency::Weekly),
    ("MONTHLY", Frequency::Monthly),
    ("YEARLY", Frequency::Yearly),
];

fn name<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    names.iter().find(|(_, known)| known == value).map_or("", |(name, _)| name)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ordinal.map_or(Ok(()), |ordinal| ordinal.fmt(f))?;
        f.write_str(name(&WEEKDAYS, &self.weekday))
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, part: &str, values: &[T]) -> fmt::Result {
    for (n, value) in values.iter().enumerate() {
        if n == 0 { write!(f, ";{part}={value}")? } else { write!(f, ",{value}")? }
    }
    Ok(())
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", name(&FREQUENCIES, &self.frequency))?;
        if self.interval > 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        list(f, "BYMONTH", &self.months)?;
        list(f, "BYMONTHDAY", &self.month_days)?;
        list(f, "BYDAY", &self.days)?;
        list(f, "BYSETPOS", &self.positions)?;
        match self.end {
            End::Never => {}
            End::Count(count) => write!(f, ";COUNT={count}")?,
            End::Until(date) => write!(f, ";UNTIL={}", date.strftime("%Y%m%d"))?,
            End::UntilInstant(at) => write!(f, ";UNTIL={}", at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ"))?,
        }
        if self.week_start != Weekday::Monday {
            write!(f, ";WKST={}", name(&WEEKDAYS, &self.week_start))?;
        }
        Ok(())
    }
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
