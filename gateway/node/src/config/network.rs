//! Networks into which the node may call on an agency's behalf, and which addresses such a list lets through.
//!
//! INVARIANT: nothing is called that no listed network contains, and a range of special meaning (loopback, link-local with
//! its metadata services, private) only by a network that lies within that range: `0.0.0.0/0` opens none of them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Addresses with a common prefix, such as `10.20.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network such as `10.20.0.0/16`, first address and length of prefix")]
pub struct NotANetwork(String);

/// Ranges of special meaning (IANA special-purpose address registries), each opened by naming a part of it.
const SPECIAL: [&str; 20] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "2001::/23",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
];

impl Network {
    /// Whether the address is one of these.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                address.to_bits() & mask == first.to_bits()
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                address.to_bits() & mask == first.to_bits()
            }
            _ => false,
        }
    }

    /// Whether every address of `other` is one of these.
    fn holds(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.first)
    }
}

/// Whether a list of networks lets an address be called; an IPv4 address within IPv6 counts as the one that it is.
#[must_use]
pub fn may_call(networks: &[Network], address: IpAddr) -> bool {
    let address = match address {
        // Deprecated (RFC 4291 section 2.5.5.1), and a second way to write an IPv4 address.
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_none() && is_compatible(v6) => return false,
        other => other.to_canonical(),
    };
    let special: Vec<Network> = SPECIAL
        .iter()
        .filter_map(|text| text.parse().ok())
        .filter(|range: &Network| range.contains(address))
        .collect();
    let opens = |network: &&Network| special.iter().all(|range| range.holds(network));
    networks.iter().filter(|network| network.contains(address)).any(|network| opens(&network))
}

fn is_compatible(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    bits > 1 && bits <= u128::from(u32::MAX)
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let not_one = || NotANetwork(text.to_owned());
        let (first, bits) = text.split_once('/').ok_or_else(not_one)?;
        let first: IpAddr = first.parse().map_err(|_| not_one())?;
        let bits: u8 = bits.parse().map_err(|_| not_one())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let network = Self { first, bits };
        // The first address of the network and no other: a slip of the pen is told, not guessed.
        if bits <= most && network.contains(first) { Ok(network) } else { Err(not_one()) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn may(networks: &[&str], address: &str) -> bool {
        let networks: Vec<Network> = networks.iter().map(|text| text.parse().unwrap()).collect();
        may_call(&networks, address.parse().unwrap())
    }

    #[test]
    fn every_special_range_is_written_right() {
        assert!(SPECIAL.iter().all(|text| text.parse::<Network>().is_ok()));
    }

    #[test]
    fn with_no_network_listed_nothing_is_called() {
        assert!(!may(&[], "203.0.113.7") && !may(&[], "127.0.0.1"));
    }

    #[test]
    fn the_whole_internet_opens_neither_loopback_nor_metadata_nor_private_ranges() {
        let all = ["0.0.0.0/0", "::/0"];
        assert!(may(&all, "93.184.216.34") && may(&all, "2606:2800:220:1::1"));
        for address in [
            "127.0.0.1",
            "169.254.169.254",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.1.1",
            "100.100.100.200",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::1",
        ] {
            assert!(!may(&all, address), "{address}");
        }
    }

    #[test]
    fn a_private_network_that_is_named_is_called_and_its_neighbour_is_not() {
        let own = ["10.20.0.0/16", "127.0.0.0/8"];
        assert!(may(&own, "10.20.3.4") && may(&own, "127.0.0.1") && may(&own, "::ffff:127.0.0.1"));
        assert!(!may(&own, "10.21.0.1") && !may(&own, "169.254.169.254") && !may(&own, "93.184.216.34"));
    }

    #[test]
    fn what_is_no_network_is_told() {
        for text in ["", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "::/129", "ten/8", "10.0.0.0/8/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
