//! How often someone may try a password: per client address first, then per account name.

use std::{
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::{Duration, Instant},
};

use governor::{Quota, RateLimiter, clock::Clock, state::keyed::HashMapStateStore};

/// Too many attempts; answer 429 with `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; try again in {} s", self.retry_after_seconds())]
pub struct TooManyAttempts {
    wait: Duration,
}

impl TooManyAttempts {
    /// The value for `Retry-After`: whole seconds, rounded up, at least one.
    pub fn retry_after_seconds(&self) -> u64 {
        (self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0)).max(1)
    }
}

/// The limit on password attempts.
///
/// Per address: 10 at once, then one every 6 s. Per account name: 20 at once, then one every 3 s. A password of the
/// shortest length allowed stands for centuries at that pace; a person who mistypes never notices (OWASP ASVS 6.3.1).
///
/// # Security
/// A refused attempt does not prolong the wait (GCRA), so the longest lock-out is one step, 3 s, for as long as someone
/// keeps hammering that name from many addresses (ASVS 6.1.1: no malicious lock-out). The address is asked first, so one
/// address alone cannot use up an account's attempts. IPv6 counts by /64, which is what one subscriber holds.
/// Names are kept as a keyed hash: an unknown name costs and reveals the same as a known one.
#[derive(Debug)]
pub struct AttemptLimit(Option<Box<Counters>>);

#[derive(Debug)]
struct Counters {
    by_address: Keyed<IpAddr>,
    by_name: Keyed<u64>,
    codes_by_name: Keyed<u64>,
    names: RandomState,
    clock: Stopwatch,
}

type Keyed<K> = RateLimiter<K, HashMapStateStore<K>, Stopwatch, governor::middleware::NoOpMiddleware<Duration>>;

/// A clock that no change of the system's time moves.
#[derive(Debug, Clone)]
enum Stopwatch {
    /// Since then.
    Runs(Instant),
    /// No time passes.
    Stands,
    #[cfg(test)]
    Fake(governor::clock::FakeRelativeClock),
}

impl Clock for Stopwatch {
    type Instant = Duration;

    fn now(&self) -> Duration {
        match self {
            Self::Runs(since) => since.elapsed(),
            Self::Stands => Duration::ZERO,
            #[cfg(test)]
            Self::Fake(clock) => clock.now().into(),
        }
    }
}

impl AttemptLimit {
    /// A limit on the process's monotonic clock.
    pub fn on() -> Self {
        Self::with_clock(Stopwatch::Runs(Instant::now()))
    }

    /// A limit for which no time passes, so that a slow machine gets no further than a fast one: for tests.
    pub fn at_a_standstill() -> Self {
        Self::with_clock(Stopwatch::Stands)
    }

    /// Never refuses: for tests that are not about it.
    pub const fn off() -> Self {
        Self(None)
    }

    fn with_clock(clock: Stopwatch) -> Self {
        Self(Some(Box::new(Counters {
            by_address: RateLimiter::hashmap_with_clock(PER_ADDRESS.quota(), clock.clone()),
            by_name: RateLimiter::hashmap_with_clock(PER_NAME.quota(), clock.clone()),
            codes_by_name: RateLimiter::hashmap_with_clock(CODES_PER_NAME.quota(), clock.clone()),
            names: RandomState::new(),
            clock,
        })))
    }

    /// Counts one attempt to prove a password of `name` from `client`. Ask before the password is looked at.
    ///
    /// # Errors
    /// [`TooManyAttempts`], with the time after which asking again makes sense.
    pub fn attempt(&self, client: IpAddr, name: &str) -> Result<(), TooManyAttempts> {
        let Some(counters) = &self.0 else { return Ok(()) };
        counters.forget_the_idle();
        let now = counters.clock.now();
        let refuse = |wait| TooManyAttempts { wait };
        counters.by_address.check_key(&network(client)).map_err(|until| refuse(until.wait_time_from(now)))?;
        let name = counters.names.hash_one(name);
        counters.by_name.check_key(&name).map_err(|until| refuse(until.wait_time_from(now)))
    }

    /// Counts one attempt at a one-time code of `name`, whose password was right. Ask before the code is looked at.
    ///
    /// Per account name 5 at once, then one in 5 minutes. Of a million codes three are right at any time, so a day of
    /// trying finds one with a chance below one in a thousand. Whoever gets this far knows the password, so nobody else
    /// can lock an account's owner out here.
    ///
    /// # Errors
    /// As [`attempt`](Self::attempt).
    pub fn code(&self, client: IpAddr, name: &str) -> Result<(), TooManyAttempts> {
        let Some(counters) = &self.0 else { return Ok(()) };
        counters.forget_the_idle();
        let now = counters.clock.now();
        let refuse = |wait| TooManyAttempts { wait };
        counters.by_address.check_key(&network(client)).map_err(|until| refuse(until.wait_time_from(now)))?;
        let name = counters.names.hash_one(name);
        counters.codes_by_name.check_key(&name).map_err(|until| refuse(until.wait_time_from(now)))
    }
}

