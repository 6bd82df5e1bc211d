//! The network an address belongs to, coarse enough to compare two requests of one client.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The first 24 bits of an IPv4 address, or the first 48 of an IPv6 address: what one access network usually spans.
///
/// It still points at somebody: like an address, it does not belong in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkPrefix {
    /// A /24.
    V4([u8; 3]),
    /// A /48.
    V6([u16; 3]),
}

/// The /24 or /48 of an address; an IPv4 address mapped into IPv6 counts as IPv4.
///
/// # Examples
/// ```
/// use counterfoil_core::address::network_prefix;
///
/// assert_eq!(network_prefix("203.0.113.9".parse()?).to_string(), "203.0.113.0/24");
/// assert_eq!(network_prefix("2001:db8:1:2::9".parse()?).to_string(), "2001:db8:1::/48");
/// # Ok::<_, std::net::AddrParseError>(())
/// ```
pub const fn network_prefix(address: IpAddr) -> NetworkPrefix {
    match address.to_canonical() {
        IpAddr::V4(four) => {
            let [a, b, c, _] = four.octets();
            NetworkPrefix::V4([a, b, c])
        }
        IpAddr::V6(six) => {
            let [a, b, c, ..] = six.segments();
            NetworkPrefix::V6([a, b, c])
        }
    }
}

impl NetworkPrefix {
    /// The bits of the prefix, with a first byte that tells the families apart.
    pub(crate) const fn bytes(self) -> [u8; 7] {
        match self {
            Self::V4([a, b, c]) => [4, a, b, c, 0, 0, 0],
            Self::V6([a, b, c]) => {
                let ([a0, a1], [b0, b1], [c0, c1]) = (a.to_be_bytes(), b.to_be_bytes(), c.to_be_bytes());
                [6, a0, a1, b0, b1, c0, c1]
            }
        }
    }
}

impl fmt::Display for NetworkPrefix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4([a, b, c]) => write!(out, "{}/24", Ipv4Addr::new(a, b, c, 0)),
            Self::V6([a, b, c]) => write!(out, "{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)),
        }
    }
}
