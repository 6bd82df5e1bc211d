//! The scenarios: what each needs from the demo, how large it is, and how it is run.

pub(crate) mod counter;
pub(crate) mod limit;
pub(crate) mod password;
pub(crate) mod rotation;
pub(crate) mod sign_out;

use std::{sync::Arc, time::Duration};

use clap::ValueEnum;
use fastrand::Rng;
use indicatif::ProgressBar;

use crate::{
    browser::Target,
    demo::Flags,
    verdict::{Halt, Outcome},
};

/// One of the promises, raced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Sign-outs with slow reads, slow writes and rotations in flight: nothing revives
    SignOut,
    /// Parallel tabs, lost and late responses, two networks: nobody honest is signed out
    Rotation,
    /// 64 parallel updates of one counter: the replies are 1…64, each once
    Counter,
    /// 64 parallel sign-ins under a limit of three: three stay
    Limit,
    /// Sign-ins with the old password during its change: never both
    Password,
}

/// How large a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Full,
    Short,
}

/// Everything a scenario gets: the server, the clocks it was started with, and how much to do.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) target: Arc<Target>,
    pub(crate) rotate_every: Duration,
    pub(crate) grace: Duration,
    pub(crate) limit: u32,
    pub(crate) count: u64,
    pub(crate) seed: u64,
    pub(crate) bar: ProgressBar,
}

impl Scenario {
    /// All, in the order in which they run.
    pub(crate) const ALL: [Self; 5] = [Self::SignOut, Self::Rotation, Self::Counter, Self::Limit, Self::Password];

    /// The name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SignOut => "sign-out",
            Self::Rotation => "rotation",
            Self::Counter => "counter",
            Self::Limit => "limit",
            Self::Password => "password",
        }
    }

    /// Sign-outs, rotations or rounds.
    pub(crate) const fn count(self, size: Size) -> u64 {
        match (self, size) {
            (Self::SignOut | Self::Rotation, Size::Full) => 10_000,
            (Self::SignOut, Size::Short) => 500,
            (Self::Rotation, Size::Short) => 400,
            (Self::Counter | Self::Password, Size::Full) => 100,
            (Self::Counter | Self::Password, Size::Short) => 12,
            (Self::Limit, Size::Full) => 50,
            (Self::Limit, Size::Short) => 6,
        }
    }

    /// How the demo is started for it. Honest browsers get a grace well above what a busy machine adds to a request.
    pub(crate) const fn flags(self) -> Flags {
        let (rotate_every, grace) = match self {
            Self::Rotation => (3_000, 1_500),
            Self::SignOut | Self::Counter | Self::Limit | Self::Password => (2_000, 500),
        };
        Flags {
            rotate_every: Duration::from_millis(rotate_every),
            grace: Duration::from_millis(grace),
            limit: if matches!(self, Self::Limit) { 3 } else { NO_LIMIT },
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// [`Halt`] where the demo or the races themselves gave up: nothing was shown then.
    pub(crate) async fn run(self, stage: Stage) -> Result<Outcome, Halt> {
        match self {
            Self::SignOut => sign_out::run(stage).await,
            Self::Rotation => rotation::run(stage).await,
            Self::Counter => counter::run(stage).await,
            Self::Limit => limit::run(stage).await,
            Self::Password => password::run(stage).await,
        }
    }
}

impl Stage {
    /// The dice of one participant; the same seed throws the same.
    pub(crate) fn dice(&self, participant: u64) -> Rng {
        Rng::with_seed(self.seed ^ participant.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

/// A time between zero and `longest`.
pub(crate) fn up_to(dice: &mut Rng, longest: Duration) -> Duration {
    longest.mul_f64(dice.f64())
}

/// More sessions of one subject than any scenario holds at once.
const NO_LIMIT: u32 = 50_000;
