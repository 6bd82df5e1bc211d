//! What a server sees of a sequence: all that reaches the engine. Labels are only compared with each other, never looked
//! at.

use std::collections::BTreeMap;
use std::net::IpAddr;

use counterfoil_core::policy::Preset;
use counterfoil_core::rules::{NetworkKind, NetworkRule, Place, Spot, Trigger};
use serde::Deserialize;

/// A sequence without its labels.
#[derive(Debug, Clone, Deserialize)]
pub struct Scene {
    /// The policy it is played under.
    pub policy: Policy,
    /// What the subject has used of late.
    #[serde(default)]
    pub history: Option<Past>,
    /// Sessions of somebody else than the owner.
    #[serde(default)]
    pub sessions: BTreeMap<String, Whose>,
    /// Jars that are copies of others.
    #[serde(default)]
    pub copies: BTreeMap<String, Copied>,
    /// What clients say about themselves.
    pub clients: BTreeMap<String, Client>,
    /// Where addresses are; `None` is in no database.
    pub places: BTreeMap<IpAddr, Option<PlaceRow>>,
    /// The requests, in their order.
    pub requests: Vec<Request>,
}

/// A preset, and what overrides it. Times are in seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The preset.
    pub preset: Preset,
    /// From the last activity.
    pub idle: Option<u64>,
    /// From sign-in.
    pub absolute: Option<u64>,
    /// How often tokens rotate.
    pub rotate_every: Option<u64>,
    /// How long users are remembered.
    pub remember_for: Option<u64>,
    /// When another network is a change.
    pub network: Option<NetworkRule>,
}

/// What a subject has used in the last 30 days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    /// Clients, by label.
    pub clients: Vec<String>,
    /// Addresses.
    pub ips: Vec<IpAddr>,
}

/// Whose session it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whose {
    /// The subject.
    pub subject: String,
}

/// A jar that is a copy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copied {
    /// Of which jar.
    pub of: String,
    /// Before the first request from this second on.
    pub at: u64,
    /// Whether it takes the cookies it is given.
    pub follows: bool,
}

/// What a client sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its `User-Agent`.
    pub user_agent: String,
    /// Its other headers, by lower-case names.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The fingerprint of its TLS handshake, if a proxy hands one over.
    pub tls_fp: Option<String>,
}

/// What a database knows of an address.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceRow {
    country: Option<String>,
    lat: Option<f64>,
    lon: Option<f64>,
    radius_km: Option<u16>,
    asn: Option<u32>,
    network_type: NetworkType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NetworkType {
    Residential,
    Business,
    Mobile,
    Hosting,
    Vpn,
    Relay,
    Private,
}

/// A request. Who held the client is none of a server's business.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// Seconds since the start.
    pub at: u64,
    /// Which session's cookie.
    pub session: String,
    /// In which jar; the session's, unless it is said.
    pub jar: Option<String>,
    /// Which token.
    pub token: Presented,
    /// Where from.
    pub ip: IpAddr,
    /// Which client.
    pub client: String,
    /// Headers beside the client's.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What for.
    pub route: Route,
    /// The answer never arrives.
    #[serde(default)]
    pub lost: bool,
    /// Polling.
    #[serde(default)]
    pub quiet: bool,
    /// Whether it proves the key of a device-bound session.
    pub device_key: Option<bool>,
    /// Whether the application refused a sign-in or step-up.
    pub result: Option<Outcome>,
    /// What is wrong with its CSRF token.
    pub csrf: Option<Csrf>,
    /// What the application reports right after it.
    pub trigger: Option<Reported>,
}

/// Which token a request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presented {
    /// What the jar holds.
    Current,
    /// What it held before its last change.
    Previous,
    /// Something of the right shape with a wrong tag.
    Forged,
    /// None.
    None,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// It looks.
    Read,
    /// It changes something.
    Write,
    /// It matters who this is.
    Sensitive,
    /// It signs in.
    SignIn,
    /// It steps up.
    StepUp,
    /// It signs out.
    SignOut,
}

/// What became of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was wrong.
    Fail,
}

/// What is wrong with a CSRF token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Csrf {
    /// It is another one.
    Wrong,
    /// It is not there.
    Missing,
}

/// What the application reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reported {
    /// See [`Trigger`].
    PasswordChanged,
    /// See [`Trigger`].
    PasswordReset,
    /// See [`Trigger`].
    EmailChanged,
    /// See [`Trigger`].
    MfaChanged,
    /// See [`Trigger`].
    RoleChanged,
    /// See [`Trigger`].
    AccountDisabled,
    /// An operator ends all sessions of the subject.
    Admin,
}

impl Scene {
    /// Whether sessions of it are bound to devices: those wait for device-bound sessions.
    pub fn is_device_bound(&self) -> bool {
        self.requests.iter().any(|request| request.device_key.is_some())
    }
}

impl Request {
    /// The owner's, before the sequence begins.
    pub(crate) fn of_the_past(client: &str, ip: IpAddr, route: Route) -> Self {
        Self {
            at: 0,
            session: "owner's, before".into(),
            jar: None,
            token: if route == Route::SignIn { Presented::None } else { Presented::Current },
            ip,
            client: client.into(),
            headers: BTreeMap::new(),
            route,
            lost: false,
            quiet: false,
            device_key: None,
            result: None,
            csrf: None,
            trigger: None,
        }
    }
}

impl PlaceRow {
    /// The same in the engine's words.
    pub fn place(&self) -> Place {
        let country = self.country.as_ref().and_then(|country| country.as_bytes().try_into().ok());
        let spot = self.lat.zip(self.lon).and_then(|(lat, lon)| Spot::new(lat, lon, self.radius_km));
        Place { country, spot, asn: self.asn, kind: self.network_type.kind() }
    }
}

impl NetworkType {
    const fn kind(self) -> NetworkKind {
        match self {
            Self::Residential | Self::Business | Self::Mobile | Self::Private => NetworkKind::Ordinary,
            Self::Hosting => NetworkKind::Hosting,
            Self::Vpn => NetworkKind::Vpn,
            Self::Relay => NetworkKind::Relay,
        }
    }
}

impl Reported {
    /// The change of the account; `None` if an operator ends sessions.
    pub const fn trigger(self) -> Option<Trigger> {
        Some(match self {
            Self::PasswordChanged => Trigger::PasswordChanged,
            Self::PasswordReset => Trigger::PasswordReset,
            Self::EmailChanged => Trigger::EmailChanged,
            Self::MfaChanged => Trigger::MfaChanged,
            Self::RoleChanged => Trigger::RoleChanged,
            Self::AccountDisabled => Trigger::AccountDisabled,
            Self::Admin => return None,
        })
    }
}
