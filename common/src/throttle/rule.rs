//! How tries get slower, and who is counted together. The arithmetic is `throttle` in the database.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

/// Delays that grow with each try.
///
/// A lock-out would be a weapon against the owner of an account; a delay that doubles costs whoever guesses more than it
/// costs whoever mistypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// So many tries cost nothing.
    pub(super) free: u32,
    /// The delay after one more; each further one doubles it.
    pub(super) first: Duration,
    /// No delay is longer.
    pub(super) most: Duration,
    /// In so long `free` tries are forgotten.
    pub(super) memory: Duration,
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
