//! The world of a history: tabs, what the network does to messages, crashes, a thief.

use std::ops::RangeInclusive;

/// A range of seconds.
pub type Seconds = RangeInclusive<u64>;

/// What a history goes through. Shares are of 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// Tabs that poll once a minute while the browser is in use.
    pub tabs: u8,
    /// The share of messages that are lost, each way; drawn for each history from this range.
    pub loss: RangeInclusive<f64>,
    /// Messages that take long.
    pub late: Late,
    /// The share of requests that leave by a second network.
    pub second_network: f64,
    /// Whether the browser crashes.
    pub crashes: Crashes,
    /// Whether somebody copies the cookie.
    pub thief: Option<Thief>,
}

/// Messages that take long: a share of all, each way.
#[derive(Debug, Clone, PartialEq)]
pub struct Late {
    /// How many.
    pub share: f64,
    /// How long a request takes then.
    pub requests: Seconds,
    /// How long a response takes then.
    pub responses: Seconds,
}

/// Crashes of the browser: it forgets what it wrote to its jar in the last 30 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crashes {
    /// None.
    Never,
    /// About every four hours; it comes back on the network it was on.
    InPlace,
    /// About every four hours; it comes back on another network.
    Moving,
}

/// Somebody who copies the cookie from the jar at some moment of use, and presents the copy again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thief {
    /// Milliseconds from one use to the next.
    pub every: u64,
    /// Whether it looks like the browser.
    pub resemblance: Resemblance,
    /// Whether it keeps up with the family.
    pub follows: Follows,
}

/// What the server sees of a thief.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resemblance {
    /// The browser's own platform and network.
    Same,
    /// Another platform on another network.
    Other,
}

/// How a thief keeps up with newer tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Not at all: it goes on with the copy.
    No,
    /// Uses a newer token that it is sent from then on.
    AtOnce,
    /// Leaves a newer token that it is sent unused for five minutes, so that the browser uses it first, and then goes on with it.
    Patiently,
    /// Reads the jar anew before each use, as malware on the device can.
    ReadsJar,
}

impl Conditions {
    /// Eight tabs on a bad day: up to 30 % of messages lost, 1 % of them 10 to 60 s late, 30 % of requests over a second
    /// network.
    pub const fn bad_day() -> Self {
        Self {
            tabs: 8,
            loss: 0.0..=0.3,
            late: Late::up_to_a_minute(0.01),
            second_network: 0.3,
            crashes: Crashes::Never,
            thief: None,
        }
    }

    /// Four tabs on a good network: what ends a session here is not the network.
    pub const fn good_day() -> Self {
        Self {
            tabs: 4,
            loss: 0.01..=0.01,
            late: Late::up_to_a_minute(0.001),
            second_network: 0.0,
            crashes: Crashes::Never,
            thief: None,
        }
    }
}

impl Late {
    /// A share of messages 10 to 60 s late.
    pub const fn up_to_a_minute(share: f64) -> Self {
        Self { share, requests: 10..=60, responses: 10..=60 }
    }

    /// The same, with requests no later than the rules assume after a crash: 33 s.
    pub const fn as_assumed(share: f64) -> Self {
        Self { share, requests: 10..=33, responses: 10..=60 }
    }
}
