//! Which worlds the real rules are explored in.

use crate::bounds::Actor::{
    Cache, Crash, Detour, FollowingThief, KeyRotation, OtherWrites, Races, SecondNetwork, SignOut, StaticThief, StepUp,
    Stranger,
};
use crate::bounds::{Bounds, Setting};

/// How much to explore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// In about a minute of one core.
    Short,
    /// Everything.
    Full,
}

/// The worlds of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One exploration each.
    pub settings: Vec<Setting>,
}

impl Plan {
    /// The worlds for `size`.
    pub fn of(size: Size) -> Self {
        let settings = match size {
            Size::Short => worlds(Bounds::SHORT, 1, 2),
            Size::Full => [worlds(Bounds::SHORT, 2, 3), worlds(Bounds::LONG, 1, 2)].concat(),
        };
        Self { settings }
    }

    /// The worlds of the short plan within other bounds: to try assumptions that do not hold.
    pub fn within(bounds: Bounds) -> Self {
        Self { settings: worlds(bounds, 1, 2) }
    }
}

/// The worlds, with `few` parallel requests where there is much to tell apart, and `many` where there is less.
fn worlds(bounds: Bounds, few: u8, many: u8) -> Vec<Setting> {
    let raced = Bounds { stall: 1, ..bounds };
    let world = |name, bounds, parallel, actors| Setting { name, bounds, parallel, actors };
    vec![
        world("honest", bounds, 3, &[SecondNetwork, Crash, KeyRotation]),
        world("step-up", bounds, many, &[SecondNetwork, Crash, StepUp]),
        world("cached record", bounds, many, &[SecondNetwork, Crash, Cache]),
        world("detour", bounds, many, &[SecondNetwork, Crash, Detour, Cache]),
        world("lost races", raced, many, &[SecondNetwork, Crash, Races, OtherWrites]),
        world("static thief", bounds, 2, &[SecondNetwork, Crash, StaticThief]),
        world("following thief", bounds, few, &[SecondNetwork, FollowingThief]),
        world("sign-out", raced, few, &[Cache, Races, StaticThief, SignOut]),
        world("stranger", bounds, 2, &[Crash, Stranger]),
    ]
}
