//! From text to a [`Rule`]. Names and values may be in lower case, parts in any order, and `RRULE:` may stand in front, as in a
//! calendar file.

use std::str::FromStr;

use jiff::{
    Timestamp,
    civil::{self, Weekday},
    tz::TimeZone,
};

use super::{
    RecurrenceFault,
    rule::{Day, End, FREQUENCIES, Frequency, Rule, WEEKDAYS},
};

/// Every day of a month from both ends and every weekday stay far below.
const MOST: usize = 500;

const FREQ: &str = "DAILY, WEEKLY, MONTHLY or YEARLY";
const TO_1000: &str = "a whole number from 1 to 1000";
const MONTH: &str = "months from 1 to 12";
const MONTH_DAY: &str = "days from 1 to 31, or from -1 to -31 from the end of the month";
const DAY: &str = "weekdays such as MO, with a number from 1 to 53 or -1 to -53 in front at most";
const POSITION: &str = "numbers from 1 to 366, or from -1 to -366 from the end";
const UNTIL: &str = "a date such as 20261231 or an instant such as 20261231T080000Z";
const WEEKDAY: &str = "a weekday such as MO";

impl FromStr for Rule {
    type Err = RecurrenceFault;

    fn from_str(text: &str) -> Result<Self, RecurrenceFault> {
        if text.len() > MOST {
            return Err(RecurrenceFault::TooLong(MOST));
        }
        let text = text.to_ascii_uppercase();
        let mut parts = Parts::default();
        for part in text.strip_prefix("RRULE:").unwrap_or(&text).split(';') {
            let (name, value) = part.split_once('=').ok_or(RecurrenceFault::NotARule)?;
            parts.add(name, value)?;
        }
        parts.rule()
    }
}

/// Any part but the frequency, as a pattern.
macro_rules! part {
    () => {
        concat!(
            "(?:INTERVAL=(?:1000|[1-9][0-9]{0,2})|COUNT=(?:1000|[1-9][0-9]{0,2})|WKST=(?:MO|TU|WE|TH|FR|SA|SU)",
            "|UNTIL=(?:19[7-9]|[2-8][0-9]{2}|9[0-8][0-9])[0-9](?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])",
            "(?:T(?:[01][0-9]|2[0-3])(?:[0-5][0-9]){2}Z)?",
            "|BYMONTH=(?:1[0-2]|[1-9])(?:,(?:1[0-2]|[1-9]))*",
            "|BYMONTHDAY=[+-]?(?:3[01]|[12][0-9]|[1-9])(?:,[+-]?(?:3[01]|[12][0-9]|[1-9]))*",
            "|BYSETPOS=[+-]?(?:36[0-6]|3[0-5][0-9]|[12][0-9]{2}|[1-9][0-9]?)",
            "(?:,[+-]?(?:36[0-6]|3[0-5][0-9]|[12][0-9]{2}|[1-9][0-9]?))*",
            "|BYDAY=(?:[+-]?(?:5[0-3]|[1-4][0-9]|[1-9]))?(?:MO|TU|WE|TH|FR|SA|SU)",
            "(?:,(?:[+-]?(?:5[0-3]|[1-4][0-9]|[1-9]))?(?:MO|TU|WE|TH|FR|SA|SU))*)",
        )
    };
}

crate::input::parsed_field!(Rule);
// How often a part may stand there, and what goes with what, no pattern tells.
crate::schema::reads_as_text!(
    Rule,
    "A rule of recurrence: a subset of RFC 5545's RRULE.",
    "FREQ=WEEKLY;BYDAY=MO",
    max_length: MOST,
    pattern: concat!("^(?:RRULE:)?(?:", part!(), ";)*FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)(?:;", part!(), ")*$"),
);

#[derive(Default)]
struct Parts {
    frequency: Option<Frequency>,
    interval: Option<u16>,
    months: Option<Vec<i8>>,
    month_days: Option<Vec<i8>>,
    days: Option<Vec<Day>>,
    positions: Option<Vec<i16>>,
    count: Option<u16>,
    until: Option<End>,
    week_start: Option<Weekday>,
}

/// A part that has come; its second coming is a fault.
fn once<T>(
    slot: &mut Option<T>,
    part: &'static str,
    rule: &'static str,
    value: Option<T>,
) -> Result<(), RecurrenceFault> {
    let value = value.ok_or(RecurrenceFault::Value { part, rule })?;
    slot.replace(value).map_or(Ok(()), |_| Err(RecurrenceFault::Twice(part)))
}

