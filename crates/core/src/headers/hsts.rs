//! `Strict-Transport-Security` (RFC 6797).

use std::time::Duration;

/// How long browsers refuse plain http to this host.
///
/// # Examples
/// ```
/// use counterfoil_core::headers::Hsts;
/// use std::time::Duration;
///
/// let hsts = Hsts::excluding_subdomains(Hsts::ONE_YEAR)?;
/// assert_eq!(hsts.to_string(), "max-age=31536000");
/// assert!(Hsts::including_subdomains(Duration::from_secs(300)).is_err());
/// # Ok::<_, counterfoil_core::headers::HstsTooShort>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hsts {
    seconds: u64,
    subdomains: Subdomains,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subdomains {
    Included,
    Excluded,
}

impl Hsts {
    /// The least there is (ASVS 5.0, 3.4.1): a shorter promise lapses between two visits.
    pub const ONE_YEAR: Duration = Duration::from_hours(365 * 24);

    /// One year, sub-domains included.
    pub(super) const DEFAULT: Self = Self { seconds: Self::ONE_YEAR.as_secs(), subdomains: Subdomains::Included };

    /// For this host and every host below it, so each of those must be reachable over https.
    ///
    /// # Errors
    /// [`HstsTooShort`] below a year.
    pub const fn including_subdomains(max_age: Duration) -> Result<Self, HstsTooShort> {
        Self::new(max_age, Subdomains::Included)
    }

    /// For this host alone. A host below it can then be impersonated over plain http, and set cookies for this domain.
    ///
    /// # Errors
    /// [`HstsTooShort`] below a year.
    pub const fn excluding_subdomains(max_age: Duration) -> Result<Self, HstsTooShort> {
        Self::new(max_age, Subdomains::Excluded)
    }

    const fn new(max_age: Duration, subdomains: Subdomains) -> Result<Self, HstsTooShort> {
        let seconds = max_age.as_secs();
        if seconds < Self::ONE_YEAR.as_secs() {
            Err(HstsTooShort { seconds })
        } else {
            Ok(Self { seconds, subdomains })
        }
    }
}

impl std::fmt::Display for Hsts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "max-age={}", self.seconds)?;
        match self.subdomains {
            Subdomains::Included => out.write_str("; includeSubDomains"),
            Subdomains::Excluded => Ok(()),
        }
    }
}

/// A lifetime below a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a Strict-Transport-Security lifetime of {seconds} s is below a year ({} s)", Hsts::ONE_YEAR.as_secs())]
pub struct HstsTooShort {
    /// What was asked for.
    pub seconds: u64,
}
