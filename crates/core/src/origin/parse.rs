//! From text to a canonical origin. What the URL parser would quietly repair is refused before it sees it.

use url::Url;

use super::{Origin, Scheme};

/// Why a text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// Nothing there.
    #[error("an origin is empty; write it like https://shop.example")]
    Empty,
    /// `null` is what sandboxed frames and redirects send: anybody.
    #[error("`null` names no origin, anybody can send it")]
    Null,
    /// `*` anywhere.
    #[error("a wildcard is not an origin; list each origin in full")]
    Wildcard,
    /// White space or a control character.
    #[error("an origin contains white space or a control character")]
    Space,
    /// No scheme, or not one that browsers send cookies over.
    #[error("an origin starts with https:// (or http:// in development)")]
    Scheme,
    /// `user@`.
    #[error("an origin has no user name; remove what stands before @")]
    UserInfo,
    /// A path, also a lone final slash.
    #[error("an origin has no path; remove everything after the host and port, also a final slash")]
    Path,
    /// `?…`.
    #[error("an origin has no query; remove everything from ? on")]
    Query,
    /// `#…`.
    #[error("an origin has no fragment; remove everything from # on")]
    Fragment,
    /// No host, or not a host name or address.
    #[error("an origin's host is not a host name or an IP address")]
    Host,
    /// `shop.example.`
    #[error("an origin's host ends in a dot, which browsers treat as another origin; remove it")]
    TrailingDot,
    /// Not a number from 0 to 65535.
    #[error("an origin's port is not a number from 0 to 65535")]
    Port,
}

pub(super) fn origin(text: &str) -> Result<Origin, OriginError> {
    let (scheme, authority) = split(text)?;
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::InvalidPort => OriginError::Port,
        _ => OriginError::Host,
    })?;
    // `https://shop.example:` would pass as the default port.
    if authority.ends_with(':') {
        return Err(OriginError::Port);
    }
    let host = url.host_str().ok_or(OriginError::Host)?;
    // The URL parser maps other full stops (`。`) to a dot, so this is asked of what it made.
    if host.ends_with('.') {
        return Err(OriginError::TrailingDot);
    }
    if !is_plain(host) {
        return Err(OriginError::Host);
    }
    Ok(canonical(scheme, host, url.port()))
}

/// The origin a header names, if it is one.
pub(super) fn header(value: &[u8]) -> Option<Origin> {
    let ascii = value.len() <= LONGEST && value.is_ascii();
    let text = std::str::from_utf8(value).ok().filter(|_| ascii)?;
    origin(text).ok()
}

/// The part of a `Referer` that names its origin: up to the path.
///
/// A backslash or an `@` stays in, so that what browsers never send does not parse.
pub(super) fn of_referer(value: &[u8]) -> &[u8] {
    let Some(start) = memchr::memmem::find(value.get(..LONGEST).unwrap_or(value), b"://").map(|at| at + 3) else {
        return value;
    };
    let authority = value.get(start..).unwrap_or_default();
    let length = memchr::memchr3(b'/', b'?', b'#', authority).unwrap_or(authority.len());
    value.get(..start + length).unwrap_or(value)
}

fn split(text: &str) -> Result<(Scheme, &str), OriginError> {
    match text {
        "" => return Err(OriginError::Empty),
        _ if text.eq_ignore_ascii_case("null") => return Err(OriginError::Null),
        _ if text.contains('*') => return Err(OriginError::Wildcard),
        _ if text.contains(|c: char| c.is_whitespace() || c.is_control()) => return Err(OriginError::Space),
        _ => {}
    }
    let (scheme, authority) = text.split_once("://").ok_or(OriginError::Scheme)?;
    let scheme = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
        _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
        _ => return Err(OriginError::Scheme),
    };
    match authority.find(['/', '\\', '?', '#', '@', '%']).and_then(|at| authority.get(at..)?.chars().next()) {
        None => Ok((scheme, authority)),
        Some('?') => Err(OriginError::Query),
        Some('#') => Err(OriginError::Fragment),
        Some('@') => Err(OriginError::UserInfo),
        Some('%') => Err(OriginError::Host),
        Some(_) => Err(OriginError::Path),
    }
}

/// The URL parser lets `;`, `,`, `'` and the like stand in a host, which would break out of a header that names it.
fn is_plain(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match address {
        Some(address) => address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':'),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    }
}

fn canonical(scheme: Scheme, host: &str, port: Option<u16>) -> Origin {
    let start = scheme.as_str().len() + "://".len();
    let port = port.unwrap_or(scheme.default_port());
    let mut text = format!("{}://{host}", scheme.as_str());
    if port != scheme.default_port() {
        text = format!("{text}:{port}");
    }
    Origin { text, scheme, port, host: start..start + host.len() }
}

/// A host name has at most 253 characters; scheme and port add 14.
const LONGEST: usize = 300;
