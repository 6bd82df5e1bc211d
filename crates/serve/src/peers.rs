//! Peers that are believed, by their addresses.

use std::net::IpAddr;

use ipnet::IpNet;

/// The networks of peers that are believed.
///
/// # Examples
/// ```
/// use counterfoil_serve::Peers;
///
/// let peers = Peers::new(["10.0.0.0/8", "::1"])?;
/// assert!(peers.contain("10.1.2.3".parse()?));
/// assert!(peers.contain("::ffff:10.1.2.3".parse()?), "the same address, as a socket for both versions shows it");
/// assert!(!peers.contain("192.0.2.1".parse()?));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers(Vec<IpNet>);

/// Neither a network nor an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address or a range such as 10.0.0.0/8")]
pub struct NotANetwork(Box<str>);

impl Peers {
    /// Those in any of `networks`; an address alone is the network of one host.
    ///
    /// # Errors
    /// [`NotANetwork`]
    pub fn new<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, NotANetwork> {
        let network = |text: &str| {
            let host = |text: &str| text.parse::<IpAddr>().map(IpNet::from);
            text.parse().or_else(|_| host(text)).map_err(|_| NotANetwork(text.chars().take(64).collect()))
        };
        networks.into_iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `address` is one of theirs.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}
