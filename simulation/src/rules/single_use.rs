//! Strict single use: making the next token ends the one before, and whoever comes with an old one is a thief.

use counterfoil_core::Moment;
use counterfoil_core::rules::family::{Context, Verdict};
use fastrand::Rng;

use super::{Rule, Timing};
use crate::token::{Token, nonce};

/// One good token at any time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SingleUse {
    timing: Timing,
}

/// The good token, and since when it is.
#[derive(Debug)]
pub struct Only {
    token: Token,
    since: Moment,
}

impl SingleUse {
    /// With this timing.
    pub const fn new(timing: Timing) -> Self {
        Self { timing }
    }
}

impl Rule for SingleUse {
    type State = Only;

    fn begin(&self, first: Token, now: Moment) -> Only {
        Only { token: first, since: now }
    }

    fn judge(&self, only: &mut Only, token: &Token, _context: Context, _now: Moment) -> Verdict {
        if *token == only.token { Verdict::Accept } else { Verdict::Reuse }
    }

    fn conclude(&self, only: &mut Only, token: &Token, _: Verdict, now: Moment, random: &mut Rng) -> Option<Token> {
        let due = *token == only.token && now >= only.since + self.timing.rotate_every;
        due.then(|| {
            *only = Only { token: token.successor(&nonce(random)), since: now };
            only.token
        })
    }
}
