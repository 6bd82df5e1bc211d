//! Verdicts and their reasons. The names are stable: they stand in logs, metrics and assertions.

/// What the decision says of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum CsrfVerdict {
    /// Let it through.
    Pass(PassReason),
    /// Refuse it; no token changes that.
    Deny(DenyReason),
    /// Let it through only with a valid CSRF token.
    NeedsToken(NeedReason),
}

impl CsrfVerdict {
    /// The end of the matter, once it is known whether the request carried a valid token.
    ///
    /// # Errors
    /// The reason to deny. A valid token never overrides a [`CsrfVerdict::Deny`].
    pub const fn settle(self, token_is_valid: bool) -> Result<PassReason, DenyReason> {
        match self {
            Self::Pass(reason) => Ok(reason),
            Self::Deny(reason) => Err(reason),
            Self::NeedsToken(_) if token_is_valid => Ok(PassReason::ValidToken),
            Self::NeedsToken(need) => Err(DenyReason::NoToken(need)),
        }
    }

    /// The reason's stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass(reason) => reason.as_str(),
            Self::Deny(reason) => reason.as_str(),
            Self::NeedsToken(reason) => reason.as_str(),
        }
    }
}

/// Why a request passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PassReason {
    /// A safe method on a route that changes nothing.
    SafeMethod,
    /// `Authorization` and no cookie: nothing a browser adds on its own.
    NoCookie,
    /// The `Origin` of a trusted partner.
    TrustedOrigin,
    /// `Sec-Fetch-Site: same-origin`.
    SameOrigin,
    /// `Sec-Fetch-Site: none`: typed, bookmarked, or from outside the browser.
    UserInitiated,
    /// No fetch metadata, but our own `Origin`.
    PublicOrigin,
    /// Neither, but a `Referer` on our own pages.
    PublicReferer,
    /// Neither, but a `Referer` on a trusted partner's pages.
    TrustedReferer,
    /// None of these headers, but `X-CSRF: 1`, which no other site can send without a preflight.
    CustomHeader,
    /// None of these headers and no cookie to misuse.
    NothingToMisuse,
    /// A token was needed, and it is valid.
    ValidToken,
    /// It would have been refused, but the policy only reports.
    ReportOnly,
    /// The decision is off.
    Off,
}

impl PassReason {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SafeMethod => "safe_method",
            Self::NoCookie => "no_cookie",
            Self::TrustedOrigin => "trusted_origin",
            Self::SameOrigin => "same_origin",
            Self::UserInitiated => "user_initiated",
            Self::PublicOrigin => "public_origin",
            Self::PublicReferer => "public_referer",
            Self::TrustedReferer => "trusted_referer",
            Self::CustomHeader => "custom_header",
            Self::NothingToMisuse => "nothing_to_misuse",
            Self::ValidToken => "valid_token",
            Self::ReportOnly => "report_only",
            Self::Off => "off",
        }
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenyReason {
    /// TRACE.
    Trace,
    /// More than one `Origin`: one of them is a lie.
    RepeatedOrigin,
    /// More than one `Sec-Fetch-Site`.
    RepeatedFetchSite,
    /// More than one `Referer`, where it had to decide.
    RepeatedReferer,
    /// An `Origin` neither public nor trusted.
    ForeignOrigin,
    /// `Sec-Fetch-Site: same-site`: a sibling domain, or http instead of https.
    SameSite,
    /// `Sec-Fetch-Site: cross-site`.
    CrossSite,
    /// A `Referer` neither on public nor on trusted pages.
    ForeignReferer,
    /// A token was needed, and there was none or a wrong one.
    NoToken(NeedReason),
}

impl DenyReason {
    /// Each of them.
    pub const ALL: [Self; 11] = [
        Self::Trace,
        Self::RepeatedOrigin,
        Self::RepeatedFetchSite,
        Self::RepeatedReferer,
        Self::ForeignOrigin,
        Self::SameSite,
        Self::CrossSite,
        Self::ForeignReferer,
        Self::NoToken(NeedReason::NullOrigin),
        Self::NoToken(NeedReason::NoHeaders),
        Self::NoToken(NeedReason::Sensitive),
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::RepeatedOrigin => "repeated_origin",
            Self::RepeatedFetchSite => "repeated_fetch_site",
            Self::RepeatedReferer => "repeated_referer",
            Self::ForeignOrigin => "foreign_origin",
            Self::SameSite => "same_site",
            Self::CrossSite => "cross_site",
            Self::ForeignReferer => "foreign_referer",
            Self::NoToken(NeedReason::NullOrigin) => "null_origin_without_token",
            Self::NoToken(NeedReason::NoHeaders) => "no_headers_without_token",
            Self::NoToken(NeedReason::Sensitive) => "sensitive_without_token",
        }
    }
}

/// Why a token is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NeedReason {
    /// `Origin: null`: a sandboxed frame, or our own page with `no-referrer`. Only a token tells them apart.
    NullOrigin,
    /// A cookie, and not one header that says where the request came from.
    NoHeaders,
    /// The route is declared sensitive.
    Sensitive,
}

impl NeedReason {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NullOrigin => "null_origin",
            Self::NoHeaders => "no_headers",
            Self::Sensitive => "sensitive",
        }
    }
}
