//! When: due values, offsets, zones and recurrence. Pure; the present is always an argument.

mod daily;
mod due;
mod instant;
mod offset;
pub mod recurrence;
mod written;
mod zone;

pub use daily::next_at;
pub use due::{Due, DueColumns, When, WhenColumns};
pub use instant::{Instant, Moment};
pub(crate) use offset::Ahead;
pub use offset::Offset;
pub use recurrence::Recurrence;
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
            Self::OneForm(_) => "one_form",
            Self::ZoneAndLocal => "local_needs_zone",
            Self::OutOfRange => "out_of_range",
        }
    }
}
