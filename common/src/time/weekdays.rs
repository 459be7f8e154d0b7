//! Days of the week, as people choose them.

use deserr::Deserr;
use jiff::civil::Weekday;
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ArrayBuilder, ObjectBuilder, Type},
    },
};

use super::TimeFault;
use crate::input::Faults;

const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A set of days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weekdays(u8);

impl Weekdays {
    const ALL: u8 = 127;

    /// What was stored: a bit for each day, Monday is 1.
    #[must_use]
    pub fn stored(bits: i16) -> Self {
        Self(u8::try_from(bits & i16::from(Self::ALL)).unwrap_or_default())
    }

    /// For storing.
    #[must_use]
    pub fn sql(self) -> i16 {
        i16::from(self.0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a day is among them.
    #[must_use]
    pub fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }

    fn of(days: Vec<Day>) -> Result<Self, TimeFault> {
        days.into_iter().try_fold(Self::default(), |Self(known), day| {
            let bit = 1 << (day as u8);
            if known & bit == 0 { Ok(Self(known | bit)) } else { Err(TimeFault::DayTwice) }
        })
    }
}

impl Serialize for Weekdays {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(NAMES.iter().enumerate().filter(|(day, _)| self.0 & (1 << day) != 0).map(|(_, name)| name))
    }
}

/// Days on which somebody wants to hear nothing: not all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserr)]
#[deserr(error = Faults, try_from(Vec<Day>) = Self::of -> TimeFault)]
pub struct DaysOff(pub Weekdays);

impl DaysOff {
    fn of(days: Vec<Day>) -> Result<Self, TimeFault> {
        let days = Weekdays::of(days)?;
        if days.0 == Weekdays::ALL { Err(TimeFault::NoDayLeft) } else { Ok(Self(days)) }
    }
}

/// Days on which something happens: at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserr)]
#[deserr(error = Faults, try_from(Vec<Day>) = Self::of -> TimeFault)]
pub struct SomeDays(pub Weekdays);

impl SomeDays {
    fn of(days: Vec<Day>) -> Result<Self, TimeFault> {
        let days = Weekdays::of(days)?;
        if days.is_empty() { Err(TimeFault::NoDay) } else { Ok(Self(days)) }
    }
}

/// A day, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserr)]
#[deserr(rename_all = lowercase, error = Faults)]
enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

fn schema(about: &str) -> ArrayBuilder {
    let name = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(NAMES));
    ArrayBuilder::new().items(name).unique_items(true).description(Some(about)).examples([["saturday", "sunday"]])
}

impl PartialSchema for Weekdays {
    fn schema() -> RefOr<Schema> {
        schema("Days of the week, from Monday on.").into()
    }
}
impl ToSchema for Weekdays {}

impl PartialSchema for DaysOff {
    fn schema() -> RefOr<Schema> {
        schema("Days of the week, not all of them.").max_items(Some(6)).into()
    }
}
impl ToSchema for DaysOff {}

impl PartialSchema for SomeDays {
    fn schema() -> RefOr<Schema> {
        schema("Days of the week, at least one.").min_items(Some(1)).into()
    }
}
impl ToSchema for SomeDays {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::input::read;

    #[test]
    fn days_are_named_once_and_one_is_left() {
        let off = |value| read::<DaysOff>(value).map_err(|faults| faults.0[0].code);
        let weekend = off(json!(["sunday", "saturday"])).unwrap().0;
        assert_eq!(serde_json::to_value(weekend).unwrap(), json!(["saturday", "sunday"]));
        assert_eq!((weekend.sql(), Weekdays::stored(96)), (96, weekend));
        assert!(weekend.has(Weekday::Sunday) && !weekend.has(Weekday::Monday));
        assert_eq!(off(json!(["monday", "monday"])), Err("repeated"));
        assert_eq!(off(json!(NAMES)), Err("no_day_left"));
        assert_eq!(off(json!(["Monday"])), Err("not_one_of"));
        assert_eq!(read::<SomeDays>(json!([])).map_err(|faults| faults.0[0].code), Err("empty"));
        assert_eq!(read::<SomeDays>(json!(NAMES)).map(|days| days.0.sql()), Ok(127));
    }
}
