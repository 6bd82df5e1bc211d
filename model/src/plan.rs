//! Which worlds the real rules are explored in.

use crate::bounds::Actor::{
    Cache, Crash, FollowingThief, KeyRotation, OtherWrites, Races, SecondNetwork, SignOut, StaticThief, StepUp,
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
    /// The worlds for `size`, within `bounds`.
    pub fn of(size: Size, bounds: Bounds) -> Self {
        let (few, many) = match size {
            Size::Short => (1, 2),
            Size::Full => (2, 3),
        };
        let raced = Bounds { stall: 1, ..bounds };
        let world = |name, bounds, parallel, actors| Setting {
            name,
            bounds,
            parallel,
            actors,
        };
        Self {
            settings: vec![
                world("honest", bounds, 3, &[SecondNetwork, Crash, KeyRotation]),
                world("step-up", bounds, many, &[SecondNetwork, Crash, StepUp]),
                world("cached record", bounds, 2, &[SecondNetwork, Crash, Cache]),
                world("lost races", raced, many, &[SecondNetwork, Crash, Races, OtherWrites]),
                world("static thief", bounds, 2, &[SecondNetwork, Crash, StaticThief]),
                world("following thief", bounds, 2, &[SecondNetwork, FollowingThief]),
                world("sign-out", raced, few, &[Cache, Races, StaticThief, SignOut]),
                world("stranger", bounds, 2, &[Crash, Stranger]),
            ],
        }
    }
}
