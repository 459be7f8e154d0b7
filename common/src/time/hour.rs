//! A time of day, as people set it.

use std::{fmt, str::FromStr};

use jiff::civil;
use serde::Serialize;

use super::TimeFault;

/// `09:00`: what a wall clock shows, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour(civil::Time);

impl Hour {
    /// When dates count as come, and digests go out, unless somebody wants it otherwise.
    pub const MORNING: Self = Self(civil::time(9, 0, 0, 0));

    /// What was stored.
    #[must_use]
    pub fn stored(time: jiff_sqlx::Time) -> Self {
        Self(time.to_jiff())
    }

    /// The time.
    #[must_use]
    pub fn time(self) -> civil::Time {
        self.0
    }

    /// For storing.
    #[must_use]
    pub fn sql(self) -> jiff_sqlx::Time {
        self.0.into()
    }
}

impl FromStr for Hour {
    type Err = TimeFault;

    fn from_str(text: &str) -> Result<Self, TimeFault> {
        let digits = |part: &str| {
            let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<i8>().ok().filter(|_| plain).ok_or(TimeFault::NotAnHour)
        };
        let (hour, minute) = text.split_once(':').ok_or(TimeFault::NotAnHour)?;
        civil::Time::new(digits(hour)?, digits(minute)?, 0, 0).map(Self).map_err(|_| TimeFault::NotAnHour)
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl Serialize for Hour {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

crate::input::parsed_field!(Hour);
crate::schema::reads_as_text!(
    Hour,
    "A time of day, to the minute.",
    "09:00",
    pattern: "^(?:[01][0-9]|2[0-3]):[0-5][0-9]$",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_written_in_one_way() {
        for text in ["00:00", "09:05", "23:59"] {
            assert_eq!(text.parse::<Hour>().map(|hour| hour.to_string()).as_deref(), Ok(text));
        }
        for text in ["9:00", "24:00", "23:60", "09:00:00", "+9:00", "09.00", "", "0900", "٠٩:٠٠"] {
            assert_eq!(text.parse::<Hour>(), Err(TimeFault::NotAnHour), "{text}");
        }
    }
}
