//! Keys from the environment.

use counterfoil_core::keys::{KeyError, KeyMaterial, KeySource};

/// Root keys from the environment: `COUNTERFOIL_KEYS` holds `id:base64,id:base64,…` (the first signs, all verify),
/// `COUNTERFOIL_REFERENCE_KEY` holds one more in base64 that is never changed.
///
/// Make each with `openssl rand -base64 32`.
///
/// # Security
/// To rotate, put the new key behind the old one on every node, then in front, and take the old one out when the last
/// session made with it has ended. A new reference key forgets who was signed out everywhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct EnvironmentKeys;

impl KeySource for EnvironmentKeys {
    fn keys(&self) -> Result<KeyMaterial, KeyError> {
        let keys = read("COUNTERFOIL_KEYS", "`id:base64`, the first of which signs")?;
        KeyMaterial::parse(&keys, &read("COUNTERFOIL_REFERENCE_KEY", "32 bytes or more in base64")?)
    }
}

fn read(name: &str, holds: &'static str) -> Result<String, KeyError> {
    std::env::var(name).map_err(|_| KeyError::NotSet { name: name.into(), holds })
}
