//! `Content-Security-Policy`, with a slot for a nonce of its own per response.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::origin::Origin;

/// What a directive allows. There is no `'unsafe-inline'` and no `'unsafe-eval'`: a nonce does the same, safely.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// `'self'`: our own origin.
    SameOrigin,
    /// Elements that carry this response's nonce.
    Nonce,
    /// `'strict-dynamic'`: scripts that an allowed script loads.
    StrictDynamic,
    /// Another origin.
    Origin(Origin),
    /// `data:` URLs, for images and the like.
    Data,
    /// `blob:` URLs, for images and the like.
    Blob,
    /// Any https origin, for images and the like.
    AnyHttps,
}

impl Source {
    /// As it is written; without a nonce, its slot is nothing.
    fn text(&self, nonce: Option<&CspNonce>) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(match self {
            Self::SameOrigin => "'self'",
            Self::Nonce => return nonce.map(|nonce| Cow::Owned(format!("'nonce-{}'", nonce.as_str()))),
            Self::StrictDynamic => "'strict-dynamic'",
            Self::Origin(origin) => origin.as_str(),
            Self::Data => "data:",
            Self::Blob => "blob:",
            Self::AnyHttps => "https:",
        }))
    }

    /// Whether anybody can provide what it allows.
    const fn is_wide(&self) -> bool {
        matches!(self, Self::Data | Self::Blob | Self::AnyHttps)
    }
}

/// What a list of sources is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Directive {
    /// Whatever has no directive of its own.
    DefaultSrc,
    /// Scripts.
    ScriptSrc,
    /// Style sheets.
    StyleSrc,
    /// Images.
    ImgSrc,
    /// Fonts.
    FontSrc,
    /// `fetch`, `WebSocket` and the like.
    ConnectSrc,
    /// Frames in our pages.
    FrameSrc,
    /// Plug-ins.
    ObjectSrc,
    /// What `<base>` may say.
    BaseUri,
    /// Whose frames our pages may appear in.
    FrameAncestors,
    /// Where forms may be sent.
    FormAction,
}

impl Directive {
    const fn as_str(self) -> &'static str {
        match self {
            Self::DefaultSrc => "default-src",
            Self::ScriptSrc => "script-src",
            Self::StyleSrc => "style-src",
            Self::ImgSrc => "img-src",
            Self::FontSrc => "font-src",
            Self::ConnectSrc => "connect-src",
            Self::FrameSrc => "frame-src",
            Self::ObjectSrc => "object-src",
            Self::BaseUri => "base-uri",
            Self::FrameAncestors => "frame-ancestors",
            Self::FormAction => "form-action",
        }
    }

    /// Whether it decides about scripts, or about what else hands our page to somebody.
    const fn is_guarded(self) -> bool {
        matches!(self, Self::DefaultSrc | Self::ScriptSrc | Self::ObjectSrc | Self::BaseUri | Self::FrameAncestors)
    }
}

/// A content security policy.
///
/// # Security
/// It narrows what injected script can do; it does not replace escaping. The strict policy allows no inline script at
/// all; where a page needs one, give the directive [`Source::Nonce`] and the element the nonce of that response.
///
/// # Examples
/// ```
/// use counterfoil_core::headers::{ContentSecurityPolicy, CspNonce, Directive, Source};
///
/// let policy = ContentSecurityPolicy::strict().set(Directive::ScriptSrc, [Source::Nonce])?;
/// let nonce = CspNonce::from_random([7; 16]);
/// assert!(policy.value(Some(&nonce)).contains("script-src 'nonce-BwcHBwcHBwcHBwcHBwcHBw'"));
/// assert!(policy.value(None).contains("script-src 'none'"));
/// # Ok::<_, counterfoil_core::headers::TooWide>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentSecurityPolicy {
    directives: Vec<(Directive, Vec<Source>)>,
    reports: Vec<String>,
}

