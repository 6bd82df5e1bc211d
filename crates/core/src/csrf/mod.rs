//! Cross-site request forgery: whether a request that may change something came from our own pages.

mod decision;
mod method;
mod reason;
#[cfg(test)]
mod tests;
pub(crate) mod token;

pub use self::decision::{CsrfFacts, HeaderCount, RouteFlags, decide};
pub use self::method::{MethodKind, effective_method};
pub use self::reason::{CsrfVerdict, DenyReason, NeedReason, PassReason};

/// What is done with the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CsrfMode {
    /// Nothing is judged. A weakening: configuration reaches it through `danger` alone.
    Off,
    /// Judged and told, but let through: for the first weeks in front of an existing app.
    Report,
    /// Judged, and what is denied does not reach the app.
    #[default]
    Enforce,
}
