//! The configuration as it is written: read, checked, then never looked at again.

use counterfoil::geo::GeoSettings;
use counterfoil::{LimitSettings, Span};
use counterfoil_serve::detector::DetectorSettings;
use counterfoil_telemetry::EventSettings;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::app::{Algorithm, CookieReturn, Proxy};
use crate::rules::ChangesState;

/// Everything but the apps and their policies, which are read one by one.
#[derive(Debug, Deserialize)]
pub(super) struct Settings {
    /// The folder of sessions, keys and accounts. Beside the file, unless it begins with a slash.
    pub(super) data: String,
    /// Where sessions are, if not in that folder.
    pub(super) store: Option<String>,
    #[serde(default)]
    pub(super) near_cache: Option<NearCacheSettings>,
    #[serde(default)]
    pub(super) listen: ListenSettings,
    /// How often things may be tried.
    #[serde(default)]
    pub(super) limits: LimitSettings,
    /// Databases of places.
    #[serde(default)]
    pub(super) geo: GeoSettings,
    /// Who is told what happens.
    #[serde(default)]
    pub(super) events: EventSettings,
    /// The operator's own detector.
    #[serde(default)]
    pub(super) detector: Option<DetectorSettings>,
    #[serde(default)]
    pub(super) danger: DangerSettings,
    #[serde(default, rename = "policy")]
    _policy: IgnoredAny,
    #[serde(default, rename = "apps")]
    _apps: IgnoredAny,
}

/// This node's memory before a store that others share. What is not said is as in the library.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NearCacheSettings {
    /// The longest a session may be admitted here after it was ended elsewhere.
    pub(super) bound: Option<Span>,
    /// How long one reading of the store may count.
    pub(super) lease: Option<Span>,
    /// What the sessions in memory may take, as `256 MiB`.
    pub(super) memory: Option<String>,
}

/// Where the gateway listens.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListenSettings {
    pub(super) public: Option<String>,
    pub(super) decision: Option<String>,
    pub(super) health: Option<String>,
    /// Connections to the public listener begin with a header of the PROXY protocol, version 2.
    pub(super) proxy_protocol: bool,
}

/// The door for what weakens. What is set here is logged at every start.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DangerSettings {
    /// Listeners that others than this machine may reach, though they are meant for the operator's proxy or monitoring.
    pub(super) beyond_loopback: Vec<Inner>,
}

/// A listener that is not for browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Inner {
    Decision,
    Health,
}

/// One app.
#[derive(Debug, Deserialize)]
pub(super) struct AppSettings {
    /// Where browsers see it.
    pub(super) origins: Vec<String>,
    pub(super) proxy: Proxy,
    /// Where the app itself is, for the proxy configurations we write.
    pub(super) upstream: Option<String>,
    #[serde(default)]
    pub(super) cookie_return: CookieReturn,
    #[serde(default)]
    pub(super) assertion: Algorithm,
    /// Names of its own session cookies.
    #[serde(default)]
    pub(super) app_cookies: Vec<String>,
    #[serde(default)]
    pub(super) rules: Vec<RuleSettings>,
    #[serde(default, rename = "policy")]
    _policy: IgnoredAny,
}

/// One rule.
#[derive(Debug, Deserialize)]
pub(super) struct RuleSettings {
    pub(super) path: String,
    pub(super) access: AccessSetting,
    /// For `step-up`: how long ago it may be. As long as the policy's `timeouts.elevated_for`, unless set.
    pub(super) max_step_up_age: Option<Span>,
    pub(super) max_idle: Option<Span>,
    pub(super) max_auth_age: Option<Span>,
    /// Which `GET`s are held to where they come from.
    #[serde(default)]
    pub(super) changes_state: ChangesState,
    #[serde(default)]
    pub(super) quiet: bool,
    /// The store itself is asked.
    #[serde(default)]
    pub(super) sensitive: bool,
}

/// Who may go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AccessSetting {
    Public,
    SignedIn,
    StepUp,
}

impl Inner {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Health => "health",
        }
    }
}
