//! How late a reminder is still of use.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::Serialize;

use super::TimeFault;

/// An ISO 8601 duration of one minute to thirty days. It is exact: a day is 24 hours.
#[derive(Clone, Copy, Debug)]
pub struct SkipAfter(Span);

const LEAST: SignedDuration = SignedDuration::from_mins(1);
const MOST: SignedDuration = SignedDuration::from_hours(30 * 24);

impl PartialEq for SkipAfter {
    fn eq(&self, other: &Self) -> bool {
        self.exact() == other.exact()
    }
}

impl SkipAfter {
    /// How long that is.
    #[must_use]
    pub fn exact(self) -> SignedDuration {
        // Asked when it was read: it has neither months nor years.
        self.0.to_duration(SpanRelativeTo::days_are_24_hours()).unwrap_or(MOST)
    }
}

impl FromStr for SkipAfter {
    type Err = TimeFault;

    fn from_str(text: &str) -> Result<Self, TimeFault> {
        let span: Span = text.parse().map_err(|_| TimeFault::NotAnOffset)?;
        if span.get_years() != 0 || span.get_months() != 0 || !text.starts_with('P') {
            return Err(TimeFault::NotAnOffset);
        }
        let exact = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| TimeFault::LatenessRange)?;
        if (LEAST..=MOST).contains(&exact) { Ok(Self(span)) } else { Err(TimeFault::LatenessRange) }
    }
}

impl fmt::Display for SkipAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for SkipAfter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Hours, minutes and seconds, as a pattern.
macro_rules! time {
    () => {
        "T(?:[0-9]{1,3}H(?:[0-9]{1,5}M)?(?:[0-9]{1,7}S)?|[0-9]{1,5}M(?:[0-9]{1,7}S)?|[0-9]{1,7}S)"
    };
}

crate::input::parsed_field!(SkipAfter);
// Where it begins and ends, no pattern tells.
crate::schema::reads_as_text!(
    SkipAfter,
    "An ISO 8601 duration from one minute to thirty days. It is exact: a day is 24 hours.",
    "PT1H",
    pattern: concat!(
        "^P(?:(?:[0-4]W(?:[0-9]{1,2}D)?|[0-9]{1,2}D)(?:",
        time!(),
        ")?|",
        time!(),
        ")$"
    ),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_exact_and_has_two_ends() {
        let exact = |text: &str| text.parse::<SkipAfter>().map(SkipAfter::exact);
        assert_eq!(exact("PT1M"), Ok(LEAST));
        assert_eq!(exact("P30D"), Ok(MOST));
        assert_eq!(exact("P1DT1H"), Ok(SignedDuration::from_hours(25)));
        for text in ["PT59S", "P30DT1S", "P5W", "PT0S", "P9999D"] {
            assert_eq!(exact(text), Err(TimeFault::LatenessRange), "{text}");
        }
        for text in ["-PT1H", "P1M", "P1Y", "1h", "", "+PT1H"] {
            assert_eq!(exact(text), Err(TimeFault::NotAnOffset), "{text}");
        }
    }
}
