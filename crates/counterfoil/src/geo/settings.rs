//! Which files there are.

use std::path::{Path, PathBuf};

/// The table `[geo]` of a configuration. Every key is optional.
///
/// # Examples
/// ```
/// use counterfoil::geo::GeoSettings;
///
/// let settings: GeoSettings = toml::from_str("city = \"/var/lib/GeoIP/GeoLite2-City.mmdb\"")?;
/// assert!(settings.asn.is_none());
/// assert!(toml::from_str::<GeoSettings>("country = \"here\"").is_err());
/// # Ok::<_, toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeoSettings {
    /// A database of countries and places.
    pub city: Option<PathBuf>,
    /// A database of networks' operators.
    pub asn: Option<PathBuf>,
    /// The list of [`Networks`](super::Networks) whose place is nobody's.
    pub networks: Option<PathBuf>,
}

impl GeoSettings {
    /// The same, with relative paths beginning in `folder`.
    pub fn within(self, folder: &Path) -> Self {
        let within = |path: Option<PathBuf>| path.map(|path| folder.join(path));
        Self { city: within(self.city), asn: within(self.asn), networks: within(self.networks) }
    }

    /// Whether no file is named.
    pub const fn is_empty(&self) -> bool {
        self.city.is_none() && self.asn.is_none() && self.networks.is_none()
    }
}
