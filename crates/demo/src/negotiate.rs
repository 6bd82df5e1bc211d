//! Whether a request wants a page or data. The rule is the library's; this names its two answers.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use counterfoil::is_navigation;

/// What kind of answer the requester can use.
///
/// # Security
/// Only the shape of the answer depends on this, never whether a request is allowed. Browsers do not let a page's script
/// set `Sec-Fetch-Mode`, so a script cannot ask for the answer meant for a navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// A navigation: an HTML page, or a redirect to one.
    Page,
    /// Everything else: JSON, or `application/problem+json`.
    Data,
}

impl Wants {
    /// What a request with these headers wants.
    pub fn of(headers: &HeaderMap) -> Self {
        if is_navigation(headers) { Self::Page } else { Self::Data }
    }
}

impl<S: Sync> FromRequestParts<S> for Wants {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}
