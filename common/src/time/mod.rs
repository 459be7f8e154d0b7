//! When: due values, offsets, zones and recurrence. Pure; the present is always an argument.

mod daily;
mod due;
mod hour;
mod instant;
mod lateness;
mod offset;
mod quiet;
pub mod recurrence;
mod weekdays;
mod written;
mod zone;

pub use daily::next_at;
pub use due::{Due, DueColumns, When, WhenColumns};
pub use hour::Hour;
pub use instant::{Instant, Moment};
pub use lateness::SkipAfter;
pub(crate) use offset::Ahead;
pub use offset::Offset;
pub use quiet::{Quiet, QuietHours};
pub use recurrence::Recurrence;
pub use weekdays::{DaysOff, SomeDays, Weekdays};
pub(crate) use written::LocalTime;
pub use zone::TimeZoneName;

use crate::input::Fault;

/// Why a point in time was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeFault {
    /// Not `2026-12-01`.
    #[error("must be a date such as 2026-12-01")]
    NotADate,
    /// Not a local time.
    #[error("must be a local time such as 2026-12-01T09:00, without an offset")]
    NotALocalTime,
    /// Not an instant.
    #[error("must be an instant such as 2026-12-01T08:00:00Z, with an offset")]
    NotAnInstant,
    /// Not in the IANA database.
    #[error("must be an IANA time zone such as Europe/Berlin")]
    NotAZone,
    /// Not a duration.
    #[error("must be an ISO 8601 duration such as -PT15M or -P1D")]
    NotAnOffset,
    /// Not a time of day.
    #[error("must be a time of day such as 09:00")]
    NotAnHour,
    /// A day that is named twice.
    #[error("names a day twice")]
    DayTwice,
    /// Every day is off.
    #[error("must leave a day")]
    NoDayLeft,
    /// No day at all.
    #[error("must have a day")]
    NoDay,
    /// A window that ends when it begins.
    #[error("must end at another time than it begins")]
    EmptyWindow,
    /// Too short or too long to wait.
    #[error("must be from one minute to thirty days")]
    LatenessRange,
    /// Neither or several of the forms.
    #[error("must have exactly one of the forms: {0}")]
    OneForm(&'static str),
    /// A local time is never guessed to be in some zone.
    #[error("a local time needs its time_zone, and a time_zone its local time")]
    ZoneAndLocal,
    /// Outside of what can be computed with.
    #[error("is too far away")]
    OutOfRange,
}

impl Fault for TimeFault {
    fn code(&self) -> &'static str {
        match self {
            Self::NotADate => "not_a_date",
            Self::NotALocalTime => "not_a_local_time",
            Self::NotAnInstant => "not_an_instant",
            Self::NotAZone => "not_a_time_zone",
            Self::NotAnOffset => "not_a_duration",
            Self::NotAnHour => "not_a_time_of_day",
            Self::DayTwice => "repeated",
            Self::NoDayLeft => "no_day_left",
            Self::NoDay => "empty",
            Self::EmptyWindow => "empty_window",
            Self::OneForm(_) => "one_form",
            Self::ZoneAndLocal => "local_needs_zone",
            Self::OutOfRange | Self::LatenessRange => "out_of_range",
        }
    }
}
