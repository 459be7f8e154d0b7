//! An instant as a parameter or a field of its own.

use std::str::FromStr;

use jiff::{Timestamp, civil};
use jiff_sqlx::ToSqlx;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema, schema::AnyOfBuilder},
};

use super::{
    TimeFault,
    due::{day, instant},
    written::Day,
};

/// `2026-12-01T08:00:00Z`, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(Timestamp);

impl Instant {
    /// As a parameter of a statement.
    #[must_use]
    pub fn sql(self) -> jiff_sqlx::Timestamp {
        self.0.to_sqlx()
    }

    /// The moment itself.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        self.0
    }
}

impl FromStr for Instant {
    type Err = TimeFault;

    fn from_str(text: &str) -> Result<Self, TimeFault> {
        instant(text).map(Self)
    }
}

crate::input::parsed_field!(Instant);

/// A day or an instant, as a bound: `2026-12-01` or `2026-12-01T08:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A day, wherever it is lived through.
    Day(civil::Date),
    /// An instant.
    At(Instant),
}

impl FromStr for Moment {
    type Err = TimeFault;

    fn from_str(text: &str) -> Result<Self, TimeFault> {
        if text.len() > "2026-12-01".len() { text.parse().map(Self::At) } else { day(text).map(Self::Day) }
    }
}

crate::input::parsed_field!(Moment);

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new().item(Day::schema()).item(Instant::schema()).into()
    }
}

impl ToSchema for Moment {}
