//! The limits as they are written, and the defaults with their reasons.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use super::{Act, Per, Rate};
use crate::policy::Span;

/// How often things may be tried. What is not set is as below.
///
/// The sources: OWASP ASVS 5.0, 6.3.1 (guessing is slowed down) and 6.1.1 (nobody is locked out by it); NIST SP 800-63B-4,
/// section 3.2.2 (guessing at one account is bounded).
///
/// # Examples
/// ```
/// use counterfoil_core::limits::LimitSettings;
///
/// let settings: LimitSettings = serde_json::from_str(r#"{ "sign_in": { "address": "20 per minute, burst 5" } }"#)?;
/// assert_eq!(settings.sign_in.address.pace().at_once().get(), 5);
/// assert_eq!(settings.sign_in.subject.to_string(), "20 per minute");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Tries at a password that fail.
    pub sign_in: SignInRates,
    /// Tries at a one-time code that fail.
    pub code: CodeRates,
    /// Tries that fail by somebody who is signed in: stepping up, the password before a new one.
    pub step_up: SessionRates,
    /// Sessions that are made, of strangers and by signing in.
    pub session_creation: AddressRates,
    /// Asking to stay signed in.
    pub refresh: SessionRates,
    /// Requests that are refused as cross-site. One that is not refused is never held back.
    pub csrf_failures: AddressRates,
    /// For how long an account is known at an address, or a /64, where it was signed in to. 30 days.
    pub known_for: Span,
}

/// Tries at a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInRates {
    /// From one IPv4 address or IPv6 /64: `10 per minute`, more than people who mistype.
    pub address: Rate,
    /// From one IPv6 /48, which may be one customer's or a whole city's: 16 times as many, unless set.
    pub network: Option<Rate>,
    /// At one account, from wherever it is not known: `20 per minute`. A password of the shortest length allowed stands for
    /// centuries at that pace.
    pub subject: Rate,
    /// At one account from one address or /64: `10 per hour`. Where the account is known this counts alone, and so does
    /// it for a browser that it was signed in to.
    pub place: Rate,
}

/// Tries at a one-time code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CodeRates {
    /// For one account, from wherever it is not known: `12 per hour, burst 5`. Of a million codes three are right at any
    /// time: a day of trying finds one with a chance below one in a thousand.
    pub subject: Rate,
    /// For one account from one place, as for passwords: `12 per hour, burst 5`.
    pub place: Rate,
}

/// By address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRates {
    /// From one IPv4 address or IPv6 /64.
    pub address: Rate,
    /// From one IPv6 /48: 16 times as many, unless set.
    #[serde(default)]
    pub network: Option<Rate>,
}

/// By session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRates {
    /// In one session.
    pub session: Rate,
}

impl AddressRates {
    /// From one IPv6 /48.
    pub fn network(&self) -> Rate {
        self.network.unwrap_or(self.address.times(A_NETWORK))
    }
}

impl SignInRates {
    /// Those by address.
    pub const fn by_address(&self) -> AddressRates {
        AddressRates { address: self.address, network: self.network }
    }
}

impl LimitSettings {
    /// Every rate, by what is tried and per what.
    pub fn rates(&self) -> [(Act, Per, Rate); 12] {
        let Self { sign_in, code, step_up, session_creation: made, refresh, csrf_failures: refused, .. } = self;
        [
            (Act::SignIn, Per::Address, sign_in.address),
            (Act::SignIn, Per::Network, sign_in.by_address().network()),
            (Act::SignIn, Per::Subject, sign_in.subject),
            (Act::SignIn, Per::Place, sign_in.place),
            (Act::Code, Per::Subject, code.subject),
            (Act::Code, Per::Place, code.place),
            (Act::StepUp, Per::Session, step_up.session),
            (Act::SessionCreation, Per::Address, made.address),
            (Act::SessionCreation, Per::Network, made.network()),
            (Act::Refresh, Per::Session, refresh.session),
            (Act::CsrfFailure, Per::Address, refused.address),
            (Act::CsrfFailure, Per::Network, refused.network()),
        ]
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        let by_address = |per_minute| AddressRates { address: per(per_minute, A_MINUTE), network: None };
        Self {
            sign_in: SignInRates::default(),
            code: CodeRates::default(),
            step_up: SessionRates { session: per(of(30), AN_HOUR).burst(of(10)) },
            session_creation: by_address(of(300)),
            refresh: SessionRates { session: per(of(60), A_MINUTE) },
            csrf_failures: by_address(of(60)),
            known_for: Span::from(Duration::from_hours(30 * 24)),
        }
    }
}

impl Default for SignInRates {
    fn default() -> Self {
        Self {
            address: per(of(10), A_MINUTE),
            network: None,
            subject: per(of(20), A_MINUTE),
            place: per(of(10), AN_HOUR),
        }
    }
}

impl Default for CodeRates {
    fn default() -> Self {
        let rate = per(of(12), AN_HOUR).burst(of(5));
        Self { subject: rate, place: rate }
    }
}

const fn per(count: NonZeroU32, span: Duration) -> Rate {
    Rate::new(count, span)
}

const fn of(count: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(count.saturating_sub(1))
}

/// As many households as may be busy at once in a /48 that is a provider's, not one customer's.
const A_NETWORK: NonZeroU32 = of(16);
const A_MINUTE: Duration = Duration::from_mins(1);
const AN_HOUR: Duration = Duration::from_hours(1);
