//! How many requests there may be in how long: settings of the operator's. The API counts.

use std::{num::NonZeroU32, str::FromStr, time::Duration};

/// What a deployment lets through; nothing is counted where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// With one credential.
    pub credential: Option<Rate>,
    /// From one address of IPv4, or one network of 64 bits of IPv6.
    pub address: Option<Rate>,
}

/// A bucket that holds so many requests, and is full again after so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once.
    pub requests: NonZeroU32,
    /// In how long as many more.
    pub seconds: NonZeroU32,
}

impl Rate {
    /// What one request costs.
    #[must_use]
    pub fn seconds_each(self) -> Duration {
        Duration::from_secs(u64::from(self.seconds.get())) / self.requests.get()
    }
}

/// The setting is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is neither requests and seconds, such as 600/60 (both up to a million), nor `off`")]
pub struct NotARate;

/// More would leave no time between two requests.
const MOST: u32 = 1_000_000;

impl Default for Rates {
    /// Far above what people do and below what hurts: a client gone wild is slowed down, and nobody else notices either.
    fn default() -> Self {
        Self { credential: rate(6_000), address: rate(30_000) }
    }
}

fn rate(requests_a_minute: u32) -> Option<Rate> {
    Some(Rate { requests: NonZeroU32::new(requests_a_minute)?, seconds: NonZeroU32::new(60)? })
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let (requests, seconds) = text.split_once('/').ok_or(NotARate)?;
        let number = |text: &str| match text.trim().parse::<NonZeroU32>() {
            Ok(number) if number.get() <= MOST => Ok(number),
            _ => Err(NotARate),
        };
        Ok(Self { requests: number(requests)?, seconds: number(seconds)? })
    }
}

/// A rate, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting(pub(crate) Option<Rate>);

impl FromStr for Setting {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        if matches!(text, "off" | "0") { Ok(Self(None)) } else { text.parse().map(|rate| Self(Some(rate))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn read(value: &str) -> Result<Rates, String> {
        let variable = ("TASKBELL_RATE_ADDRESS".to_owned(), value.to_owned());
        Settings::from_variables([variable]).map(|settings| settings.rates()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_rate_is_a_number_of_requests_in_a_number_of_seconds_or_off() {
        let usual = Rates::default();
        let ten = "10/60".parse().ok();
        assert_eq!(read(""), Ok(usual));
        assert_eq!(read(" 10 / 60 "), Ok(Rates { address: ten, ..usual }));
        for off in ["off", "0"] {
            assert_eq!(read(off), Ok(Rates { address: None, ..usual }), "{off}");
        }
        for bad in ["10", "10/0", "0/10", "/", "-1/60", "10/60/60", "ten/60", "1000001/60", "none"] {
            let said = read(bad).unwrap_err();
            assert!(said.contains("TASKBELL_RATE_ADDRESS") && said.contains("600/60"), "{bad}: {said}");
        }
    }
}
