//! On which days a rule falls: the calendar alone, without times and zones.
//!
//! A rule walks over periods (days, weeks, months, years), takes every `INTERVAL`th, keeps the days that match, and of these the ones
//! that `BYSETPOS` names. That is the table of RFC 5545 3.3.10, whose "expand" and "limit" are one and the same once the days of a
//! period are all looked at.

use std::{iter, vec};

use jiff::civil::{Date, Weekday, date};

use super::rule::{Day, End, Frequency, Rule};

/// The days of a rule, ascending, from the period `at` on; those before the start, too.
pub(super) struct Days {
    rule: Rule,
    start: Date,
    at: i64,
    ready: vec::IntoIter<Date>,
    /// How many periods in a row had none.
    dry: u32,
    /// How many may.
    patience: u32,
}

impl Rule {
    /// With the parts that the start implies (RFC 5545 3.3.10: "the appropriate values are derived from DTSTART").
    pub(super) fn filled(&self, start: Date) -> Self {
        let mut rule = self.clone();
        if !rule.month_days.is_empty() || !rule.days.is_empty() {
            return rule;
        }
        match rule.frequency {
            Frequency::Daily => {}
            Frequency::Weekly => rule.days = vec![Day { ordinal: None, weekday: start.weekday() }],
            Frequency::Monthly => rule.month_days = vec![start.day()],
            Frequency::Yearly => {
                rule.month_days = vec![start.day()];
                if rule.months.is_empty() {
                    rule.months = vec![start.month()];
                }
            }
        }
        rule
    }

    /// Whether no start at all would make it occur. The first of January implies nothing that is not there every year, and the 28 years
    /// from 2000 on have all the kinds of years that there are.
    pub(super) fn is_empty(&self) -> bool {
        let often = Self { interval: 1, end: End::Never, ..self.clone() };
        let start = date(2000, 1, 1);
        let all = Days::new(often.filled(start), start, 0);
        Days { patience: all.patience / 14, ..all }.next().is_none()
    }

    /// Which period, counted from that of the start, `day` is in or comes after.
    pub(super) fn period_of(&self, start: Date, day: Date) -> i64 {
        let between = match self.frequency {
            Frequency::Daily => days_between(start, day),
            Frequency::Weekly => days_between(week(start, self.week_start), day).div_euclid(7),
            Frequency::Monthly => months(day) - months(start),
            Frequency::Yearly => i64::from(day.year()) - i64::from(start.year()),
        };
        between.div_euclid(i64::from(self.interval)).max(0)
    }

    /// The first and last day of a period; none beyond the year 9998.
    fn period(&self, start: Date, at: i64) -> Option<(Date, Date)> {
        let steps = at.checked_mul(i64::from(self.interval))?;
        let (first, last) = match self.frequency {
            Frequency::Daily => {
                let day = later(start, steps)?;
                (day, day)
            }
            Frequency::Weekly => {
                let first = later(week(start, self.week_start), steps.checked_mul(7)?)?;
                (first, later(first, 6)?)
            }
            Frequency::Monthly => {
                let month = months(start) + steps;
                let year = i16::try_from(month.div_euclid(12)).ok()?;
                let first = Date::new(year, i8::try_from(month.rem_euclid(12)).ok()? + 1, 1).ok()?;
                (first, first.last_of_month())
            }
            Frequency::Yearly => {
                let year = i16::try_from(i64::from(start.year()) + steps).ok()?;
                (Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?)
            }
        };
        (last.year() <= 9998).then_some((first, last))
    }

    /// After so many periods the Gregorian calendar has been through all of its 400 years: what has not occurred never will.
    fn cycle(&self) -> u32 {
        match self.frequency {
            Frequency::Daily => 146_097,
            Frequency::Weekly => 20_871,
            Frequency::Monthly => 4_800,
            Frequency::Yearly => 400,
        }
    }

    fn matches(&self, day: Date) -> bool {
        (self.months.is_empty() || self.months.contains(&day.month()))
            && (self.month_days.is_empty()
                || self.month_days.contains(&day.day())
                || self.month_days.contains(&(day.day() - day.days_in_month() - 1)))
            && (self.days.is_empty() || self.days.iter().any(|wanted| self.is_day(day, *wanted)))
    }

    /// Numbers count within the year, if the rule is yearly and names no month, else within the month.
    fn is_day(&self, day: Date, wanted: Day) -> bool {
        let Some(ordinal) = wanted.ordinal else { return day.weekday() == wanted.weekday };
        let yearly = self.frequency == Frequency::Yearly && self.months.is_empty();
        let (place, length) = if yearly {
            (day.day_of_year(), day.days_in_year())
        } else {
            (i16::from(day.day()), i16::from(day.days_in_month()))
        };
        let number = if ordinal > 0 { (place - 1) / 7 + 1 } else { -((length - place) / 7 + 1) };
        day.weekday() == wanted.weekday && number == i16::from(ordinal)
    }

    fn chosen(&self, days: Vec<Date>) -> Vec<Date> {
        if self.positions.is_empty() {
            return days;
        }
        let count = i64::try_from(days.len()).unwrap_or(i64::MAX);
        let named = |n: usize| {
            let from_front = i64::try_from(n).unwrap_or(i64::MAX) + 1;
            self.positions.iter().any(|at| i64::from(*at) == from_front || i64::from(*at) == from_front - count - 1)
        };
        days.into_iter().enumerate().filter(|(n, _)| named(*n)).map(|(_, day)| day).collect()
    }
}

impl Days {
    /// `rule` is filled.
    pub(super) fn new(rule: Rule, start: Date, at: i64) -> Self {
        let patience = rule.cycle();
        Self { rule, start, at, ready: Vec::new().into_iter(), dry: 0, patience }
    }
}

impl Iterator for Days {
    type Item = Date;

    fn next(&mut self) -> Option<Date> {
        loop {
            if let Some(day) = self.ready.next() {
                self.dry = 0;
                return Some(day);
            }
            let (first, last) = self.rule.period(self.start, self.at)?;
            if self.dry > self.patience {
                return None;
            }
            self.dry += 1;
            self.at += 1;
            let days = iter::successors(Some(first), |day| day.tomorrow().ok().filter(|day| *day <= last));
            self.ready = self.rule.chosen(days.filter(|day| self.rule.matches(*day)).collect()).into_iter();
        }
    }
}

fn later(day: Date, days: i64) -> Option<Date> {
    day.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// The first day of its week.
fn week(day: Date, week_start: Weekday) -> Date {
    later(day, -i64::from(day.weekday().since(week_start))).unwrap_or(day)
}

fn months(day: Date) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month()) - 1
}
