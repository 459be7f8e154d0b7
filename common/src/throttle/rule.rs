//! How long to wait after how many failures, and who is counted together.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

/// Delays that grow with each failure.
///
/// A lock-out would be a weapon against the owner of an account; a delay that doubles costs whoever guesses more than it
/// costs whoever mistypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many failures cost nothing.
    pub free: u32,
    /// The delay after one failure more; each further one doubles it.
    pub first: Duration,
    /// No delay is longer.
    pub most: Duration,
    /// After so long without a failure all are forgotten.
    pub memory: Duration,
}

/// How long after the last of `failures` the next attempt is taken.
#[must_use]
pub fn delay(limit: Limit, failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(limit.free).and_then(|beyond| beyond.checked_sub(1)) else {
        return Duration::ZERO;
    };
    let times = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    limit.first.saturating_mul(times).min(limit.most)
}

/// The addresses that one attacker has: a single one of IPv4, a network of 64 bits of IPv6, where it may take any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressBlock(IpAddr);

impl From<IpAddr> for AddressBlock {
    fn from(address: IpAddr) -> Self {
        // ::ffff:192.0.2.1 is how a socket of both kinds shows 192.0.2.1.
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// One spelling for one block, to be counted under.
impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit {
        free: 3,
        first: Duration::from_secs(2),
        most: Duration::from_mins(5),
        memory: Duration::from_hours(24),
    };

    #[test]
    fn delays_begin_after_the_free_failures_double_and_stop_growing() {
        let seconds = |failures| delay(LIMIT, failures).as_secs();
        assert_eq!([0, 1, 2, 3].map(seconds), [0; 4]);
        assert_eq!([4, 5, 6, 7, 8, 9, 10, 11].map(seconds), [2, 4, 8, 16, 32, 64, 128, 256]);
        assert_eq!([12, 13, 34, 35, 36, 37, 1000, u32::MAX].map(seconds), [300; 8]);
    }

    #[test]
    fn no_failure_ever_shortens_a_delay() {
        let limits = [
            LIMIT,
            Limit { free: 0, ..LIMIT },
            Limit { free: u32::MAX, ..LIMIT },
            Limit { first: Duration::MAX, most: Duration::MAX, ..LIMIT },
            Limit { first: Duration::from_nanos(1), most: Duration::MAX, ..LIMIT },
        ];
        for limit in limits {
            let delays: Vec<_> = (0..200).map(|failures| delay(limit, failures)).collect();
            assert!(delays.is_sorted(), "{limit:?}");
            assert!(delays.iter().all(|delay| *delay <= limit.most), "{limit:?}");
        }
    }

    #[test]
    fn addresses_of_one_attacker_are_counted_together() {
        let block = |text: &str| AddressBlock::from(text.parse::<IpAddr>().unwrap()).to_string();
        assert_eq!(block("192.0.2.1"), "192.0.2.1");
        assert_eq!(block("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(block("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(block("2001:0DB8:1:2::"), block("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
        assert_eq!(block("::1"), "::/64");
    }
}
