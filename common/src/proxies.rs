//! Whose word counts when a request says that it comes from somewhere else.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

/// The networks of our own reverse proxies. None by default: then `X-Forwarded-For` is what anybody may write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TrustedProxies(Vec<IpNet>);

/// The list cannot be read; tells which entry, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxiesFault {
    /// Neither address nor network.
    #[error("entry {0} is neither an address nor a network such as 10.1.0.0/16")]
    NotANetwork(usize),
    /// `0.0.0.0/0` or `::/0`.
    #[error("entry {0} would believe everybody")]
    Everybody(usize),
}

impl FromStr for TrustedProxies {
    type Err = ProxiesFault;

    fn from_str(text: &str) -> Result<Self, ProxiesFault> {
        let entries = (1..).zip(text.split(',').map(str::trim)).filter(|(_, entry)| !entry.is_empty());
        entries.map(|(place, entry)| network(place, entry)).collect::<Result<_, _>>().map(Self)
    }
}

impl TryFrom<String> for TrustedProxies {
    type Error = ProxiesFault;

    fn try_from(text: String) -> Result<Self, ProxiesFault> {
        text.parse()
    }
}

impl TrustedProxies {
    /// Where a request comes from, whose connection comes from `peer`. More than one header is one with its values joined by
    /// commas, in their order.
    ///
    /// Each proxy adds on the right the address it sees. So the list is read from the right for as long as the one who
    /// wrote is trusted; the rest is whatever the client made up.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, forwarded_for: Option<&str>) -> IpAddr {
        let mut address = peer.to_canonical();
        for hop in forwarded_for.into_iter().flat_map(|hops| hops.rsplit(',')) {
            match self::address(hop) {
                Some(next) if self.trust(address) => address = next,
                // Nobody to believe, or nothing: the last one who is known.
                _ => break,
            }
        }
        address
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network(place: usize, text: &str) -> Result<IpNet, ProxiesFault> {
    let alone = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse().or_else(|_| alone()).map_err(|_| ProxiesFault::NotANetwork(place))?;
    let network = match network {
        // Written as a socket of both kinds shows it. Addresses are compared without that.
        IpNet::V6(mapped) if mapped.prefix_len() >= 96 => {
            let v4 = mapped.addr().to_ipv4_mapped().and_then(|v4| Ipv4Net::new(v4, mapped.prefix_len() - 96).ok());
            v4.map_or(network, IpNet::V4)
        }
        _ => network,
    };
    if network.prefix_len() == 0 { Err(ProxiesFault::Everybody(place)) } else { Ok(network) }
}

/// An address as proxies write it: bare, with a port, in brackets.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|inner| inner.contains(':'));
    let address = bare.unwrap_or(hop).parse().or_else(|_| hop.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded_for: &str) -> String {
        let trusted: TrustedProxies = trusted.parse().unwrap();
        trusted.client_address(peer.parse().unwrap(), Some(forwarded_for)).to_string()
    }

    #[test]
    fn a_stranger_cannot_claim_another_address() {
        for trusted in ["", "10.0.0.0/8", "fd00::/8, 10.0.0.0/8"] {
            for claim in ["192.0.2.1", "10.0.0.1", "10.0.0.1, 192.0.2.1", "::1", "unknown"] {
                assert_eq!(client(trusted, "198.51.100.7", claim), "198.51.100.7", "{trusted} {claim}");
            }
        }
        let nobody = TrustedProxies::default();
        assert_eq!(nobody.client_address(IpAddr::from([10, 0, 0, 1]), Some("192.0.2.1")), IpAddr::from([10, 0, 0, 1]));
    }

    #[test]
    fn what_a_client_wrote_left_of_its_own_address_is_not_read() {
        let through = |hops: &str| client("10.0.0.0/8", "10.0.0.1", hops);
        assert_eq!(through("192.0.2.1"), "192.0.2.1");
        assert_eq!(through("203.0.113.9, 192.0.2.1"), "192.0.2.1");
        assert_eq!(through("10.9.9.9, 192.0.2.1"), "192.0.2.1");
        assert_eq!(through("203.0.113.9,192.0.2.1 , 10.0.0.3,10.0.0.2"), "192.0.2.1", "over two proxies more");
        assert_eq!(through("10.0.0.3, 10.0.0.2"), "10.0.0.3", "somebody inside");
    }

    #[test]
    fn garbage_ends_the_list() {
        let through = |hops: &str| client("10.0.0.0/8", "10.0.0.1", hops);
        for garbage in [
            "",
            " ",
            "unknown",
            "_hidden",
            "for=192.0.2.1",
            "192.0.2.1 192.0.2.2",
            "192.0.2.256",
            "[192.0.2.1]",
            "\u{0}",
        ] {
            assert_eq!(through(garbage), "10.0.0.1", "{garbage:?}");
            assert_eq!(through(&format!("192.0.2.1, {garbage}")), "10.0.0.1", "{garbage:?}");
            assert_eq!(through(&format!("{garbage}, 10.0.0.2")), "10.0.0.2", "{garbage:?}");
            assert_eq!(through(&format!("{garbage}, 192.0.2.1")), "192.0.2.1", "{garbage:?}");
        }
        let trusted: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        assert_eq!(trusted.client_address(IpAddr::from([10, 0, 0, 1]), None), IpAddr::from([10, 0, 0, 1]));
    }

