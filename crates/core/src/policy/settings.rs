//! The policy as it is written: every key optional, unknown keys refused. Read, checked, then never looked at again.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use super::address::{AddressSettings, address_policy};
use super::detection::DetectionSettings;
use super::trigger::{Reactions, TriggerSettings};
use super::{OnReuse, Policy, PolicyError, Span};
use crate::cookie::{CookieNames, CookieShape, SameSite};
use crate::csrf::CsrfMode;
use crate::origin::{Origin, PublicOrigins, TrustedOrigins};
use crate::rules::Limits;
use crate::store::{Limit, OverLimit};

/// What an operator writes. `Policy::try_from` checks it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySettings {
    /// Where the site is, as browsers see it: `https://shop.example`. At least one.
    pub origins: Vec<String>,
    /// Which level of NIST SP 800-63B-4 the lifetimes follow.
    pub preset: Preset,
    /// Lifetimes and rotation.
    pub timeouts: TimeoutSettings,
    /// How many sessions, and what happens to a stolen one.
    pub sessions: SessionSettings,
    /// What is done to sessions when the account behind them changes.
    pub triggers: TriggerSettings,
    /// Who may post here.
    pub csrf: CsrfSettings,
    /// Attributes of our cookies.
    pub cookies: CookieSettings,
    /// Whose word on the client's address counts.
    pub address: AddressSettings,
    /// How a stolen session is noticed, and what is done then.
    pub detection: DetectionSettings,
    /// The door for everything that weakens.
    pub danger: DangerSettings,
}

/// The lifetimes of NIST SP 800-63B-4, sections 2.1.3, 2.2.3 and 2.3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Absolute 30 days, idle 7 days.
    Aal1,
    /// Absolute 24 hours, idle 1 hour.
    #[default]
    Aal2,
    /// Absolute 12 hours, idle 15 minutes.
    Aal3,
}

/// Lifetimes and rotation. What is not set is the preset's.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutSettings {
    /// From the last user activity.
    pub idle: Option<Span>,
    /// From sign-in; never extended.
    pub absolute: Option<Span>,
    /// How often a token is replaced: 15 minutes (`aal3`: 5), at least 5 × grace.
    pub rotate_every: Option<Span>,
    /// How long a predecessor stays good: 65 seconds (`aal3`: 60), never below 35.
    pub grace: Option<Span>,
    /// How long a step-up lasts: 5 minutes.
    pub elevated_for: Option<Span>,
    /// How long a user who asked for it is remembered. Off unless set.
    pub remember_for: Option<Span>,
}

/// How many sessions, and what happens to a stolen one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    /// How many a subject may have at once. No limit unless set.
    pub limit: Option<u32>,
    /// What happens to one more: the oldest ends, or the new one is refused.
    pub over_limit: Option<OverLimit>,
    /// What happens when a superseded token comes back.
    pub on_reuse: OnReuse,
}

/// Who may post here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsrfSettings {
    /// Exact origins of other sites that may send requests which change something. None unless named.
    pub trusted_origins: Vec<String>,
}

/// Attributes of our cookies. `Secure`, `HttpOnly` and `Path=/` are not among them: nothing undoes those.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CookieSettings {
    /// When a request from another site carries them: Lax unless set.
    pub same_site: SameSite,
    /// Drop them when the browser closes, instead of at the session's end.
    pub until_browser_closes: bool,
}

/// The door for everything that weakens. What is set here is logged at every start.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DangerSettings {
    /// Lifetimes longer than the preset's.
    pub beyond_preset: bool,
    /// Times below their floors. Honest users will be signed out: for tests only.
    pub below_floors: bool,
    /// Reactions to a changed account that do less than they should.
    pub weak_reactions: bool,
    /// Cross-site requests are not refused.
    pub csrf: Option<CsrfWeakening>,
}

/// How the CSRF decision is weakened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CsrfWeakening {
    /// It is made and told, but denies nothing: for the first weeks in front of an existing application.
    Report,
    /// It is not made at all.
    Off,
}

impl PolicySettings {
    /// [`Preset::Aal1`] for a site at `origin`.
    pub fn aal1(origin: &str) -> Self {
        Self { preset: Preset::Aal1, ..Self::aal2(origin) }
    }

    /// [`Preset::Aal2`] for a site at `origin`.
    pub fn aal2(origin: &str) -> Self {
        Self { origins: vec![origin.into()], ..Self::default() }
    }

