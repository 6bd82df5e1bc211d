//! Whether a stored session may still be used. Pure: no clock, store or network.

use std::time::Duration;

use crate::moment::Moment;

/// How long a session lives, fixed when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the last user activity (ASVS 7.3.1).
    pub idle: Duration,
    /// From sign-in; never extended by anything (ASVS 7.3.2).
    pub absolute: Duration,
    /// From sign-in: how long the session lives on at lower assurance when idle or absolute passed.
    pub remember_for: Option<Duration>,
}

/// The times of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Sign-in, or creation of an anonymous session.
    pub created_at: Moment,
    /// The last user activity that was written.
    pub seen_at: Moment,
    /// Whether the new session's token was ever presented.
    pub provisional: bool,
}

/// What the clock says of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is good.
    Live,
    /// Idle or absolute passed; it is remembered until its own end.
    Remembered,
    /// It is over.
    Over(EndReason),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The user signed out.
    SignOut,
    /// The same browser signed in anew.
    Superseded,
    /// Nobody was active for too long.
    Idle,
    /// Its time was over.
    Absolute,
    /// Its first token was never presented.
    NeverUsed,
    /// A superseded token came back: somebody holds a copy.
    Reuse,
    /// Another session of the subject took its place.
    Limit,
    /// The user ended it from another session.
    EndedByUser,
    /// A password or another factor changed.
    CredentialChanged,
    /// Something else about the account changed: where the user is reached, or what they may do.
    AccountChanged,
    /// Nobody may sign in as this user any more.
    AccountDisabled,
    /// An operator ended it.
    Admin,
    /// The policy ends sessions on what it showed of its client.
    Suspicion,
    /// Another service said so, which the operator listens to: the user signed out there, or was signed out.
    SharedSignal,
}

impl Limits {
    /// How old a session may be that nobody has presented: its reply was lost.
    pub const UNUSED: Duration = Duration::from_mins(5);

    /// What the clock says. A limit of `n` seconds ends the session at its `n`th second, not after it.
    pub fn judge(&self, life: &Life, now: Moment) -> Standing {
        let age = now.since(life.created_at);
        if life.provisional && age >= Self::UNUSED {
            return Standing::Over(EndReason::NeverUsed);
        }
        let reason = if age >= self.absolute {
            EndReason::Absolute
        } else if now.since(life.seen_at) >= self.idle {
            EndReason::Idle
        } else {
            return Standing::Live;
        };
        match self.remember_for {
            Some(limit) if age < limit => Standing::Remembered,
            _ => Standing::Over(reason),
        }
    }

    /// What is left of them for a session whose user signed in before it began, elsewhere; `None` if nothing is. The
    /// absolute limit counts from that sign-in, and nobody asked this site to be remembered.
    pub fn left_since(&self, signed_in_at: Moment, now: Moment) -> Option<Self> {
        let absolute = self.absolute.checked_sub(now.since(signed_in_at)).filter(|left| !left.is_zero())?;
        Some(Self { absolute, remember_for: None, ..*self })
    }

    /// When user activity at `now` is worth a write: it moved by the touch step, and the session is good.
    /// A session past its limits is never touched back to life.
    pub fn touch(&self, life: &Life, now: Moment) -> Option<Moment> {
        let moved = now.since(life.seen_at) >= self.touch_step();
        (moved && self.judge(life, now) == Standing::Live).then_some(now)
    }

    /// How far `seen_at` may lag behind: a twentieth of the idle limit, between 5 seconds and 5 minutes, and for the
    /// short limits of tests never more than a quarter of it. The idle limit may come early by this, never late.
    pub fn touch_step(&self) -> Duration {
        Self::touch_step_of(self.idle)
    }

    /// The touch step of an idle limit, whichever it is.
    pub fn touch_step_of(idle: Duration) -> Duration {
        (idle / 20).clamp(Duration::from_secs(5), Duration::from_mins(5)).min(idle / 4)
    }

    /// The last moment at which the session can be good for anything: for clean-up and cookies.
    pub fn end_of(&self, created_at: Moment) -> Moment {
        created_at + self.absolute.max(self.remember_for.unwrap_or_default())
    }

    /// When a sweep first looks at a session that began at `created_at`: nothing is over before.
    pub fn first_look(&self, created_at: Moment) -> Moment {
        created_at + self.idle.min(Self::UNUSED)
    }

    /// When a sweep that looks at a session `now` looks again; `None` if it is over.
    pub fn next_look(&self, life: &Life, now: Moment) -> Option<Moment> {
        match self.judge(life, now) {
            Standing::Live => Some((life.seen_at + self.idle).max(now + Duration::from_millis(1))),
            Standing::Remembered => Some(self.end_of(life.created_at)),
            Standing::Over(_) => None,
        }
    }