impl Counters {
    /// Keeps memory bounded by what was active in the last minute, at a cost paid only when the tables are large.
    fn forget_the_idle(&self) {
        if self.by_address.len() > MANY_KEYS {
            self.by_address.retain_recent();
        }
        if self.by_name.len() > MANY_KEYS {
            self.by_name.retain_recent();
        }
        if self.codes_by_name.len() > MANY_KEYS {
            self.codes_by_name.retain_recent();
        }
    }
}

/// The unit one subscriber holds: an IPv4 address, or the /64 of an IPv6 address.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

struct Pace {
    at_once: NonZeroU32,
    then_every: Duration,
}

impl Pace {
    fn quota(&self) -> Quota {
        // `with_period` refuses a zero period only; the fallback is the stricter reading of one.
        Quota::with_period(self.then_every).unwrap_or(Quota::per_hour(NonZeroU32::MIN)).allow_burst(self.at_once)
    }
}

const PER_ADDRESS: Pace = Pace { at_once: NonZeroU32::MIN.saturating_add(9), then_every: Duration::from_secs(6) };
const PER_NAME: Pace = Pace { at_once: NonZeroU32::MIN.saturating_add(19), then_every: Duration::from_secs(3) };
const CODES_PER_NAME: Pace = Pace { at_once: NonZeroU32::MIN.saturating_add(4), then_every: Duration::from_mins(5) };
const MANY_KEYS: usize = 10_000;

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit() -> (AttemptLimit, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (AttemptLimit::with_clock(Stopwatch::Fake(clock.clone())), clock)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn an_address_gets_ten_attempts_and_then_one_every_six_seconds() {
        let (limit, clock) = limit();
        assert!((0..10).all(|n| limit.attempt(address(1), &format!("name-{n}")).is_ok()));
        assert_eq!(limit.attempt(address(1), "ada").unwrap_err().retry_after_seconds(), 6);
        assert!(limit.attempt(address(2), "ada").is_ok(), "another address is not held back");
        clock.advance(Duration::from_secs(6));
        assert!(limit.attempt(address(1), "ada").is_ok());
        assert!(limit.attempt(address(1), "ada").is_err());
    }

    #[test]
    fn a_name_under_attack_is_free_again_after_one_step() {
        let (limit, clock) = limit();
        assert!((0..20).all(|n| limit.attempt(address(n), "ada").is_ok()));
        for n in 20..200 {
            assert_eq!(limit.attempt(address(n), "ada").unwrap_err().retry_after_seconds(), 3);
        }
        assert!(limit.attempt(address(201), "grace").is_ok(), "another name is not held back");
        clock.advance(Duration::from_secs(3));
        assert!(limit.attempt(address(202), "ada").is_ok(), "refused attempts must not prolong the wait");
    }

    #[test]
    fn codes_are_tried_five_times_and_then_once_in_five_minutes_wherever_from() {
        let (limit, clock) = limit();
        assert!((0..5).all(|n| limit.code(address(n), "ada").is_ok()));
        assert_eq!(limit.code(address(6), "ada").unwrap_err().retry_after_seconds(), 300);
        assert!(limit.code(address(7), "grace").is_ok(), "another name is not held back");
        assert!(limit.attempt(address(8), "ada").is_ok(), "nor are passwords");
        clock.advance(Duration::from_mins(5));
        assert!(limit.code(address(9), "ada").is_ok() && limit.code(address(10), "ada").is_err());
    }

    #[test]
    fn one_address_cannot_use_up_the_attempts_of_a_name() {
        let (limit, _) = limit();
        assert_eq!((0..100).filter(|_| limit.attempt(address(1), "ada").is_ok()).count(), 10);
        assert!(limit.attempt(address(2), "ada").is_ok());
    }

    #[test]
    fn neighbours_in_one_ipv6_network_count_together() {
        let (limit, _) = limit();
        for n in 0..10 {
            let client = format!("2001:db8:0:1::{n:x}").parse().unwrap();
            assert!(limit.attempt(client, &format!("name-{n}")).is_ok());
        }
        assert!(limit.attempt("2001:db8:0:1:ffff::1".parse().unwrap(), "ada").is_err());
        assert!(limit.attempt("2001:db8:0:2::1".parse().unwrap(), "ada").is_ok());
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), address(1));
    }

    #[test]
    fn idle_addresses_are_forgotten() {
        let (limit, clock) = limit();
        for n in 0..=u32::try_from(MANY_KEYS).unwrap() {
            let _ = limit.attempt(IpAddr::from(n.to_be_bytes()), "ada");
        }
        clock.advance(Duration::from_mins(10));
        limit.attempt(address(1), "ada").unwrap();
        assert_eq!(limit.0.unwrap().by_address.len(), 1);
    }

    #[test]
    fn where_it_is_off_nothing_is_refused() {
        let limit = AttemptLimit::off();
        assert!((0..1000).all(|_| limit.attempt(address(1), "ada").is_ok()));
    }
}
