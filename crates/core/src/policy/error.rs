//! Why settings do not make a policy. Each error names the keys and both values.

use super::Span;
use super::settings::Preset;
use crate::address::TrustsEveryone;
use crate::cookie::NeedsSecure;
use crate::origin::OriginError;
use crate::rules::Reaction;

/// Settings that contradict each other, or weaken what only `danger` may weaken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A length of time cannot be read.
    #[error("`{text}` is not a length of time: write a number and a unit, such as `15m`, `2s` or `500ms`")]
    NotASpan {
        /// What was written.
        text: Box<str>,
    },
    /// One limit is longer than another that contains it.
    #[error("{key} ({value}) exceeds {bound_key} ({bound})")]
    Exceeds {
        /// The key that is too long.
        key: &'static str,
        /// Its value.
        value: Span,
        /// The key it may not exceed.
        bound_key: &'static str,
        /// That key's value.
        bound: Span,
    },
    /// A limit is longer than its preset allows.
    #[error(
        "{key} ({value}) exceeds what preset {preset} allows ({bound}): choose a lower preset, or set danger.beyond_preset"
    )]
    BeyondPreset {
        /// The key.
        key: &'static str,
        /// Its value.
        value: Span,
        /// The preset.
        preset: Preset,
        /// What it allows.
        bound: Span,
    },
    /// A value is below the floor under which honest users are signed out.
    #[error("{key} ({value}) is below {floor}: {why}")]
    BelowFloor {
        /// The key.
        key: &'static str,
        /// Its value.
        value: Span,
        /// The least it may be.
        floor: Span,
        /// Why.
        why: &'static str,
    },
    /// A reaction does less than its trigger wants.
    #[error(
        "{key} ({reaction}) does less than {least}, which ASVS 7.4 wants there: choose that, or set danger.weak_reactions"
    )]
    WeakReaction {
        /// The key.
        key: &'static str,
        /// Its value.
        reaction: Reaction,
        /// The least it may be.
        least: Reaction,
    },
    /// A limit of nothing.
    #[error("{key} must be more than 0")]
    Zero {
        /// The key.
        key: &'static str,
    },
    /// No origin, or one that is not an origin.
    #[error("origins: {0}")]
    Origin(#[from] OriginError),
    /// There is no origin.
    #[error("origins: name at least one, such as `https://shop.example`; it is what browsers show in the address bar")]
    NoOrigin,
    /// Both http and https.
    #[error("origins: {http} is http and {https} is https; cookies cannot serve both")]
    MixedSchemes {
        /// The http one.
        http: Box<str>,
        /// The https one.
        https: Box<str>,
    },
    /// Plain http beyond this machine.
    #[error(
        "origins: {origin} is plain http beyond this machine; a session needs https (only loopback may go without)"
    )]
    PlainHttp {
        /// The origin.
        origin: Box<str>,
    },
    /// `SameSite=None` without Secure.
    #[error("cookies.same_site: {0}")]
    SameSite(#[from] NeedsSecure),
    /// A header is to be believed, but from nobody; or somebody is trusted, but no header named.
    #[error("address: trusted_proxies and header go together: name both, or neither")]
    AddressHalfSet,
    /// Every peer would be trusted.
    #[error("address.trusted_proxies: {0}")]
    TrustsEveryone(#[from] TrustsEveryone),
    /// A trusted proxy is not an address range.
    #[error("address.trusted_proxies: `{text}` is not an address or a range such as 10.0.0.0/8")]
    NotARange {
        /// What was written.
        text: Box<str>,
    },
}
