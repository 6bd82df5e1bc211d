//! The client's address: the peer's, unless the peer is a proxy we trust to say whom it speaks for.

mod entry;
mod prefix;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::rules::Place;

pub use self::prefix::{NetworkPrefix, network_prefix};

/// Entries examined in the forwarding header, from the right. Beyond that lies nothing an honest chain of proxies makes.
pub const MAX_HOPS: usize = 64;

/// Where a trusted proxy writes the address it speaks for. One header, chosen in configuration: with two, the client
/// would choose by sending the one that the proxy does not overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressSource {
    /// Nowhere: the peer is the client.
    #[default]
    Peer,
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Which peers are proxies of ours, and where they write the client's address.
///
/// # Security
/// Each trusted proxy must append the peer it sees to the header, or replace the header. An entry counts only if
/// everything to its right was written by proxies we trust; what a stranger sent is never read.
///
/// # Examples
/// ```
/// use counterfoil_core::address::{AddressPolicy, AddressSource};
///
/// let policy = AddressPolicy::new(["10.0.0.0/8".parse()?], AddressSource::XForwardedFor)?;
/// let header = [b"6.6.6.6, 203.0.113.9, 10.0.0.7".as_slice()];
/// let client = policy.resolve("10.0.0.1".parse()?, header);
/// assert_eq!(client, "203.0.113.9".parse::<std::net::IpAddr>()?);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressPolicy {
    trusted: Vec<IpNet>,
    source: AddressSource,
}

impl AddressPolicy {
    /// No proxies: the peer is the client.
    pub const fn peer_only() -> Self {
        Self { trusted: Vec::new(), source: AddressSource::Peer }
    }

    /// Trusts the proxies in `trusted`. A caller on a unix socket counts as loopback.
    ///
    /// # Errors
    /// [`TrustsEveryone`] if a network spans all addresses: then every client would name its own.
    pub fn new(trusted: impl IntoIterator<Item = IpNet>, source: AddressSource) -> Result<Self, TrustsEveryone> {
        let trusted: Vec<_> = trusted.into_iter().map(unmapped).collect();
        if trusted.iter().any(|net| net.prefix_len() == 0) { Err(TrustsEveryone) } else { Ok(Self { trusted, source }) }
    }

    /// The header to hand to [`resolve`](Self::resolve), if any.
    pub const fn header_name(&self) -> Option<&'static str> {
        match self.source {
            AddressSource::Peer => None,
            AddressSource::XForwardedFor => Some("x-forwarded-for"),
            AddressSource::Forwarded => Some("forwarded"),
        }
    }

    /// Where trusted proxies write the address they speak for.
    pub const fn source(&self) -> AddressSource {
        self.source
    }

    /// The networks of our proxies.
    pub fn trusted(&self) -> &[IpNet] {
        &self.trusted
    }

    /// Whether `address` is a proxy of ours.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }

    /// The client's address, given the peer's and all values of the chosen header in the order they came.
    ///
    /// Walks from the right, hop by hop, while the hop is trusted. An entry that is no address (empty, `unknown`,
    /// garbage) ends the walk at the last good hop, as does the end of the header or the [`MAX_HOPS`]th entry. Addresses
    /// come back canonical: an IPv4 address mapped into IPv6 as IPv4, without port or zone.
    pub fn resolve<'a, H>(&self, peer: IpAddr, values: H) -> IpAddr
    where
        H: IntoIterator<Item = &'a [u8], IntoIter: DoubleEndedIterator>,
    {
        let split = match self.source {
            AddressSource::Peer => return peer.to_canonical(),
            AddressSource::XForwardedFor => entry::pop_listed,
            AddressSource::Forwarded => entry::pop_element,
        };
        let mut hop = peer.to_canonical();
        let mut entries = values.into_iter().rev().flat_map(|value| entry::from_the_right(value, split)).take(MAX_HOPS);
        while self.trusts(hop) {
            match entries.next().flatten() {
                Some(address) => hop = address,
                None => break,
            }
        }
        hop
    }
}

/// Who knows where addresses are: a database, usually.
///
/// Asked where a request comes from elsewhere than its session did so far, and at each sign-in; on the request's path, so it
/// must not block.
pub trait Places: Send + Sync + 'static {
    /// What is known of the place behind `address`; [`Place::UNKNOWN`] is always a right answer.
    fn locate(&self, address: IpAddr) -> Place;
}

impl Places for Box<dyn Places> {
    fn locate(&self, address: IpAddr) -> Place {
        (**self).locate(address)
    }
}

/// A trusted network spans every address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a trusted proxy network of prefix length 0 trusts every client; name the proxies' own networks")]
pub struct TrustsEveryone;

/// A network inside `::ffff:0:0/96` as the IPv4 network it stands for, because addresses are compared that way.
fn unmapped(net: IpNet) -> IpNet {
    let IpNet::V6(six) = net else { return net };
    let four = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
    four.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(net, IpNet::V4)
}
