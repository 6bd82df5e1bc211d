//! The previous token is always allowed: it is good until the next rotation, however long that takes.

use counterfoil_core::Moment;
use counterfoil_core::rules::family::{Context, Verdict};
use fastrand::Rng;

use super::{Rule, Timing};
use crate::token::{Token, nonce};

/// Two good tokens at any time; whoever comes with the older one is sent the newer one again.
#[derive(Debug, Clone, Copy, Default)]
pub struct PreviousAllowed {
    timing: Timing,
}

/// The good tokens.
#[derive(Debug)]
pub struct Two {
    current: Token,
    previous: Option<Token>,
    since: Moment,
}

impl PreviousAllowed {
    /// With this timing.
    pub const fn new(timing: Timing) -> Self {
        Self { timing }
    }
}

impl Rule for PreviousAllowed {
    type State = Two;

    fn begin(&self, first: Token, now: Moment) -> Two {
        Two { current: first, previous: None, since: now }
    }

    fn judge(&self, two: &mut Two, token: &Token, _context: Context, _now: Moment) -> Verdict {
        if *token == two.current || Some(*token) == two.previous { Verdict::Accept } else { Verdict::Reuse }
    }

    fn conclude(&self, two: &mut Two, token: &Token, _: Verdict, now: Moment, random: &mut Rng) -> Option<Token> {
        if Some(*token) == two.previous {
            return Some(two.current);
        }
        let due = *token == two.current && now >= two.since + self.timing.rotate_every;
        due.then(|| {
            *two = Two { current: token.successor(&nonce(random)), previous: Some(*token), since: now };
            two.current
        })
    }
}
