//! A policy from a TOML text.

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
