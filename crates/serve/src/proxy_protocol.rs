//! The PROXY protocol, version 2: who a proxy says it speaks for, before the first byte of what it passes on.
//!
//! The specification is `proxy-protocol.txt` of the `HAProxy` project, section 2.2. Extensions (TLVs) are read over.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::Peers;

/// Why nobody is served on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Only the operator's proxies may say who they speak for.
    #[error("the peer is not one of the trusted proxies")]
    Untrusted,
    /// The connection ended first.
    #[error("it ended within the header of the PROXY protocol")]
    TooShort,
    /// Nothing came, or half of it.
    #[error("the header of the PROXY protocol took too long")]
    TooSlow,
    /// Something else begins there, such as a request, or version 1.
    #[error("it does not begin with a header of the PROXY protocol, version 2: have the proxy send one")]
    NoHeader,
    /// A version, command, family or length that the specification does not have.
    #[error("the header of the PROXY protocol is malformed")]
    Malformed,
    /// More than [`LONGEST`] bytes.
    #[error("the header of the PROXY protocol is longer than {LONGEST} bytes")]
    TooLong,
}

impl Refused {
    /// The stable name.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::TooShort => "too_short",
            Self::TooSlow => "too_slow",
            Self::NoHeader => "no_header",
            Self::Malformed => "malformed",
            Self::TooLong => "too_long",
        }
    }
}

/// Reads the header, no byte more, and says who the peer is: whoever the proxy speaks for; the proxy itself, where it
/// speaks for itself, or for somebody without an address.
pub(crate) async fn announced(
    stream: &mut (impl AsyncRead + Unpin),
    peer: SocketAddr,
    trusted: &Peers,
) -> Result<SocketAddr, Refused> {
    if !trusted.contain(peer.ip()) {
        return Err(Refused::Untrusted);
    }
    let mut fixed = [0; FIXED];
    stream.read_exact(&mut fixed).await.map_err(|_| Refused::TooShort)?;
    let header = Header::read(&fixed)?;
    let mut rest = vec![0; header.length];
    stream.read_exact(&mut rest).await.map_err(|_| Refused::TooShort)?;
    Ok(header.source(&rest)?.unwrap_or(peer))
}

/// What the fixed part says of the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    about: About,
    length: usize,
}

/// Whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// The proxy itself, as when it looks whether we are there; or somebody without an address of the internet.
    Itself,
    Ip4,
    Ip6,
}

impl Header {
    fn read(fixed: &[u8; FIXED]) -> Result<Self, Refused> {
        let [signature @ .., version_and_command, family_and_transport, high, low] = fixed;
        if *signature != SIGNATURE {
            return Err(Refused::NoHeader);
        }
        let about = match (version_and_command, family_and_transport) {
            // LOCAL: whatever follows is to be read over.
            (0x20, _) | (0x21, 0x00) => About::Itself,
            (0x21, 0x11) => About::Ip4,
            (0x21, 0x21) => About::Ip6,
            _ => return Err(Refused::Malformed),
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if length > LONGEST {
            return Err(Refused::TooLong);
        }
        Ok(Self { about, length })
    }

    /// The source: addresses come before ports, sources before destinations.
    fn source(self, rest: &[u8]) -> Result<Option<SocketAddr>, Refused> {
        let source = match self.about {
            About::Itself => None,
            About::Ip4 => {
                let (source, _, port) = fields::<4>(rest).ok_or(Refused::Malformed)?;
                Some((IpAddr::from(Ipv4Addr::from(source)), port))
            }
            About::Ip6 => {
                let (source, _, port) = fields::<16>(rest).ok_or(Refused::Malformed)?;
                Some((IpAddr::from(Ipv6Addr::from(source)), port))
            }
        };
        Ok(source.map(SocketAddr::from))
    }
}

/// Source, destination and the source's port.
fn fields<const N: usize>(rest: &[u8]) -> Option<([u8; N], [u8; N], u16)> {
    let (source, rest) = rest.split_first_chunk()?;
    let (destination, rest) = rest.split_first_chunk()?;
    let (port, rest) = rest.split_first_chunk()?;
    rest.split_first_chunk::<2>()?;
    Some((*source, *destination, u16::from_be_bytes(*port)))
}

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
const FIXED: usize = 16;
/// Addresses take 36 bytes; what proxies add about TLS and clouds a few hundred.
const LONGEST: usize = 4 * 1024;

#[cfg(test)]
mod tests;