impl ContentSecurityPolicy {
    /// Our own origin only, no plug-ins, no `<base>`, in nobody's frame, forms to us alone.
    pub fn strict() -> Self {
        let ours = || vec![Source::SameOrigin];
        Self {
            directives: vec![
                (Directive::DefaultSrc, ours()),
                (Directive::ObjectSrc, Vec::new()),
                (Directive::BaseUri, Vec::new()),
                (Directive::FrameAncestors, Vec::new()),
                (Directive::FormAction, ours()),
            ],
            reports: Vec::new(),
        }
    }

    /// Replaces what a directive allows; nothing means `'none'`.
    ///
    /// # Errors
    /// [`TooWide`] if scripts, plug-ins, `<base>` or embedding would be allowed to anybody.
    pub fn set(mut self, directive: Directive, sources: impl IntoIterator<Item = Source>) -> Result<Self, TooWide> {
        let sources: Vec<_> = sources.into_iter().collect();
        if directive.is_guarded() && sources.iter().any(Source::is_wide) {
            return Err(TooWide { directive });
        }
        match self.directives.iter_mut().find(|(known, _)| *known == directive) {
            Some((_, known)) => *known = sources,
            None => self.directives.push((directive, sources)),
        }
        Ok(self)
    }

    /// Has browsers send violations to this path or URL (`report-uri`, which all of them know).
    ///
    /// # Errors
    /// [`BadReportTarget`] if it is empty or holds white space, a comma, a semicolon or anything not visible ASCII.
    pub fn report_uri(self, target: &str) -> Result<Self, BadReportTarget> {
        self.report("report-uri", target)
    }

    /// Has browsers send violations to an endpoint named in `Reporting-Endpoints` (`report-to`).
    ///
    /// # Errors
    /// As for [`report_uri`](Self::report_uri).
    pub fn report_to(self, endpoint: &str) -> Result<Self, BadReportTarget> {
        self.report("report-to", endpoint)
    }

    /// The header value for one response. Without a nonce, what only a nonce would allow is forbidden.
    pub fn value(&self, nonce: Option<&CspNonce>) -> String {
        let directives = self.directives.iter().map(|(directive, sources)| print(*directive, sources, nonce));
        directives.chain(self.reports.iter().cloned()).collect::<Vec<_>>().join("; ")
    }

    /// What a directive allows, if it is set.
    pub(super) fn sources(&self, directive: Directive) -> Option<&[Source]> {
        self.directives.iter().find(|(known, _)| *known == directive).map(|(_, sources)| sources.as_slice())
    }

    /// Whether the value differs from response to response.
    pub(super) fn uses_nonce(&self) -> bool {
        self.directives.iter().any(|(_, sources)| sources.contains(&Source::Nonce))
    }

    fn report(mut self, name: &str, target: &str) -> Result<Self, BadReportTarget> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b';' && byte != b',';
        if target.is_empty() || !target.bytes().all(plain) {
            return Err(BadReportTarget);
        }
        self.reports.retain(|known| !known.starts_with(name));
        self.reports.push(format!("{name} {target}"));
        Ok(self)
    }
}

/// A nonce for one response: goes into the header and into each inline element of that response's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CspNonce(String);

impl CspNonce {
    /// From 16 fresh random bytes (the CSP specification asks for at least 128 bits). Never use bytes twice.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// As it stands in the element's `nonce` attribute: `[A-Za-z0-9_-]` only.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where reports go cannot stand in a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a report target must be visible ASCII without white space, comma or semicolon")]
pub struct BadReportTarget;

/// A directive that guards scripts or embedding would allow anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} must not allow data:, blob: or https:, which anybody can provide", directive.as_str())]
pub struct TooWide {
    /// Which.
    pub directive: Directive,
}

fn print(directive: Directive, sources: &[Source], nonce: Option<&CspNonce>) -> String {
    let mut text = String::from(directive.as_str());
    let mut allowed = sources.iter().filter_map(|source| source.text(nonce)).peekable();
    if allowed.peek().is_none() {
        text.push_str(" 'none'");
    }
    for source in allowed {
        text.extend([" ", source.as_ref()]);
    }
    text
}
