//! All security headers of a response, in one value.

use std::borrow::Cow;

use super::{
    ContentSecurityPolicy, CrossOriginOpenerPolicy, CrossOriginResourcePolicy, CspNonce, Directive, Hsts,
    PermissionsPolicy, ReferrerPolicy, Source,
};
use crate::origin::Scheme;

/// The security headers of every response. Strict from the start; each can be replaced, none dropped.
///
/// # Security
/// `X-Frame-Options` is not set by hand: it follows `frame-ancestors`, so the two cannot disagree; where that names
/// origins, which the old header cannot, it is left out. `X-XSS-Protection` is never sent: the filter it turned on
/// was itself a hole.
///
/// # Examples
/// ```
/// use counterfoil_core::headers::SecurityHeaders;
/// use counterfoil_core::origin::Scheme;
///
/// let headers = SecurityHeaders::strict();
/// let names: Vec<_> = headers.iter(Scheme::Https, None).map(|(name, _)| name).collect();
/// assert!(names.contains(&"strict-transport-security"));
/// assert!(headers.iter(Scheme::Http, None).all(|(name, _)| name != "strict-transport-security"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityHeaders {
    content: ContentSecurityPolicy,
    /// The content policy as text, unless it differs from response to response.
    fixed: Option<String>,
    transport: String,
    permissions: String,
    referrer: ReferrerPolicy,
    opener: CrossOriginOpenerPolicy,
    resource: CrossOriginResourcePolicy,
}

impl SecurityHeaders {
    /// A year of https for this host and those below it (ASVS 5.0, 3.4.1), the strict content policy, and the default
    /// of each other header.
    pub fn strict() -> Self {
        let content = ContentSecurityPolicy::strict();
        Self {
            fixed: fixed(&content),
            content,
            transport: Hsts::DEFAULT.to_string(),
            permissions: PermissionsPolicy::deny_all().value(),
            referrer: ReferrerPolicy::default(),
            opener: CrossOriginOpenerPolicy::default(),
            resource: CrossOriginResourcePolicy::default(),
        }
    }

    /// Replaces `Strict-Transport-Security`.
    pub fn hsts(self, hsts: Hsts) -> Self {
        Self { transport: hsts.to_string(), ..self }
    }

    /// Replaces `Content-Security-Policy`, and with it `X-Frame-Options`.
    pub fn content(self, content: ContentSecurityPolicy) -> Self {
        Self { fixed: fixed(&content), content, ..self }
    }

    /// Replaces `Permissions-Policy`.
    pub fn permissions(self, permissions: &PermissionsPolicy) -> Self {
        Self { permissions: permissions.value(), ..self }
    }

    /// Replaces `Referrer-Policy`.
    pub fn referrer(self, referrer: ReferrerPolicy) -> Self {
        Self { referrer, ..self }
    }

    /// Replaces `Cross-Origin-Opener-Policy`.
    pub fn opener(self, opener: CrossOriginOpenerPolicy) -> Self {
        Self { opener, ..self }
    }

    /// Replaces `Cross-Origin-Resource-Policy`.
    pub fn resource(self, resource: CrossOriginResourcePolicy) -> Self {
        Self { resource, ..self }
    }

    /// Whether responses need a nonce.
    pub fn uses_nonce(&self) -> bool {
        self.content.uses_nonce()
    }

    /// Name and value of each header, names in lower case.
    ///
    /// `Strict-Transport-Security` goes out over https only: over plain http browsers must ignore it (RFC 6797, 8.1).
    pub fn iter(&self, scheme: Scheme, nonce: Option<&CspNonce>) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let content = self.fixed.as_deref().map_or_else(|| Cow::Owned(self.content.value(nonce)), Cow::Borrowed);
        [
            Some(("content-security-policy", content)),
            Some(("x-content-type-options", Cow::Borrowed("nosniff"))),
            Some(("referrer-policy", Cow::Borrowed(self.referrer.as_str()))),
            Some(("permissions-policy", Cow::Borrowed(self.permissions.as_str()))),
            Some(("cross-origin-opener-policy", Cow::Borrowed(self.opener.as_str()))),
            Some(("cross-origin-resource-policy", Cow::Borrowed(self.resource.as_str()))),
            self.frame_options().map(|value| ("x-frame-options", Cow::Borrowed(value))),
            (scheme == Scheme::Https).then_some(("strict-transport-security", Cow::Borrowed(self.transport.as_str()))),
        ]
        .into_iter()
        .flatten()
    }

    fn frame_options(&self) -> Option<&'static str> {
        match self.content.sources(Directive::FrameAncestors) {
            Some([]) => Some("DENY"),
            Some([Source::SameOrigin]) => Some("SAMEORIGIN"),
            _ => None,
        }
    }
}

fn fixed(content: &ContentSecurityPolicy) -> Option<String> {
    (!content.uses_nonce()).then(|| content.value(None))
}
