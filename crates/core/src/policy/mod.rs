//! The policy: lifetimes, rotation, limits, reactions and where the site is. Checked once, when built.

mod address;
mod detection;
mod error;
pub mod explain;
mod settings;
mod span;
mod trigger;

use std::time::Duration;

pub use self::address::AddressSettings;
pub use self::detection::{DetectionSettings, GradeSetting, ShortenSettings};
pub use self::error::PolicyError;
pub use self::settings::{
    CookieSettings, CsrfSettings, CsrfWeakening, DangerSettings, PolicySettings, Preset, SessionSettings,
    TimeoutSettings,
};
pub use self::span::Span;
use self::trigger::Reactions;
pub use self::trigger::TriggerSettings;
use crate::address::AddressPolicy;
use crate::cookie::{CookieLifetime, CookieShape};
use crate::csrf::CsrfMode;
use crate::origin::{PublicOrigins, TrustedOrigins};
use crate::rules::{Grades, Limits, Reaction, Trigger, Vigilance};
use crate::store::Limit;

/// Everything an operator decides, checked and consistent.
///
/// # Security
/// The defaults are the strict choice. Whatever weakens them went through [`DangerSettings`] and is listed by
/// [`weakenings`](Self::weakenings), which the program logs when it starts.
///
/// # Examples
/// ```
/// use counterfoil_core::policy::{Policy, PolicySettings};
///
/// let policy = Policy::aal2("https://shop.example")?;
/// assert_eq!(policy.limits().idle.as_secs(), 3_600);
///
/// let mut settings = PolicySettings::aal2("https://shop.example");
/// settings.timeouts.idle = Some("3h".parse()?);
/// let refused = Policy::try_from(settings).map(|_| ()).unwrap_err().to_string();
/// assert!(refused.starts_with("timeouts.idle (3h) exceeds what preset aal2 allows (1h)"), "{refused}");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Policy {
    limits: Limits,
    grace: Duration,
    rotate_every: Duration,
    elevated_for: Duration,
    session_limit: Option<Limit>,
    on_reuse: OnReuse,
    reactions: Reactions,
    csrf: CsrfMode,
    trusted: TrustedOrigins,
    public: PublicOrigins,
    cookies: CookieShape,
    until_browser_closes: bool,
    address: AddressPolicy,
    vigilance: Vigilance,
    grades: Grades,
    shortened: (Duration, Duration),
    preset: Preset,
    danger: DangerSettings,
    weakenings: Vec<&'static str>,
}

/// What happens when a superseded token comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnReuse {
    /// The session ends, for the thief and for its user, who signs in again.
    #[default]
    Revoke,
    /// The token is refused and the event told; the session lives on. For the first weeks of a deployment.
    Report,
}

impl Policy {
    /// How long a sign-in may stay half done (design: at most 10 minutes).
    pub const PENDING_FOR: Duration = Duration::from_mins(10);

    /// The most session data, in bytes, names included. A session is no database.
    pub const MAX_DATA_BYTES: usize = 64 * 1024;

    /// NIST SP 800-63B-4 AAL1: absolute 30 days; idle 7 days (our choice).
    ///
    /// # Errors
    /// [`PolicyError`] if `origin` is not an origin.
    pub fn aal1(origin: &str) -> Result<Self, PolicyError> {
        PolicySettings::aal1(origin).try_into()
    }

    /// NIST SP 800-63B-4 AAL2, the default: absolute 24 hours, idle 1 hour.
    ///
    /// # Errors
    /// [`PolicyError`] if `origin` is not an origin.
    pub fn aal2(origin: &str) -> Result<Self, PolicyError> {
        PolicySettings::aal2(origin).try_into()
    }

    /// NIST SP 800-63B-4 AAL3: absolute 12 hours, idle 15 minutes; tokens rotate every 5 minutes.
    ///
    /// # Errors
    /// [`PolicyError`] if `origin` is not an origin.
    pub fn aal3(origin: &str) -> Result<Self, PolicyError> {
        PolicySettings::aal3(origin).try_into()
    }

    /// How long sessions live. `remember_for` applies only to those whose user asked to be remembered.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How long a predecessor stays good after its successor was surely received.
    pub const fn grace(&self) -> Duration {
        self.grace
    }

    /// How often a token is replaced.
    pub const fn rotate_every(&self) -> Duration {
        self.rotate_every
    }

    /// How long a step-up lasts.
    pub const fn elevated_for(&self) -> Duration {
        self.elevated_for
    }

    /// How many sessions a subject may have at once.
    pub const fn session_limit(&self) -> Option<Limit> {
        self.session_limit
    }

    /// What happens when a superseded token comes back.
    pub const fn on_reuse(&self) -> OnReuse {
        self.on_reuse
    }

    /// What is done to a subject's sessions when the account changes.
    pub const fn reaction(&self, trigger: Trigger) -> Reaction {
        self.reactions.of(trigger)
    }

    /// What is done with the CSRF verdict.
    pub const fn csrf(&self) -> CsrfMode {
        self.csrf
    }

    /// Other sites that may post here.
    pub const fn trusted_origins(&self) -> &TrustedOrigins {
        &self.trusted
    }

    /// Where this site is.
    pub const fn public_origins(&self) -> &PublicOrigins {
        &self.public
    }

    /// Names and attributes of our cookies.
    pub const fn cookies(&self) -> CookieShape {
        self.cookies
    }

    /// How long a cookie is kept that is good for `span`.
    pub const fn cookie_lifetime(&self, span: Duration) -> CookieLifetime {
        if self.until_browser_closes { CookieLifetime::UntilBrowserCloses } else { CookieLifetime::For(span) }
    }

    /// Whose word on the client's address counts.
    pub const fn address(&self) -> &AddressPolicy {
        &self.address
    }

    /// What is looked at to notice a stolen session, and how closely.
    pub const fn vigilance(&self) -> &Vigilance {
        &self.vigilance
    }

    /// What is decided on what is noticed.
    pub const fn grades(&self) -> &Grades {
        &self.grades
    }

    /// What the limits of a session of this age become where they are tightened.
    pub fn shortened(&self, age: Duration) -> Limits {
        let (idle, absolute) = self.shortened;
        Limits { idle, absolute: age.saturating_add(absolute), remember_for: None }
    }

    /// What was weakened, in words for the log at start. Empty with the defaults.
    pub fn weakenings(&self) -> &[&'static str] {
        &self.weakenings
    }
}

#[cfg(test)]
mod tests;
