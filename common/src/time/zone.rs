//! Time zones by IANA name.

use std::{fmt, str::FromStr};

use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use super::TimeFault;

/// A name that the zone database knows.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(
    value_type = String,
    max_length = 64,
    pattern = "^[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*$",
    example = "Europe/Berlin"
)]
pub struct TimeZoneName(TimeZone);

impl TimeZoneName {
    /// Coordinated Universal Time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// A stored name. One that the zone database has dropped counts as UTC: one bad zone never stops the others.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        name.parse().unwrap_or_else(|_| Self::utc())
    }

    /// The rules behind the name.
    #[must_use]
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl FromStr for TimeZoneName {
    type Err = TimeFault;

    fn from_str(name: &str) -> Result<Self, TimeFault> {
        let zone = TimeZone::get(name).map_err(|_| TimeFault::NotAZone)?;
        if zone.iana_name().is_some() { Ok(Self(zone)) } else { Err(TimeFault::NotAZone) }
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TimeZoneName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

crate::input::parsed_field!(TimeZoneName);
