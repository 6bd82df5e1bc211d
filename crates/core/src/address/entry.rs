//! Entries of `X-Forwarded-For` and `Forwarded`, taken from the right. Strict: what is not an address is `None`.

use std::net::{IpAddr, Ipv6Addr};

/// Takes the last entry off a header value: what is left of the value, and the address the entry names.
pub(super) type Pop = fn(&[u8]) -> (Option<&[u8]>, Option<IpAddr>);

/// The entries of one header value, last first.
pub(super) fn from_the_right(value: &[u8], pop: Pop) -> impl Iterator<Item = Option<IpAddr>> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let (left, address) = pop(rest?);
        rest = left;
        Some(address)
    })
}

/// `X-Forwarded-For`: addresses between commas, some proxies add ports.
pub(super) fn pop_listed(value: &[u8]) -> (Option<&[u8]>, Option<IpAddr>) {
    let (left, entry) = cut(value, memchr::memrchr(b',', value));
    (left, node(entry.trim_ascii()))
}

/// `Forwarded` (RFC 7239): the `for` of an element such as `for="[2001:db8::1]:4711";proto=https`.
pub(super) fn pop_element(value: &[u8]) -> (Option<&[u8]>, Option<IpAddr>) {
    let (left, element) = cut(value, last_outside_quotes(b',', value));
    (left, address_of(element))
}

/// The one `for` of an element, every pair of which must be well-formed.
fn address_of(element: &[u8]) -> Option<IpAddr> {
    let (mut rest, mut address) = (Some(element), None);
    while let Some(pairs) = rest {
        let pair;
        (rest, pair) = cut(pairs, last_outside_quotes(b';', pairs));
        match split_pair(pair.trim_ascii())? {
            Pair::For(named) if address.replace(named).is_some() => return None,
            Pair::For(_) | Pair::Other | Pair::Empty => {}
        }
    }
    address
}

enum Pair {
    For(IpAddr),
    Other,
    Empty,
}

/// `name=value`, where the value is a token or a quoted string.
fn split_pair(pair: &[u8]) -> Option<Pair> {
    if pair.is_empty() {
        return Some(Pair::Empty);
    }
    let (name, value) = pair.split_at_checked(memchr::memchr(b'=', pair)?)?;
    let value = match value.get(1..)? {
        [b'"', inner @ .., b'"'] if is_quotable(inner) => inner,
        bare if is_bare(bare) => bare,
        _ => return None,
    };
    match name {
        _ if name.eq_ignore_ascii_case(b"for") => node(value).map(Pair::For),
        _ => is_bare(name).then_some(Pair::Other),
    }
}

/// An address with an optional port; IPv6 with a port stands in brackets.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        return six(address).filter(|_| port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    match text.split_once(':') {
        None => text.parse().ok().map(IpAddr::V4),
        Some((address, port)) if is_port(port) && address.contains('.') => address.parse().ok().map(IpAddr::V4),
        Some(_) => six(text),
    }
}

/// IPv6, its zone dropped: a zone means something to the host that wrote it only.
fn six(text: &str) -> Option<IpAddr> {
    let (address, zone) = text.split_once('%').unwrap_or((text, "none"));
    let address: Ipv6Addr = address.parse().ok()?;
    let named = !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-~".contains(&byte));
    named.then(|| IpAddr::V6(address).to_canonical())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// A token, with the brackets and colons that need quotes by the RFC but are often left without.
fn is_bare(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_graphic() && !b"\"\\,;=".contains(byte))
}

/// What may stand between quotes: every quote in it is escaped, and the last backslash escapes something.
fn is_quotable(inner: &[u8]) -> bool {
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return false,
            b'\\' if bytes.next().is_none() => return false,
            _ => {}
        }
    }
    true
}

/// Read from the right, so that a quote which a stranger left open further left swallows nothing of ours.
fn last_outside_quotes(separator: u8, value: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in value.iter().enumerate().rev() {
        match byte {
            b'"' => quoted = !quoted || is_escaped(value, at),
            _ if *byte == separator && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// In well-formed text a backslash before a quote escapes it: a pair of them stands only before a closing quote.
fn is_escaped(value: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| value.get(before)) == Some(&b'\\')
}

/// What stands left of the separator at `at`, and what stands right of it.
fn cut(value: &[u8], at: Option<usize>) -> (Option<&[u8]>, &[u8]) {
    match at.and_then(|at| value.split_at_checked(at)) {
        Some((left, right)) => (Some(left), right.get(1..).unwrap_or_default()),
        None => (None, value),
    }
}
