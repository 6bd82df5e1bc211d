//! Ours: the real rules of the core, called as the engine calls them.

use counterfoil_core::Moment;
use counterfoil_core::keys::{BadKeyId, KeyId};
use counterfoil_core::rules::family::{Context, Family, Renewal, Verdict};
use fastrand::Rng;

use super::{Rule, Timing};
use crate::token::{Token, nonce};

/// One derived successor for each token; the old one dies once the new one was surely received.
#[derive(Debug, Clone, Copy)]
pub struct Counterfoil {
    timing: Timing,
    key: KeyId,
}

impl Counterfoil {
    /// With this timing.
    ///
    /// # Errors
    /// Never: the key's name is a constant.
    pub fn new(timing: Timing) -> Result<Self, BadKeyId> {
        Ok(Self { timing, key: KeyId::new("chain")? })
    }
}

impl Rule for Counterfoil {
    type State = Family;

    fn begin(&self, first: Token, now: Moment) -> Family {
        Family::born(first.hash(), now)
    }

    fn judge(&self, family: &mut Family, token: &Token, context: Context, now: Moment) -> Verdict {
        let judgement = family.judge(&token.presented(), context, now, self.timing.grace);
        if let Some(becomes) = judgement.becomes {
            *family = becomes;
        }
        judgement.verdict
    }

    fn conclude(
        &self,
        family: &mut Family,
        token: &Token,
        verdict: Verdict,
        now: Moment,
        random: &mut Rng,
    ) -> Option<Token> {
        match family.conclude(&token.presented(), verdict, now, self.timing.rotate_every) {
            Renewal::Keep => None,
            Renewal::Offer => {
                let nonce = nonce(random);
                let successor = token.successor(&nonce);
                *family = family.offering(successor.hash(), self.key, nonce, now)?;
                Some(successor)
            }
            Renewal::Repeat(link) => Some(token.successor(&link.nonce)).filter(|again| again.hash() == link.hash),
        }
    }

    fn step_up(&self, family: &mut Family, now: Moment) {
        if let Some(hastened) = family.hastened(now) {
            *family = hastened;
        }
    }
}