impl Parts {
    fn add(&mut self, name: &str, value: &str) -> Result<(), RecurrenceFault> {
        match name {
            "FREQ" => once(&mut self.frequency, "FREQ", FREQ, named(&FREQUENCIES, value)),
            "INTERVAL" => once(&mut self.interval, "INTERVAL", TO_1000, to_1000(value)),
            "COUNT" => once(&mut self.count, "COUNT", TO_1000, to_1000(value)),
            "UNTIL" => once(&mut self.until, "UNTIL", UNTIL, until(value)),
            "WKST" => once(&mut self.week_start, "WKST", WEEKDAY, named(&WEEKDAYS, value)),
            "BYMONTH" => once(&mut self.months, "BYMONTH", MONTH, numbers(value, 12, false)),
            "BYMONTHDAY" => once(&mut self.month_days, "BYMONTHDAY", MONTH_DAY, numbers(value, 31, true)),
            "BYSETPOS" => once(&mut self.positions, "BYSETPOS", POSITION, numbers(value, 366, true)),
            "BYDAY" => once(&mut self.days, "BYDAY", DAY, days(value)),
            _ => Err(RecurrenceFault::UnknownPart),
        }
    }

    fn rule(self) -> Result<Rule, RecurrenceFault> {
        let frequency = self.frequency.ok_or(RecurrenceFault::Value { part: "FREQ", rule: FREQ })?;
        let end = match (self.count, self.until) {
            (Some(_), Some(_)) => return Err(RecurrenceFault::TwoEnds),
            (Some(count), None) => End::Count(count),
            (None, until) => until.unwrap_or(End::Never),
        };
        let rule = Rule {
            frequency,
            interval: self.interval.unwrap_or(1),
            months: self.months.unwrap_or_default(),
            month_days: self.month_days.unwrap_or_default(),
            days: self.days.unwrap_or_default(),
            positions: self.positions.unwrap_or_default(),
            end,
            week_start: self.week_start.unwrap_or(Weekday::Monday),
        };
        let has_months = matches!(frequency, Frequency::Monthly | Frequency::Yearly);
        let has_choice = !(rule.months.is_empty() && rule.month_days.is_empty() && rule.days.is_empty());
        if !has_months && rule.days.iter().any(|day| day.ordinal.is_some()) {
            Err(RecurrenceFault::Ordinal)
        } else if frequency == Frequency::Weekly && !rule.month_days.is_empty() {
            Err(RecurrenceFault::MonthDayInWeek)
        } else if !rule.positions.is_empty() && !has_choice {
            Err(RecurrenceFault::NothingToChoose)
        } else if rule.is_empty() {
            Err(RecurrenceFault::Never)
        } else {
            Ok(rule)
        }
    }
}

fn named<T: Copy>(names: &[(&str, T)], value: &str) -> Option<T> {
    names.iter().find(|(name, _)| *name == value).map(|(_, known)| *known)
}

fn digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit())
}

fn to_1000(value: &str) -> Option<u16> {
    digits(value).then(|| value.parse().ok()).flatten().filter(|n| (1..=1000).contains(n))
}

/// 1 to `most`, below zero, too, if `signed`.
fn number<T: TryFrom<i16>>(value: &str, most: i16, signed: bool) -> Option<T> {
    let plain = if signed { value.strip_prefix(['+', '-']).unwrap_or(value) } else { value };
    let number: i16 = digits(plain).then(|| value.parse().ok()).flatten()?;
    if (1..=most).contains(&number.abs()) { T::try_from(number).ok() } else { None }
}

fn numbers<T: TryFrom<i16> + Ord>(value: &str, most: i16, signed: bool) -> Option<Vec<T>> {
    let mut all = value.split(',').map(|n| number(n, most, signed)).collect::<Option<Vec<T>>>()?;
    all.sort_unstable();
    all.dedup();
    Some(all)
}

fn days(value: &str) -> Option<Vec<Day>> {
    let mut all = value.split(',').map(day).collect::<Option<Vec<_>>>()?;
    all.sort_unstable_by_key(|day| (day.weekday.to_monday_zero_offset(), day.ordinal));
    all.dedup();
    Some(all)
}

fn day(value: &str) -> Option<Day> {
    let (ordinal, weekday) = value.split_at_checked(value.len().checked_sub(2)?)?;
    let ordinal = if ordinal.is_empty() { None } else { Some(number(ordinal, 53, true)?) };
    Some(Day { ordinal, weekday: named(&WEEKDAYS, weekday)? })
}

