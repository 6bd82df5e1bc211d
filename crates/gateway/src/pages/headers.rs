//! The headers of our pages: one content policy, without any script.

use counterfoil::CSP_REPORT_PATH;
use counterfoil::headers::{ContentSecurityPolicy, Directive, SecurityHeaders, Source, TooWide};

/// Our styles and pictures, and no script at all: an escaping mistake would still not run anything, and would be told.
pub(crate) fn security_headers() -> SecurityHeaders {
    let strict = ContentSecurityPolicy::strict();
    let ours = || [Source::SameOrigin];
    let narrow = |policy: ContentSecurityPolicy| -> Result<_, TooWide> {
        policy
            .set(Directive::DefaultSrc, [])?
            .set(Directive::ScriptSrc, [])?
            .set(Directive::ConnectSrc, [])?
            .set(Directive::FontSrc, [])?
            .set(Directive::StyleSrc, ours())?
            .set(Directive::ImgSrc, ours())
    };
    // Nothing here is wide and the address is plain, so nothing is refused; were it, the strict policy would stand.
    let policy = narrow(strict.clone()).unwrap_or_else(|_| strict.clone());
    SecurityHeaders::strict().content(policy.report_uri(CSP_REPORT_PATH).unwrap_or(strict))
}