    #[test]
    fn ports_brackets_and_both_kinds_of_address_are_understood() {
        let through = |hops: &str| client("10.0.0.0/8, fd00::/8", "10.0.0.1", hops);
        assert_eq!(through("192.0.2.1:4711"), "192.0.2.1");
        assert_eq!(through("2001:db8::1"), "2001:db8::1");
        assert_eq!(through("[2001:db8::1]"), "2001:db8::1");
        assert_eq!(through("[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(through("192.0.2.1, [fd00::2]:80, ::ffff:10.0.0.2"), "192.0.2.1");
        assert_eq!(through("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(client("10.0.0.0/8", "::ffff:10.0.0.1", "192.0.2.1"), "192.0.2.1", "a socket of both kinds");
        assert_eq!(client("::ffff:10.0.0.0/104", "10.0.0.1", "192.0.2.1"), "192.0.2.1");
        assert_eq!(client("127.0.0.1", "127.0.0.1", "192.0.2.1"), "192.0.2.1", "a single address");
        assert_eq!(client("127.0.0.1", "127.0.0.2", "192.0.2.1"), "127.0.0.2", "a single address");
    }

    #[test]
    fn a_list_of_proxies_is_read_whole_or_not_at_all() {
        assert_eq!("".parse(), Ok(TrustedProxies::default()));
        assert_eq!(" , ".parse(), Ok(TrustedProxies::default()));
        for bad in ["10.0.0.0/33", "proxy.example.org", "10.0.0.0/8 fd00::/8", "10.0.0.0/8, x", "[::1]", "10.0.0.1:80"]
        {
            assert!(matches!(bad.parse::<TrustedProxies>(), Err(ProxiesFault::NotANetwork(_))), "{bad}");
        }
        for everybody in ["0.0.0.0/0", "::/0", "10.0.0.0/8, ::/0", "::ffff:0.0.0.0/96"] {
            assert!(matches!(everybody.parse::<TrustedProxies>(), Err(ProxiesFault::Everybody(_))), "{everybody}");
        }
    }

    #[test]
    fn proxies_are_a_setting_and_nobody_is_trusted_by_default() {
        let read = |value: Option<&str>| {
            let variable = value.map(|value| ("TASKBELL_TRUSTED_PROXIES".to_owned(), value.to_owned()));
            crate::config::Settings::from_variables(variable).map(|settings| settings.trusted_proxies)
        };
        assert_eq!(read(None).unwrap(), TrustedProxies::default());
        assert_eq!(read(Some("")).unwrap(), TrustedProxies::default());
        assert_eq!(read(Some("10.0.0.0/8,::1")).unwrap(), "10.0.0.0/8, ::1/128".parse().unwrap());
        let said = read(Some("10.0.0.0/8,nonsense")).unwrap_err().to_string();
        assert!(said.contains("TASKBELL_TRUSTED_PROXIES") && said.contains("entry 2"), "{said}");
    }

    #[test]
    fn a_list_that_is_read_names_its_networks() {
        let samples =
            ["10.0.0.0/8, fd00::/8", "127.0.0.1,::1,192.168.0.0/16", "::ffff:10.0.0.0/104"].map(str::to_owned);
        let mut read = 0;
        for text in crate::noise::texts(&samples) {
            let Ok(proxies) = text.parse::<TrustedProxies>() else { continue };
            let written = proxies.0.iter().map(IpNet::to_string).collect::<Vec<_>>().join(",");
            assert_eq!(written.parse(), Ok(proxies), "{text:?}");
            read += 1;
        }
        assert!((1000..10_000).contains(&read), "{read}");
    }

    #[test]
    fn whatever_a_header_says_the_client_is_one_it_names_or_a_proxy() {
        let trusted: TrustedProxies = "10.0.0.0/8, fd00::/8".parse().unwrap();
        let (proxy, stranger) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([198, 51, 100, 7]));
        let samples =
            ["192.0.2.1, 10.0.0.2", "[2001:db8::1]:80,fd00::2", "203.0.113.9:1, 192.0.2.1"].map(str::to_owned);
        let mut believed = 0;
        for header in crate::noise::texts(&samples) {
            assert_eq!(trusted.client_address(stranger, Some(&header)), stranger);
            let client = trusted.client_address(proxy, Some(&header));
            assert!(client == proxy || header.split(',').any(|hop| address(hop) == Some(client)), "{header:?}");
            believed += usize::from(client != proxy);
        }
        assert!((1000..19_000).contains(&believed), "{believed}");
    }
}
