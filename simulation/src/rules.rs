//! Ways to rotate a session's token: ours, and three others to compare with.

mod counterfoil;
mod previous;
mod siblings;
mod single_use;

use std::time::Duration;

use counterfoil_core::Moment;
use counterfoil_core::rules::family::{Context, Verdict};
use fastrand::Rng;

pub use self::counterfoil::Counterfoil;
pub use self::previous::PreviousAllowed;
pub use self::siblings::Siblings;
pub use self::single_use::SingleUse;
use crate::token::Token;

/// A way to rotate. Each call is one atomic step of the store.
pub trait Rule: Sync {
    /// What the store keeps of a session.
    type State;

    /// A session begins with its first token.
    fn begin(&self, first: Token, now: Moment) -> Self::State;

    /// What a presented token is worth; writes what that changes.
    fn judge(&self, state: &mut Self::State, token: &Token, context: Context, now: Moment) -> Verdict;

    /// Which cookie the response carries; writes a new one.
    fn conclude(
        &self,
        state: &mut Self::State,
        token: &Token,
        verdict: Verdict,
        now: Moment,
        random: &mut Rng,
    ) -> Option<Token>;

    /// The person steps up; the response carries the cookie of that and no other.
    fn step_up(&self, _state: &mut Self::State, _now: Moment) {}
}

/// How often tokens rotate, and how long an old one is forgiven: the same for all four, where they have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long an old token is good beside its successor.
    pub grace: Duration,
    /// How long a token is used before its successor is made.
    pub rotate_every: Duration,
}

impl Default for Timing {
    /// The defaults of the policy preset `aal2`.
    fn default() -> Self {
        Self { grace: Duration::from_secs(65), rotate_every: Duration::from_mins(15) }
    }
}