    /// Each limit, the shorter of the two: a policy that was tightened applies to sessions that exist (ASVS 8.3.2).
    pub fn tightest(&self, other: &Self) -> Self {
        Self {
            idle: self.idle.min(other.idle),
            absolute: self.absolute.min(other.absolute),
            remember_for: self.remember_for.zip(other.remember_for).map(|(one, two)| one.min(two)),
        }
    }
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 14] = [
        Self::SignOut,
        Self::Superseded,
        Self::Idle,
        Self::Absolute,
        Self::NeverUsed,
        Self::Reuse,
        Self::Limit,
        Self::EndedByUser,
        Self::CredentialChanged,
        Self::AccountChanged,
        Self::AccountDisabled,
        Self::Admin,
        Self::Suspicion,
        Self::SharedSignal,
    ];

    /// The reason of this name, as [`as_str`](Self::as_str) gives it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// The stable name used in APIs, events and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignOut => "sign_out",
            Self::Superseded => "superseded",
            Self::Idle => "idle",
            Self::Absolute => "absolute",
            Self::NeverUsed => "never_used",
            Self::Reuse => "reuse",
            Self::Limit => "limit",
            Self::EndedByUser => "ended_by_user",
            Self::CredentialChanged => "credential_changed",
            Self::AccountChanged => "account_changed",
            Self::AccountDisabled => "account_disabled",
            Self::Admin => "admin",
            Self::Suspicion => "suspicion",
            Self::SharedSignal => "shared_signal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(remember: Option<u64>) -> Limits {
        let seconds = Duration::from_secs;
        Limits { idle: seconds(900), absolute: seconds(3_600), remember_for: remember.map(seconds) }
    }

    fn life(created: u64, seen: u64, provisional: bool) -> Life {
        Life { created_at: Moment::from_unix_seconds(created), seen_at: Moment::from_unix_seconds(seen), provisional }
    }

    #[test]
    fn a_session_ends_at_the_limit_not_after_it() {
        use Standing::{Live, Over, Remembered};
        #[rustfmt::skip]
        let rows = [
            //  name                       created seen  new    remember     now    verdict
            ("a second before idle",       0,      0,    false, None,        899,   Live),
            ("at idle",                    0,      0,    false, None,        900,   Over(EndReason::Idle)),
            ("activity postpones idle",    0,      899,  false, None,        1_798, Live),
            ("a second before absolute",   0,      3_598, false, None,       3_599, Live),
            ("at absolute, though active", 0,      3_599, false, None,       3_600, Over(EndReason::Absolute)),
            ("clock stepped back",         500,    500,  false, None,        100,   Live),
            ("idle, remembered",           0,      0,    false, Some(9_000), 900,   Remembered),
            ("absolute, remembered",       0,      3_599, false, Some(9_000), 3_600, Remembered),
            ("remembered no longer",       0,      0,    false, Some(9_000), 9_000, Over(EndReason::Absolute)),
            ("new, never presented",       0,      0,    true,  None,        299,   Live),
            ("new, never presented, over", 0,      0,    true,  Some(9_000), 300,   Over(EndReason::NeverUsed)),
        ];
        for (name, created, seen, new, remember, now, verdict) in rows {
            let judged = limits(remember).judge(&life(created, seen, new), Moment::from_unix_seconds(now));
            assert_eq!(judged, verdict, "{name}");
        }
    }

    #[test]
    fn activity_is_written_at_its_step_and_never_revives() {
        #[rustfmt::skip]
        let rows = [
            //  name                   seen  now    written
            ("before the step",        0,    44,    false),
            ("at the step",            0,    45,    true),
            ("clock stepped back",     500,  100,   false),
            ("past idle",              0,    900,   false),
            ("past absolute",          3_500, 3_600, false),
        ];
        for (name, seen, now, written) in rows {
            let touched = limits(None).touch(&life(0, seen, false), Moment::from_unix_seconds(now));
            assert_eq!(touched.is_some(), written, "{name}");
        }
        assert_eq!(limits(Some(9_000)).touch(&life(0, 0, false), Moment::from_unix_seconds(1_000)), None, "remembered");
    }

    #[test]
    fn a_sign_in_elsewhere_uses_up_the_absolute_limit() {
        #[rustfmt::skip]
        let rows = [
            //  name                     signed in  now     seconds left
            ("just now",                 5_000,     5_000,  Some(3_600)),
            ("half an hour ago",         5_000,     6_800,  Some(1_800)),
            ("a second before the end",  5_000,     8_599,  Some(1)),
            ("at the end",               5_000,     8_600,  None),
            ("long ago",                 0,         90_000, None),
            ("by a clock ahead of ours", 5_060,     5_000,  Some(3_600)),
        ];
        for (name, signed_in, now, left) in rows {
            let (signed_in, now) = (Moment::from_unix_seconds(signed_in), Moment::from_unix_seconds(now));
            let limits = limits(Some(9_000)).left_since(signed_in, now);
            assert_eq!(limits.map(|limits| limits.absolute.as_secs()), left, "{name}");
            assert!(limits.is_none_or(|limits| limits.remember_for.is_none()), "{name}");
        }
    }

    #[test]
    fn a_reason_has_one_name_and_is_found_by_it() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::named(reason.as_str()), Some(reason));
        }
        assert_eq!((EndReason::SignOut.as_str(), EndReason::named("signed out")), ("sign_out", None));
    }

    #[test]
    fn the_touch_step_keeps_within_its_bounds() {
        let step = |idle| Limits { idle: Duration::from_secs(idle), ..limits(None) }.touch_step().as_secs();
        assert_eq!([step(4), step(20), step(100), step(3_600), step(604_800)], [1, 5, 5, 180, 300]);
    }
}
