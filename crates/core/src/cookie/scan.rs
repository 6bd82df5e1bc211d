//! Finds the candidates for our cookies in raw `Cookie` headers. No cookie jar, no allocation, no failure.

use std::fmt;

use super::{CookieKind, CookieNames, MAX_COOKIE_BYTES};

/// Candidates kept per cookie. An honest browser sends one; cookie tossing sends several, and each costs a tag check.
pub const MAX_CANDIDATES: usize = 8;

/// What separates one cookie from the next.
///
/// # Security
/// Some proxies, when they ask a forward-auth server, join two `Cookie` headers with `, `. But a comma is also a legal
/// part of a cookie's value to every browser, and once joined the two look alike. So where commas separate, a sibling
/// domain that sets `x=1, __Host-Http-id=…` gets past the `__Host-` prefix: it cannot forge a token, but it can present
/// its own and so sign a visitor in as somebody else. Split at commas only behind a proxy that joins so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeaderJoin {
    /// `;` alone, as browsers write. A comma in our cookie makes it malformed.
    #[default]
    Standard,
    /// `;` and `,`: a proxy in front joins several `Cookie` headers with a comma.
    Comma,
}

/// What one request brought under our three names.
///
/// `Debug` shows counts, never a value.
#[derive(Default)]
pub struct Scanned<'a> {
    session: Found<'a>,
    elevated: Found<'a>,
    anonymous: Found<'a>,
}

impl<'a> Scanned<'a> {
    /// What was found under one name.
    pub const fn of(&self, kind: CookieKind) -> &Found<'a> {
        match kind {
            CookieKind::Session => &self.session,
            CookieKind::Elevated => &self.elevated,
            CookieKind::Anonymous => &self.anonymous,
        }
    }

    /// Whether a cookie of ours appeared at all, usable or not: then the request bears cookies, for CSRF.
    pub fn is_cookie_bearing(&self) -> bool {
        CookieKind::ALL.iter().any(|kind| self.of(*kind).is_present())
    }

    /// Reads one more `Cookie` header.
    pub(crate) fn add(&mut self, header: &'a [u8], names: CookieNames, join: HeaderJoin) {
        let mut rest = Some(header);
        while let Some(text) = rest {
            let pair;
            (pair, rest) = join.first(text);
            if let Some((kind, value)) = ours(pair, names) {
                self.of_mut(kind).add(value, names.name(kind).as_str().len());
            }
        }
    }

    const fn of_mut(&mut self, kind: CookieKind) -> &mut Found<'a> {
        match kind {
            CookieKind::Session => &mut self.session,
            CookieKind::Elevated => &mut self.elevated,
            CookieKind::Anonymous => &mut self.anonymous,
        }
    }
}

/// The candidates for one cookie.
#[derive(Default)]
pub struct Found<'a> {
    values: [&'a str; MAX_CANDIDATES],
    kept: usize,
    overflow: bool,
    malformed: usize,
}

impl<'a> Found<'a> {
    /// Up to [`MAX_CANDIDATES`] values of `[A-Za-z0-9_-]`, in the order they were sent. Each is tried by its tag.
    pub fn candidates(&self) -> &[&'a str] {
        self.values.get(..self.kept).unwrap_or_default()
    }

    /// Whether there were more well-formed values than are kept.
    pub const fn overflow(&self) -> bool {
        self.overflow
    }

    /// How many cookies of this name hold something no token of ours can: empty, quoted, too long, another alphabet.
    pub const fn malformed(&self) -> usize {
        self.malformed
    }

    /// Whether a cookie of this name appeared at all, malformed ones included.
    pub const fn is_present(&self) -> bool {
        self.kept > 0 || self.malformed > 0
    }

    fn add(&mut self, value: &'a [u8], name_length: usize) {
        match well_formed(value, name_length) {
            None => self.malformed += 1,
            Some(text) => match self.values.get_mut(self.kept) {
                None => self.overflow = true,
                Some(slot) => {
                    *slot = text;
                    self.kept += 1;
                }
            },
        }
    }
}

impl fmt::Debug for Scanned<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, elevated, anonymous } = self;
        let mut fields = out.debug_struct("Scanned");
        fields.field("session", session).field("elevated", elevated).field("anonymous", anonymous).finish()
    }
}

impl fmt::Debug for Found<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { values: _, kept, overflow, malformed } = self;
        let mut fields = out.debug_struct("Found");
        fields.field("candidates", kept).field("overflow", overflow).field("malformed", malformed).finish()
    }
}

/// Reads all `Cookie` headers of a request, in the order they came.
///
/// Any bytes may come in: what is not ours is passed over, what is ours and unusable is counted. Spaces and tabs around
/// names and values do not count, as in browsers; names are case-sensitive; a quoted value is malformed, as no token of
/// ours is ever written quoted.
///
/// # Examples
/// ```
/// use counterfoil_core::cookie::{CookieKind, CookieNames, HeaderJoin, scan};
///
/// let headers = [b"theme=dark; __Host-Http-id=cfoil1_k1_AbC; __host-http-id=other".as_slice()];
/// let scanned = scan(headers, CookieNames::https(), HeaderJoin::Standard);
/// assert_eq!(scanned.of(CookieKind::Session).candidates(), ["cfoil1_k1_AbC"]);
/// assert!(!scanned.of(CookieKind::Elevated).is_present());
/// ```
pub fn scan<'a>(headers: impl IntoIterator<Item = &'a [u8]>, names: CookieNames, join: HeaderJoin) -> Scanned<'a> {
    let mut scanned = Scanned::default();
    headers.into_iter().for_each(|header| scanned.add(header, names, join));
    scanned
}

impl HeaderJoin {
    /// The first cookie, and what follows its separator.
    #[inline]
    pub(super) fn first(self, text: &[u8]) -> (&[u8], Option<&[u8]>) {
        let end = match self {
            Self::Standard => memchr::memchr(b';', text),
            Self::Comma => memchr::memchr2(b';', b',', text),
        };
        match end.and_then(|at| text.split_at_checked(at)) {
            Some((pair, rest)) => (pair, rest.get(1..)),
            None => (text, None),
        }
    }
}

/// A cookie of ours, with its value. A name without `=` is not a cookie of that name but a nameless cookie.
#[inline]
pub(super) fn ours(pair: &[u8], names: CookieNames) -> Option<(CookieKind, &[u8])> {
    let pair = trim_start(pair);
    if !pair.starts_with(names.prefix().as_bytes()) {
        return None;
    }
    let (name, value) = pair.split_at_checked(memchr::memchr(b'=', pair)?)?;
    Some((names.kind_of(trim_end(name))?, value.get(1..)?))
}

fn well_formed(value: &[u8], name_length: usize) -> Option<&str> {
    let value = trim_end(trim_start(value));
    let fits = !value.is_empty() && name_length + value.len() <= MAX_COOKIE_BYTES;
    // Without a branch per byte, so that the compiler can take many at once.
    let ours = fits && value.iter().fold(true, |all, byte| all & is_token_byte(*byte));
    if ours { std::str::from_utf8(value).ok() } else { None }
}

const fn is_token_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_')
}

// Only what browsers strip when a cookie is set: trimming more (say, U+0085) would open a way around the prefix.
pub(super) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
