//! How points in time are written, for the API's description: nothing is read by these types.

use utoipa::openapi::schema::{KnownFormat, SchemaFormat};

use super::Instant;
use crate::schema::reads_as_text;

/// A year that people and Postgres both write with four digits.
macro_rules! year {
    () => {
        "(?:19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])"
    };
}

/// A day that the calendar has.
macro_rules! day {
    () => {
        concat!(
            "(?:",
            year!(),
            "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))",
            "|(?:19(?:7[26]|8[048]|9[26])|[2-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[3579][26])00)-02-29)"
        )
    };
}

/// A day.
#[derive(Debug)]
pub(crate) enum Day {}

/// What a wall clock shows.
#[derive(Debug)]
pub(crate) enum LocalTime {}

reads_as_text!(
    Day,
    "A day of the years 1970 to 9998.",
    "2031-03-01",
    format: SchemaFormat::KnownFormat(KnownFormat::Date),
    pattern: concat!("^", year!(), "-")
);
reads_as_text!(
    LocalTime,
    "What a wall clock shows, without an offset; of the years 1970 to 9998.",
    "2031-03-01T09:00:00",
    pattern: concat!("^", day!(), r"T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?$")
);
reads_as_text!(
    Instant,
    "An instant of the years 1970 to 9998, to the microsecond.",
    "2031-03-01T08:00:00Z",
    format: SchemaFormat::KnownFormat(KnownFormat::DateTime),
    pattern: concat!("^", year!(), "-")
);
