//! The rules under test. The real ones delegate to the core; a mutant overrides one.

use std::time::Duration;

use counterfoil_core::Moment;
use counterfoil_core::keys::KeyId;
use counterfoil_core::rules::family::{Context, Family, Judgement, Link, Presented, Renewal, Verdict};
use counterfoil_core::token::{Nonce, TokenHash};

/// What the engine asks. Every default is the real rule.
pub trait Rules: Sync {
    /// What a token is worth.
    fn judge(&self, family: &Family, token: &Presented, context: Context, now: Moment, grace: Duration) -> Judgement {
        family.judge(token, context, now, grace)
    }

    /// Which cookie the response carries.
    fn conclude<'f>(
        &self,
        family: &'f Family,
        token: &Presented,
        verdict: Verdict,
        now: Moment,
        every: Duration,
    ) -> Renewal<'f> {
        family.conclude(token, verdict, now, every)
    }

    /// The family with a successor.
    fn offering(&self, family: &Family, hash: TokenHash, key: KeyId, nonce: Nonce, now: Moment) -> Option<Family> {
        family.offering(hash, key, nonce, now)
    }

    /// Which chain key derives a successor again.
    fn repeat_key(&self, link: &Link, _todays: KeyId) -> KeyId {
        link.key
    }

    /// Whether a successor is derived again from the record as the request found it, not as the response finds it.
    fn repeats_as_of_request(&self) -> bool {
        false
    }

    /// What a near cache may decide by itself.
    fn cache_may(&self) -> CacheMay {
        CacheMay::AcceptWithoutWrite
    }

    /// What a step-up does to the family.
    ///
    /// `sent_once`: the current token left the server in one response. Only rules that are tried out ask for it.
    fn step_up(&self, family: &Family, now: Moment, _sent_once: bool) -> StepUp {
        family.hastened(now).map_or(StepUp::LeavesFamily, StepUp::Hastens)
    }

    /// When a prepared write is carried out.
    fn commit(&self) -> Commit {
        Commit::IfAsLoaded
    }

    /// Whether a token's tag is checked before anything else.
    fn checks_tag(&self) -> bool {
        true
    }
}

/// The rules as they are.
#[derive(Debug, Clone, Copy)]
pub struct RealRules;

impl Rules for RealRules {}

/// What a near cache may decide by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheMay {
    /// Only that a token counts, and only if nothing is to be written.
    AcceptWithoutWrite,
    /// That, and that a token is reuse.
    AlsoFindReuse,
    /// That, and any refusal.
    AlsoRefuse,
}

/// What a step-up does to the family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepUp {
    /// Nothing.
    LeavesFamily,
    /// It makes rotation due.
    Hastens(Family),
    /// It replaces the current token by a fresh one.
    Replaces,
}

/// When a prepared write is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// Only on the record it was prepared from; otherwise it is judged again.
    IfAsLoaded,
    /// On any record that has not ended.
    IfNotEnded,
    /// Always.
    Always,
}
