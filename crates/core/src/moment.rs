//! A point in time, in milliseconds since the Unix epoch. It comes in as an argument everywhere.

use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// Arithmetic saturates: a clock that steps back yields an age of zero, never a panic and never a huge age.
///
/// # Examples
/// ```
/// use counterfoil_core::Moment;
/// use std::time::Duration;
///
/// let start = Moment::from_unix_seconds(1_000);
/// assert_eq!(start + Duration::from_secs(5), Moment::from_unix_seconds(1_005));
/// assert_eq!(start.since(Moment::from_unix_seconds(2_000)), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Moment(u64);

impl Moment {
    /// The Unix epoch itself; as a time of birth it means "long ago".
    pub const EPOCH: Self = Self(0);

    /// From milliseconds since the Unix epoch.
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the Unix epoch.
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn unix_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down (as `auth_time` and `exp` are written).
    pub const fn unix_seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A moment as people read it: RFC 3339 in UTC, whole seconds.
///
/// # Examples
/// ```
/// use counterfoil_core::{Moment, Rfc3339};
///
/// assert_eq!(Rfc3339(Moment::from_unix_seconds(1_795_000_000)).to_string(), "2026-11-18T11:06:40Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339(pub Moment);

impl Rfc3339 {
    /// The end of the year 9999, in seconds since the Unix epoch: no later moment can be written.
    pub(crate) const LATEST: u64 = 253_402_300_799;

    /// The moment that this text names, to the second; `None` if it names none.
    pub fn read(text: &str) -> Option<Moment> {
        let since = humantime::parse_rfc3339(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Moment::from_unix_seconds(since.as_secs()))
    }
}

impl std::fmt::Display for Rfc3339 {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let since = Duration::from_secs(self.0.unix_seconds().min(Self::LATEST));
        out.pad(&humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + since).to_string())
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// Where the time comes from. Implemented outside this crate, or by a test that sets it by hand.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Moment;
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Moment {
        (**self).now()
    }
}

impl Clock for Box<dyn Clock> {
    fn now(&self) -> Moment {
        (**self).now()
    }
}

/// A clock that stands still until it is told to move: for tests of one's own routes and stores.
///
/// # Examples
/// ```
/// use counterfoil_core::{Clock, FakeClock, Moment};
/// use std::time::Duration;
///
/// let clock = FakeClock::at(Moment::from_unix_seconds(1_000));
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(clock.now(), Moment::from_unix_seconds(1_001));
/// ```
#[derive(Clone, Debug)]
pub struct FakeClock(std::sync::Arc<std::sync::atomic::AtomicU64>);

impl FakeClock {
    /// A clock that shows `start`. Clones show, and move, the same time.
    pub fn at(start: Moment) -> Self {
        Self(std::sync::Arc::new(start.0.into()))
    }

    /// Moves the clock on.
    pub fn advance(&self, span: Duration) {
        self.set(self.now() + span);
    }

    /// Sets the clock, also backwards.
    pub fn set(&self, moment: Moment) {
        self.0.store(moment.0, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}