/// `20261231` or `20261231T080000Z`. A time without the Z would be somebody's, and nobody says whose.
fn until(value: &str) -> Option<End> {
    let field = |from: usize, to: usize| value.get(from..to).filter(|part| digits(part))?.parse::<i16>().ok();
    let small = |from: usize, to: usize| i8::try_from(field(from, to)?).ok();
    let date = civil::Date::new(field(0, 4)?, small(4, 6)?, small(6, 8)?).ok()?;
    if !(1970..=9998).contains(&date.year()) {
        return None;
    }
    match value.len() {
        8 => Some(End::Until(date)),
        16 if value.as_bytes()[8] == b'T' && value.ends_with('Z') => {
            let time = civil::Time::new(small(9, 11)?, small(11, 13)?, small(13, 15)?, 0).ok()?;
            let at: Timestamp = date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp();
            Some(End::UntilInstant(at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Fault;

    fn code(text: &str) -> &'static str {
        text.parse::<Rule>().unwrap_err().code()
    }

    #[test]
    fn a_rule_has_one_spelling() {
        for (given, written) in [
            ("FREQ=DAILY", "FREQ=DAILY"),
            ("rrule:interval=1;freq=daily", "FREQ=DAILY"),
            ("FREQ=WEEKLY;WKST=MO;BYDAY=FR,MO,FR", "FREQ=WEEKLY;BYDAY=MO,FR"),
            ("BYDAY=-1FR,+2MO;FREQ=MONTHLY;INTERVAL=02", "FREQ=MONTHLY;INTERVAL=2;BYDAY=2MO,-1FR"),
            (
                "FREQ=YEARLY;COUNT=3;BYSETPOS=-1,1;BYMONTHDAY=31,-1;BYMONTH=12,2;WKST=SU",
                "FREQ=YEARLY;BYMONTH=2,12;BYMONTHDAY=-1,31;BYSETPOS=-1,1;COUNT=3;WKST=SU",
            ),
            ("FREQ=DAILY;UNTIL=20261231", "FREQ=DAILY;UNTIL=20261231"),
            ("FREQ=DAILY;UNTIL=20261231T080000Z", "FREQ=DAILY;UNTIL=20261231T080000Z"),
        ] {
            let rule: Rule = given.parse().unwrap();
            assert_eq!(rule.to_string(), written);
            assert_eq!(written.parse::<Rule>().unwrap(), rule);
        }
    }

    #[test]
    fn what_the_standard_forbids_is_refused_by_name() {
        for bad in ["", "DAILY", "FREQ", "FREQ=DAILY;", ";FREQ=DAILY", "RRULE:", "FREQ=DAILY\nINTERVAL=2;X"] {
            assert!(matches!(code(bad), "not_a_recurrence_rule" | "rule_part_not_valid"), "{bad:?}");
        }
        for bad in ["FREQ=DAILY;BYHOUR=9", "FREQ=YEARLY;BYWEEKNO=1", "FREQ=DAILY;X-A=1", "FREQ=DAILY; COUNT=2"] {
            assert_eq!(code(bad), "rule_part_unknown", "{bad}");
        }
        for bad in [
            "INTERVAL=2",
            "FREQ=HOURLY",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;INTERVAL=1001",
            "FREQ=DAILY;INTERVAL=+1",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;COUNT=1001",
            "FREQ=DAILY;COUNT=99999999999",
            "FREQ=DAILY;BYMONTH=0",
            "FREQ=DAILY;BYMONTH=-1",
            "FREQ=DAILY;BYMONTH=13",
            "FREQ=DAILY;BYMONTH=1,",
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "FREQ=MONTHLY;BYMONTHDAY=-32",
            "FREQ=MONTHLY;BYMONTHDAY=--1",
            "FREQ=MONTHLY;BYDAY=0MO",
            "FREQ=MONTHLY;BYDAY=54MO",
            "FREQ=MONTHLY;BYDAY=M",
            "FREQ=MONTHLY;BYDAY=1\u{e4}",
            "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367",
            "FREQ=DAILY;UNTIL=20260230",
            "FREQ=DAILY;UNTIL=20261231T080000",
            "FREQ=DAILY;UNTIL=20261231T250000Z",
            "FREQ=DAILY;UNTIL=2026123\u{e4}",
            "FREQ=DAILY;UNTIL=20261231T08000\u{e4}Z",
            "FREQ=DAILY;UNTIL=20261231T08000\u{e4}",
            "FREQ=DAILY;UNTIL=2026123\u{e4}080000Z",
            "FREQ=DAILY;UNTIL=99991231",
            "FREQ=DAILY;WKST=XX",
        ] {
            assert_eq!(code(bad), "rule_part_not_valid", "{bad}");
        }
        assert_eq!(code("FREQ=DAILY;COUNT=2;COUNT=2"), "rule_part_twice");
        assert_eq!(code("FREQ=DAILY;COUNT=2;UNTIL=20261231"), "count_or_until");
        assert_eq!(code("FREQ=WEEKLY;BYDAY=2MO"), "ordinal_needs_month");
        assert_eq!(code("FREQ=DAILY;BYDAY=-1MO"), "ordinal_needs_month");
        assert_eq!(code("FREQ=WEEKLY;BYMONTHDAY=1"), "monthday_in_week");
        assert_eq!(code("FREQ=MONTHLY;BYSETPOS=1"), "setpos_needs_choice");
        assert_eq!(code(&format!("FREQ=DAILY;BYMONTH=1{}", ",1".repeat(300))), "too_long");
    }

    #[test]
    fn a_rule_that_never_occurs_is_refused() {
        for bad in [
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=DAILY;BYMONTH=4,6,9,11;BYMONTHDAY=31",
            "FREQ=MONTHLY;BYDAY=6MO",
            "FREQ=DAILY;BYDAY=MO;BYSETPOS=2",
            "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=-2",
            "FREQ=YEARLY;BYMONTH=1;BYDAY=1MO;BYMONTHDAY=8",
        ] {
            assert_eq!(code(bad), "recurs_never", "{bad}");
        }
        assert!("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO".parse::<Rule>().is_ok());
    }
}
