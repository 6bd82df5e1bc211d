//! The two sets the CSRF decision asks: our own public origins, and partners we trust to post to us.

use super::{Origin, parse};

/// Where this site is reachable: at least one exact origin.
///
/// # Security
/// This is the set T of the CSRF decision. Behind a proxy it is what the browser sees, never what the `Host` header of
/// one request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicOrigins(Vec<Origin>);

impl PublicOrigins {
    /// The set of `origins`; one named twice counts once.
    ///
    /// # Errors
    /// [`NoPublicOrigin`] if there is none: every unsafe request would be foreign.
    pub fn new(origins: impl IntoIterator<Item = Origin>) -> Result<Self, NoPublicOrigin> {
        let origins = distinct(origins);
        if origins.is_empty() { Err(NoPublicOrigin) } else { Ok(Self(origins)) }
    }

    /// The origins, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.0.iter()
    }

    /// Whether the value of an `Origin` header is one of them.
    pub fn matches_header(&self, value: &[u8]) -> bool {
        any_matches(&self.0, value)
    }

    /// Whether the value of a `Referer` header is a page of one of them.
    pub fn matches_referer(&self, value: &[u8]) -> bool {
        any_matches(&self.0, parse::of_referer(value))
    }
}

/// Other sites' origins that may send state-changing requests here (say, an identity provider's `form_post`).
///
/// # Security
/// A trusted origin can do to a signed-in user whatever our own pages can. None are trusted by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedOrigins(Vec<Origin>);

impl TrustedOrigins {
    /// Nobody.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The set of `origins`; one named twice counts once.
    pub fn new(origins: impl IntoIterator<Item = Origin>) -> Self {
        Self(distinct(origins))
    }

    /// The origins, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The trusted origin that the value of an `Origin` header names.
    pub fn find_header(&self, value: &[u8]) -> Option<&Origin> {
        find(&self.0, value)
    }

    /// Whether the value of an `Origin` header is one of them.
    pub fn matches_header(&self, value: &[u8]) -> bool {
        any_matches(&self.0, value)
    }

    /// Whether the value of a `Referer` header is a page of one of them.
    pub fn matches_referer(&self, value: &[u8]) -> bool {
        any_matches(&self.0, parse::of_referer(value))
    }
}

/// No public origin is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no public origin is configured; name at least one, like https://shop.example")]
pub struct NoPublicOrigin;

fn any_matches(origins: &[Origin], value: &[u8]) -> bool {
    find(origins, value).is_some()
}

/// Bytes first, for all; the header is parsed at most once.
fn find<'a>(origins: &'a [Origin], value: &[u8]) -> Option<&'a Origin> {
    let exact = origins.iter().find(|origin| origin.is_exactly(value));
    exact.or_else(|| {
        let named = parse::header(value).filter(|_| !origins.is_empty())?;
        origins.iter().find(|origin| **origin == named)
    })
}

fn distinct(origins: impl IntoIterator<Item = Origin>) -> Vec<Origin> {
    let mut kept = Vec::new();
    for origin in origins {
        if !kept.contains(&origin) {
            kept.push(origin);
        }
    }
    kept
}
