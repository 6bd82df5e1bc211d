//! What is assumed of the world, in ticks, and who acts in it.

use std::time::Duration;

/// The assumptions, in ticks. What matters is how they relate, not how long a tick is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long a jar's change may stay out of the disk: what a crash forgets.
    pub flush: u8,
    /// How long after its cookie was attached a request may arrive.
    pub late: u8,
    /// How far the clocks of two nodes are apart.
    pub skew: u8,
    /// The rules' grace.
    pub grace: u8,
    /// The rules' `rotate_every`.
    pub rotate_every: u8,
    /// How long after it was concluded a response may reach the jar.
    pub reply: u8,
    /// How long a near cache may hold a record: the stated staleness.
    pub lease: u8,
    /// How long a write may be under way between its load and its compare-and-set.
    pub stall: u8,
}

impl Bounds {
    /// The smallest bounds in which every assumption still has room of its own; `rotate_every` at its floor.
    pub const SHORT: Self = Self::of(1, 1, 1, 5);
    /// Twice the room for the disk and the network.
    pub const LONG: Self = Self::of(2, 2, 1, 5);

    /// Bounds that satisfy 03: `grace = flush + late + skew`, `rotate_every = graces × grace`, replies as late as that.
    pub const fn of(flush: u8, late: u8, skew: u8, graces: u8) -> Self {
        let grace = flush + late + skew;
        Self { flush, late, skew, grace, rotate_every: graces * grace, reply: graces * grace, lease: grace, stall: 0 }
    }

    /// The rules' grace as they take it.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace.into())
    }

    /// The rules' `rotate_every` as they take it.
    pub fn rotate_every(&self) -> Duration {
        Duration::from_secs(self.rotate_every.into())
    }
}

/// Who or what acts beside the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A second network: each request leaves by either.
    SecondNetwork,
    /// The browser crashes, once per link; its jar falls back by up to `flush`.
    Crash,
    /// The browser changes network while it is without the token a crash cost it: beyond what is assumed.
    MoveAfterCrash,
    /// While it is without that token, a request may also leave by the other network, if it is overtaken: it arrives only
    /// after the token was used again. Beyond what is assumed, and what a link that is about to close is open for.
    Detour,
    /// The signing key changes in the middle of a link.
    KeyRotation,
    /// The browser steps up.
    StepUp,
    /// A node answers from a record it loaded up to `lease` ago.
    Cache,
    /// Loads and writes are apart: a write can lose its race.
    Races,
    /// A write of something else folds a closed link into the record.
    OtherWrites,
    /// A thief who copied one token and never follows.
    StaticThief,
    /// A thief who copied one token and takes every cookie that is offered to it.
    FollowingThief,
    /// The browser signs out.
    SignOut,
    /// Somebody who guesses tokens.
    Stranger,
}

/// One exploration: who acts, within which bounds.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// What it is called in the report.
    pub name: &'static str,
    /// The assumptions.
    pub bounds: Bounds,
    /// How many requests and responses may be under way at once; at most three.
    pub parallel: u8,
    /// Who acts beside the browser and the two nodes.
    pub actors: &'static [Actor],
}

impl Setting {
    /// Whether `actor` takes part.
    pub fn has(&self, actor: Actor) -> bool {
        self.actors.contains(&actor)
    }

    /// Whether a thief takes part.
    pub fn has_thief(&self) -> bool {
        self.has(Actor::StaticThief) || self.has(Actor::FollowingThief)
    }

    /// Whether a session may end by design, so that refusals are no fault.
    pub fn may_end(&self) -> bool {
        self.has_thief() || self.has(Actor::SignOut)
    }
}