    /// [`Preset::Aal3`] for a site at `origin`.
    pub fn aal3(origin: &str) -> Self {
        Self { preset: Preset::Aal3, ..Self::aal2(origin) }
    }
}

impl Preset {
    const fn idle(self) -> Duration {
        Duration::from_secs(match self {
            Self::Aal1 => 7 * DAY,
            Self::Aal2 => 3_600,
            Self::Aal3 => 15 * 60,
        })
    }

    const fn absolute(self) -> Duration {
        Duration::from_secs(match self {
            Self::Aal1 => 30 * DAY,
            Self::Aal2 => DAY,
            Self::Aal3 => DAY / 2,
        })
    }

    const fn rotate_every(self) -> Duration {
        Duration::from_secs(match self {
            Self::Aal1 | Self::Aal2 => 15 * 60,
            Self::Aal3 => 5 * 60,
        })
    }

    /// How long a predecessor stays good: a request arrives up to a minute after its cookie was attached, clocks differ by
    /// 2 s, and 3 s are to spare. A fifth of `rotate_every` at most, so 60 s in `aal3`.
    const fn grace(self) -> Duration {
        Duration::from_secs(match self {
            Self::Aal1 | Self::Aal2 => 65,
            Self::Aal3 => 60,
        })
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
            Self::Aal3 => "aal3",
        })
    }
}

impl TryFrom<PolicySettings> for Policy {
    type Error = PolicyError;

    fn try_from(settings: PolicySettings) -> Result<Self, PolicyError> {
        let (times, grades) = (Times::checked(&settings)?, settings.detection.grades());
        let public = public_origins(&settings.origins)?;
        let names =
            if public.iter().all(Origin::is_https) { CookieNames::https() } else { CookieNames::plain_http_loopback() };
        let trusted: Vec<Origin> =
            settings.csrf.trusted_origins.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        Ok(Self {
            limits: times.limits,
            grace: times.grace,
            rotate_every: times.rotate_every,
            elevated_for: times.elevated_for,
            session_limit: session_limit(&settings.sessions)?,
            on_reuse: settings.sessions.on_reuse,
            reactions: Reactions::checked(&settings.triggers, settings.danger.weak_reactions)?,
            csrf: csrf_mode(&settings.danger),
            trusted: TrustedOrigins::new(trusted),
            cookies: CookieShape::new(names, settings.cookies.same_site)?,
            until_browser_closes: settings.cookies.until_browser_closes,
            address: address_policy(&settings.address)?,
            vigilance: settings.detection.vigilance(&grades)?,
            grades,
            shortened: settings.detection.shortened()?,
            preset: settings.preset,
            danger: settings.danger.clone(),
            weakenings: weakenings(&settings, &public),
            public,
        })
    }
}

/// The times, once they fit together.
struct Times {
    limits: Limits,
    grace: Duration,
    rotate_every: Duration,
    elevated_for: Duration,
}

impl Times {
    fn checked(settings: &PolicySettings) -> Result<Self, PolicyError> {
        let (preset, given) = (settings.preset, &settings.timeouts);
        let or = |span: Option<Span>, default: Duration| span.map_or(default, Duration::from);
        let absolute = or(given.absolute, preset.absolute());
        let grace = or(given.grace, preset.grace());
        let times = Self {
            limits: Limits {
                idle: or(given.idle, preset.idle().min(absolute)),
                absolute,
                remember_for: given.remember_for.map(Duration::from),
            },
            grace,
            rotate_every: or(given.rotate_every, preset.rotate_every()),
            elevated_for: or(given.elevated_for, ELEVATED_FOR.min(absolute)),
        };
        times.check_order()?;
        if !settings.danger.beyond_preset {
            times.check_preset(preset)?;
        }
        if !settings.danger.below_floors {
            times.check_floors()?;
        }
        Ok(times)
    }

    fn check_order(&self) -> Result<(), PolicyError> {
        let absolute = ("timeouts.absolute", self.limits.absolute);
        for (key, value) in [("timeouts.idle", self.limits.idle), ("timeouts.elevated_for", self.elevated_for)] {
            within(key, value, absolute)?;
        }
        for (key, value) in [
            ("timeouts.idle", self.limits.idle),
            absolute,
            ("timeouts.elevated_for", self.elevated_for),
            ("timeouts.rotate_every", self.rotate_every),
            ("timeouts.grace", self.grace),
        ] {
            if value.is_zero() {
                return Err(PolicyError::Zero { key });
            }
        }
        match self.limits.remember_for {
            Some(remember) => within("timeouts.absolute", self.limits.absolute, ("timeouts.remember_for", remember)),
            None => Ok(()),
        }
    }

