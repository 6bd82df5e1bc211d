//! Networks whose place is nobody's: a list that the operator keeps.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::str::FromStr;

use counterfoil_core::rules::NetworkKind;
use ipnet::{IpNet, Ipv4Net};

use super::error::{GeoProblem, LineProblem};

/// A list of networks and their kinds: lines such as `203.0.113.0/24 vpn`, with `vpn`, `relay` or `hosting` as the kind.
/// What follows a `#` is a remark. The smallest network around an address counts.
///
/// # Examples
/// ```
/// use counterfoil::geo::Networks;
///
/// let list = "# exits of our own\n203.0.113.0/24 vpn\n2001:db8:9::/48 relay # somebody's\n";
/// assert_eq!(list.parse::<Networks>()?.len(), 2);
///
/// let wrong = "203.0.113.0/24 vnp".parse::<Networks>().unwrap_err();
/// assert_eq!(wrong.to_string(), "line 1: `vnp` is none of vpn, relay, hosting");
/// # Ok::<_, counterfoil::geo::GeoProblem>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Networks {
    kinds: HashMap<IpNet, (NetworkKind, usize)>,
    /// The lengths of prefixes that occur, the longest first, for each of the two families.
    lengths: [Vec<u8>; 2],
}

impl Networks {
    /// The kind of the smallest network around an address, if there is one.
    pub fn kind(&self, address: IpAddr) -> Option<NetworkKind> {
        let address = address.to_canonical();
        let [four, six] = &self.lengths;
        let lengths = if address.is_ipv4() { four } else { six };
        let around = lengths.iter().filter_map(|length| IpNet::new(address, *length).ok());
        around.map(|network| network.trunc()).find_map(|network| Some(self.kinds.get(&network)?.0))
    }

    /// How many networks there are.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    fn take(&mut self, line: usize, text: &str) -> Result<(), LineProblem> {
        let mut words = text.split('#').next().unwrap_or_default().split_whitespace();
        let Some(network) = words.next() else { return Ok(()) };
        let (network, kind) = (network_of(network)?, kind_of(words.next().ok_or(LineProblem::NoKind)?)?);
        if let Some(more) = words.next() {
            return Err(LineProblem::TooMuch(shown(more)));
        }
        match self.kinds.entry(network) {
            Entry::Occupied(before) if before.get().0 != kind => return Err(LineProblem::Twice(before.get().1)),
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => {
                free.insert((kind, line));
            }
        }
        if self.kinds.len() > MOST { Err(LineProblem::TooMany(MOST)) } else { Ok(()) }
    }

    fn sorted(mut self) -> Self {
        for network in self.kinds.keys() {
            let [four, six] = &mut self.lengths;
            let lengths = if network.addr().is_ipv4() { four } else { six };
            if !lengths.contains(&network.prefix_len()) {
                lengths.push(network.prefix_len());
            }
        }
        self.lengths.iter_mut().for_each(|lengths| lengths.sort_unstable_by(|one, other| other.cmp(one)));
        self
    }
}

impl FromStr for Networks {
    type Err = GeoProblem;

    fn from_str(text: &str) -> Result<Self, GeoProblem> {
        let mut networks = Self::default();
        // Some editors begin a text with a mark.
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let wrong = |problem| GeoProblem::Line { line: index + 1, problem };
            networks.take(index + 1, line).map_err(wrong)?;
        }
        Ok(networks.sorted())
    }
}

fn network_of(text: &str) -> Result<IpNet, LineProblem> {
    let alone = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let network =
        text.parse::<IpNet>().map(unmapped).or_else(|_| alone()).map_err(|_| LineProblem::Network(shown(text)))?;
    if network.prefix_len() == 0 {
        return Err(LineProblem::Everyone(shown(text)));
    }
    if network.trunc() != network {
        return Err(LineProblem::BeyondPrefix { written: shown(text), meant: network.trunc().to_string().into() });
    }
    Ok(network)
}

/// A network inside `::ffff:0:0/96` as the one of IPv4 that it stands for: addresses are looked up that way.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(six) = network else { return network };
    let four = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
    four.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
}

fn kind_of(text: &str) -> Result<NetworkKind, LineProblem> {
    match text {
        "vpn" => Ok(NetworkKind::Vpn),
        "relay" => Ok(NetworkKind::Relay),
        "hosting" => Ok(NetworkKind::Hosting),
        _ => Err(LineProblem::Kind(shown(text))),
    }
}

/// No more of a word than fits a line.
fn shown(text: &str) -> Box<str> {
    text.chars().take(LONGEST_WORD).filter(|c| !c.is_control()).collect()
}

/// Whether an address is of this machine or of a network of somebody's own, and so has no place that is known outside.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, second, ..] = four.octets();
            // The last: between a carrier and its customers (RFC 6598).
            four.is_private()
                || four.is_loopback()
                || four.is_link_local()
                || first == 0
                || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(six) => {
            six.is_loopback() || six.is_unspecified() || six.is_unique_local() || six.is_unicast_link_local()
        }
    }
}

/// Lists of all that rents out computers have some hundred thousand lines of 25 bytes.
pub(super) const LARGEST: u64 = 32 << 20;
const MOST: usize = 1_000_000;
const LONGEST_WORD: usize = 64;
