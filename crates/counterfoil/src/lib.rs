//! The session layer for web apps and APIs: after any login one cookie decides who you are. Counterfoil issues it, keeps
//! it honest, notices when it is stolen, and takes it back.
//!
//! Start with [`Counterfoil`], put [`sessions`](Counterfoil::sessions) around your routes, and take what you need as
//! arguments of your handlers:
//!
//! | argument | what it gives |
//! |---|---|
//! | [`Session<T>`] | typed data of this session, anonymous or signed in |
//! | [`SignedIn`] | who is signed in; the handler does not run otherwise |
//! | [`Recent<SECONDS>`] | as `SignedIn`, and stepped up no longer ago than that |
//! | [`SignedInWithin<SECONDS>`] | as `SignedIn`, and proved who they are no longer ago than that |
//! | [`ActiveWithin<SECONDS>`] | as `SignedIn`, on routes with an idle limit of their own |
//! | [`SignIn`] | the only road to a subject |
//! | [`CsrfToken`] | the token for a form |
//! | [`Flash`] | words for the next page, shown once |
//!
//! What this stops and what it does not, why each default is as it is, and where tokens may live in a browser:
//! [`manual`].

#[cfg(feature = "accounts")]
pub mod accounts;
pub mod adopt;
mod clock;
mod csp_report;
pub mod data;
pub mod detector;
mod ended;
mod error;
mod extract;
#[cfg(feature = "geo")]
pub mod geo;
mod handle;
mod housekeeping;
pub mod keys;
pub mod layer;
pub mod limits;
mod log_event;
pub mod manual;
mod reply;
mod settings;
mod site;
mod store_time;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "user-agents")]
mod user_agents;

pub use counterfoil_core::address::{AddressSource, Places};
pub use counterfoil_core::agent::DeviceLabels;
pub use counterfoil_core::cookie::CookieKind;
pub use counterfoil_core::csrf::{DenyReason, NeedReason, PassReason};
pub use counterfoil_core::device::{BadDeviceName, DeviceName};
pub use counterfoil_core::engine::{Identity, SessionError, SignInError, SignInOptions, SignedInNow, StepUpError};
pub use counterfoil_core::keys::{GeneratedKeys, KeyError, KeySource};
pub use counterfoil_core::policy::{PolicyError, PolicySettings, Preset, Span};
pub use counterfoil_core::rules::{
    Amr, Assurance, Correction, Decision, EndReason, Factor, Limits, NetworkKind, Place, Reaction, Spot, Trigger,
};
pub use counterfoil_core::seam::{Denial, is_navigation};
pub use counterfoil_core::store::{Page, Store, StoreError, Summary};
pub use counterfoil_core::{
    BadSubject, Clock, Event, EventKind, EventSink, FakeClock, MemoryStore, Moment, Policy, Rfc3339, SessionId,
    Subject, SubjectRef, SystemEntropy,
};
pub use counterfoil_core::{headers, origin};
#[cfg(any(feature = "embedded", feature = "near-cache", feature = "postgres", feature = "redis"))]
pub use counterfoil_stores as stores;

pub use self::clock::SystemClock;
pub use self::csp_report::{CSP_REPORT_PATH, REPORTS_PER_MINUTE};
pub use self::error::Error;
pub use self::extract::{
    ActiveWithin, Completed, CsrfToken, Flash, Recent, Session, SignIn, SignedIn, SignedInWithin, SigningIn, local_path,
};
pub use self::keys::{CommandKeys, EnvironmentKeys, FileKeys};
pub use self::limits::{LimitSettings, Limiter, TriedTooOften};
pub use self::log_event::log_event;
pub use self::settings::{SettingsError, policy_from_toml, settings_from_toml};
pub use self::site::{Builder, Counterfoil};
pub use self::store_time::{ClockRefused, StoreTime};
#[cfg(feature = "user-agents")]
pub use self::user_agents::{UserAgents, UserAgentsError};
