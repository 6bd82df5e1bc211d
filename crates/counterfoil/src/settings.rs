//! A policy from a TOML text.

use counterfoil_core::limits::LimitSettings;
use counterfoil_core::policy::{Policy, PolicyError, PolicySettings};

/// Reads and checks a policy. Every key is optional but `origins`; unknown keys are refused.
///
/// # Errors
/// [`SettingsError`] says which line or which keys are wrong.
///
/// # Examples
/// ```
/// let policy = counterfoil::policy_from_toml(r#"
///     origins = ["https://shop.example"]
///     preset = "aal1"
///     [timeouts]
///     idle = "12h"
///     remember_for = "60days"
/// "#)?;
/// assert_eq!(policy.limits().idle.as_secs(), 43_200);
///
/// let typo = counterfoil::policy_from_toml("origins = []\n[timeouts]\nidel = \"1h\"").unwrap_err();
/// assert!(typo.to_string().contains("idel"), "{typo}");
/// # Ok::<_, counterfoil::SettingsError>(())
/// ```
pub fn policy_from_toml(text: &str) -> Result<Policy, SettingsError> {
    Ok(toml::from_str::<PolicySettings>(text)?.try_into()?)
}

/// Reads a policy, and beside it the table `[limits]`: how often things may be tried. Both are optional; unknown keys are
/// refused.
///
/// # Errors
/// What is wrong, and where.
///
/// # Examples
/// ```
/// use counterfoil::{Counterfoil, GeneratedKeys, Limiter, MemoryStore, Policy, settings_from_toml};
///
/// let (policy, limits) = settings_from_toml(r#"
///     origins = ["https://shop.example"]
///     [limits.sign_in]
///     address = "20 per minute, burst 10"
/// "#)?;
/// let site = Counterfoil::builder(Policy::try_from(policy)?, &GeneratedKeys, MemoryStore::new())?
///     .limits(Limiter::new(limits))
///     .build();
///
/// let wrong = settings_from_toml("[limits.sign_in]\naddress = \"often\"").unwrap_err();
/// assert!(wrong.to_string().contains("`often` is no rate: write `10 per minute`"), "{wrong}");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn settings_from_toml(text: &str) -> Result<(PolicySettings, LimitSettings), toml::de::Error> {
    #[derive(serde::Deserialize)]
    struct Limits {
        #[serde(default)]
        limits: LimitSettings,
    }
    let limits = toml::from_str::<Limits>(text)?.limits;
    let mut rest: toml::Table = toml::from_str(text)?;
    let policy = match rest.remove("limits") {
        // As it stands, so that mistakes are told with their lines.
        None => toml::from_str(text)?,
        Some(_) => rest.try_into()?,
    };
    Ok((policy, limits))
}

/// Why a text is no policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// It is not TOML, or has unknown keys or values of another type.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// Its values contradict each other, or weaken without `danger`.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}