    fn check_preset(&self, preset: Preset) -> Result<(), PolicyError> {
        for (key, value, bound) in [
            ("timeouts.idle", self.limits.idle, preset.idle()),
            ("timeouts.absolute", self.limits.absolute, preset.absolute()),
        ] {
            if value > bound {
                return Err(PolicyError::BeyondPreset { key, value: value.into(), preset, bound: bound.into() });
            }
        }
        Ok(())
    }

    fn check_floors(&self) -> Result<(), PolicyError> {
        for (key, value, floor, why) in [
            (
                "timeouts.grace",
                self.grace,
                GRACE_FLOOR,
                "a cookie reaches the disk up to 30 s late, and the request with it takes its time; below this honest users are signed out",
            ),
            (
                "timeouts.rotate_every",
                self.rotate_every,
                self.grace.saturating_mul(5),
                "a late response could put a dead token back (5 × timeouts.grace)",
            ),
            ("timeouts.idle", self.limits.idle, Duration::from_mins(1), "people read"),
            ("timeouts.elevated_for", self.elevated_for, Duration::from_secs(30), "people type"),
        ] {
            if value < floor {
                return Err(PolicyError::BelowFloor { key, value: value.into(), floor: floor.into(), why });
            }
        }
        Ok(())
    }
}

fn within(key: &'static str, value: Duration, (bound_key, bound): (&'static str, Duration)) -> Result<(), PolicyError> {
    if value <= bound {
        return Ok(());
    }
    Err(PolicyError::Exceeds { key, value: value.into(), bound_key, bound: bound.into() })
}

fn public_origins(texts: &[String]) -> Result<PublicOrigins, PolicyError> {
    let origins: Vec<Origin> = texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let http = origins.iter().find(|origin| !origin.is_https());
    if let (Some(http), Some(https)) = (http, origins.iter().find(|origin| origin.is_https())) {
        return Err(PolicyError::MixedSchemes { http: http.to_string().into(), https: https.to_string().into() });
    }
    if let Some(far) = origins.iter().find(|origin| !origin.is_https() && !origin.is_loopback()) {
        return Err(PolicyError::PlainHttp { origin: far.to_string().into() });
    }
    PublicOrigins::new(origins).map_err(|_| PolicyError::NoOrigin)
}

fn session_limit(settings: &SessionSettings) -> Result<Option<Limit>, PolicyError> {
    let over = settings.over_limit.unwrap_or(OverLimit::EndOldest);
    let limit =
        |max| NonZeroU32::new(max).map(|max| Limit { max, over }).ok_or(PolicyError::Zero { key: "sessions.limit" });
    settings.limit.map(limit).transpose()
}

const fn csrf_mode(danger: &DangerSettings) -> CsrfMode {
    match danger.csrf {
        None => CsrfMode::Enforce,
        Some(CsrfWeakening::Report) => CsrfMode::Report,
        Some(CsrfWeakening::Off) => CsrfMode::Off,
    }
}

fn weakenings(settings: &PolicySettings, public: &PublicOrigins) -> Vec<&'static str> {
    let plain = !public.iter().all(Origin::is_https);
    [
        (plain, "plain http on loopback: cookies are sent without Secure; for development only"),
        (settings.danger.beyond_preset, "danger.beyond_preset: sessions may live longer than their preset allows"),
        (settings.danger.below_floors, "danger.below_floors: times below their floors; honest users may be signed out"),
        (
            settings.danger.weak_reactions,
            "danger.weak_reactions: sessions may outlive a change of password or a disabled account",
        ),
        (settings.danger.csrf == Some(CsrfWeakening::Off), "danger.csrf = off: cross-site requests are not refused"),
        (
            settings.danger.csrf == Some(CsrfWeakening::Report),
            "danger.csrf = report: cross-site requests are told, not refused",
        ),
        (
            settings.sessions.on_reuse == OnReuse::Report,
            "sessions.on_reuse = report: a stolen session is told, not ended",
        ),
    ]
    .into_iter()
    .filter_map(|(set, words)| set.then_some(words))
    .collect()
}

const DAY: u64 = 24 * 3_600;
/// Cookies reach the disk up to 30 s late (a crash forgets them), clocks differ by 2 s, and a request takes 3 s.
const GRACE_FLOOR: Duration = Duration::from_secs(35);
/// Long enough to read and confirm, short enough that a desk left alone is no risk.
const ELEVATED_FOR: Duration = Duration::from_mins(5);
