//! Security headers as values. Each is made by a named constructor, so no text with a line break ever gets in.

mod cors;
mod csp;
mod hsts;
mod policies;
mod report;
mod security;
#[cfg(test)]
mod tests;

pub use self::cors::{Cors, CorsError, Credentials};
pub use self::csp::{BadReportTarget, ContentSecurityPolicy, CspNonce, Directive, Source, TooWide};
pub use self::hsts::{Hsts, HstsTooShort};
pub use self::policies::{
    ClearSiteData, CrossOriginOpenerPolicy, CrossOriginResourcePolicy, Feature, PermissionsPolicy, ReferrerPolicy,
};
pub use self::report::{CspViolation, NotAReport};
pub use self::security::SecurityHeaders;
