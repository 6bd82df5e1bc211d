//! Rules with one thing wrong. Each must be caught, or the model shows nothing.

use std::time::Duration;

use counterfoil_core::Moment;
use counterfoil_core::keys::KeyId;
use counterfoil_core::rules::family::{Context, Family, Judgement, Link, Presented, Renewal, Verdict};
use counterfoil_core::token::{Nonce, TokenHash};

use crate::bounds::Actor::{
    Cache, Crash, Detour, KeyRotation, Races, SecondNetwork, SignOut, StaticThief, StepUp as StepsUp, Stranger,
};
use crate::bounds::{Actor, Bounds, Setting};
use crate::property::Property;
use crate::rules::{CacheMay, Commit, Rules, StepUp};

/// A mutant, what it should break, and the world in which it shows.
pub struct Mutant {
    /// What is wrong with it.
    pub name: &'static str,
    /// The rules.
    pub rules: &'static dyn Rules,
    /// The property it breaks. `None`: explored to a fixpoint, and found to break nothing.
    pub breaks: Option<Property>,
    /// The world.
    pub setting: Setting,
}

impl std::fmt::Debug for Mutant {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Mutant").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every mutant: those 03 lists, then those of the engine and of step-up.
pub fn mutants() -> Vec<Mutant> {
    let mut all = listed();
    all.extend(of_the_engine());
    all
}

fn listed() -> Vec<Mutant> {
    vec![
        mutant("no grace", &NoGrace, HONEST, &[]),
        mutant("grace that its own use extends", &OwnUseExtends, DETECTION, &[StaticThief]),
        mutant("a second successor for one link", &SecondSuccessor, HONEST, &[]),
        mutant("the predecessor dies at first use", &DiesAtFirstUse, HONEST, &[]),
        mutant("no crash row", &NoCrashRow, HONEST, &[Crash]),
        mutant("the network in the ordinary rows", &NetworkEverywhere, HONEST, &[SecondNetwork]),
        // Within 03's assumptions what was reuse on an earlier record is reuse now. One step beyond them it is not: a
        // link that is about to close is open again to a request which an earlier record takes for a thief's.
        mutant("reuse found on a cached record", &ReuseFromCache, HONEST, &[SecondNetwork, Crash, Detour, Cache]),
        mutant("the same within what 03 assumes", &ReuseFromCache, None, &[SecondNetwork, Crash, Cache]),
        mutant("no row for a link about to close", &NoClosingRow, HONEST, &[SecondNetwork, Crash, Detour]),
        mutant("any refusal on a cached record", &RefusalFromCache, HONEST, &[Cache]),
        mutant("step-up that replaces the token", &StepUpReplaces, HONEST, &[StepsUp]),
        mutant("chain key of today", &TodaysKey, HONEST, &[KeyRotation]),
    ]
}

fn of_the_engine() -> Vec<Mutant> {
    let finality = Some(Property::Finality);
    let amplified = Some(Property::NoAmplification);
    vec![
        mutant("a successor derived as of the request", &RepeatsAsOfRequest, HONEST, &[]),
        mutant("a write that expects nothing", &WritesBlindly, HONEST, &[Races]),
        mutant("a write that revives", &Revives, finality, &[Races, SignOut]),
        mutant("a link that only a write closes", &ClosesOnlyByWrite, DETECTION, &[StaticThief]),
        mutant("a tag that nobody checks", &TagUnchecked, amplified, &[Stranger]),
        mutant("step-up makes rotation due at once", &DueAtOnce, HONEST, &[StepsUp]),
        mutant("step-up does so if sent once (holds)", &DueIfSentOnce, None, &[SecondNetwork, Crash, StepsUp]),
    ]
}

fn mutant(name: &'static str, rules: &'static dyn Rules, breaks: Option<Property>, actors: &'static [Actor]) -> Mutant {
    let setting = Setting { name, bounds: Bounds { stall: 1, ..Bounds::SHORT }, parallel: 2, actors };
    Mutant { name, rules, breaks, setting }
}

const HONEST: Option<Property> = Some(Property::NoHonestEnd);
const DETECTION: Option<Property> = Some(Property::Detection);

struct NoGrace;

impl Rules for NoGrace {
    fn judge(&self, family: &Family, token: &Presented, context: Context, now: Moment, _grace: Duration) -> Judgement {
        family.judge(token, context, now, Duration::ZERO)
    }
}

struct OwnUseExtends;

impl Rules for OwnUseExtends {
    fn judge(&self, family: &Family, token: &Presented, context: Context, now: Moment, grace: Duration) -> Judgement {
        let mut judged = family.judge(token, context, now, grace);
        if judged.verdict == Verdict::Accept && token.hash == family.current {
            judged.becomes = with_link(family, |link| link.until = link.until.map(|_| now + grace));
        }
        judged
    }
}

struct SecondSuccessor;

impl Rules for SecondSuccessor {
    fn conclude<'f>(
        &self,
        family: &'f Family,
        token: &Presented,
        verdict: Verdict,
        now: Moment,
        every: Duration,
    ) -> Renewal<'f> {
        match family.conclude(token, verdict, now, every) {
            Renewal::Repeat(_) => Renewal::Offer,
            other => other,
        }
    }

    fn offering(&self, family: &Family, hash: TokenHash, key: KeyId, nonce: Nonce, now: Moment) -> Option<Family> {
        let unlinked = Family { next: None, ..family.settled(now) };
        unlinked.offering(hash, key, nonce, now)
    }
}

struct DiesAtFirstUse;

impl Rules for DiesAtFirstUse {
    fn judge(&self, family: &Family, token: &Presented, context: Context, now: Moment, grace: Duration) -> Judgement {
        let mut judged = family.judge(token, context, now, grace);
        if let Some(becomes) = &mut judged.becomes
            && let Some(link) = becomes.next.take()
        {
            *becomes = Family { generation: becomes.generation + 1, current: link.hash, closed_at: now, next: None };
        }
        judged
    }
}

struct NoCrashRow;

impl Rules for NoCrashRow {
    fn judge(&self, family: &Family, token: &Presented, context: Context, now: Moment, grace: Duration) -> Judgement {
        let judged = family.judge(token, context, now, grace);
        reuse_if(judged.verdict == Verdict::RolledBack, judged)
    }
}

struct NoClosingRow;

impl Rules for NoClosingRow {
    fn judge(&self, family: &Family, token: &Presented, context: Context, now: Moment, grace: Duration) -> Judgement {
        let closing = family.next.as_ref().and_then(|link| link.until).is_some_and(|until| now <= until);
        let undated = with_link(family, |link| link.until = None);
        match undated {
            Some(undated) if closing && token.hash == family.current => undated.judge(token, context, now, grace),
            _ => family.judge(token, context, now, grace),
        }
    }
}

struct NetworkEverywhere;

impl Rules for NetworkEverywhere {
    fn judge(&self, family: &Family, token: &Presented, context: Context, now: Moment, grace: Duration) -> Judgement {
        let seen = family.next.as_ref().and_then(|link| link.seen);
        let elsewhere = seen.is_some_and(|seen| seen.context != context) && token.hash == family.current;
        reuse_if(elsewhere, family.judge(token, context, now, grace))
    }
}

struct ReuseFromCache;

impl Rules for ReuseFromCache {
    fn cache_may(&self) -> CacheMay {
        CacheMay::AlsoFindReuse
    }
}

struct RefusalFromCache;

impl Rules for RefusalFromCache {
    fn cache_may(&self) -> CacheMay {
        CacheMay::AlsoRefuse
    }
}

struct StepUpReplaces;

impl Rules for StepUpReplaces {
    fn step_up(&self, _family: &Family, _now: Moment, _sent_once: bool) -> StepUp {
        StepUp::Replaces
    }
}

struct TodaysKey;

impl Rules for TodaysKey {
    fn repeat_key(&self, _link: &Link, todays: KeyId) -> KeyId {
        todays
    }
}

struct RepeatsAsOfRequest;

impl Rules for RepeatsAsOfRequest {
    fn repeats_as_of_request(&self) -> bool {
        true
    }
}

struct WritesBlindly;

impl Rules for WritesBlindly {
    fn commit(&self) -> Commit {
        Commit::IfNotEnded
    }
}

struct Revives;

impl Rules for Revives {
    fn commit(&self) -> Commit {
        Commit::Always
    }
}

struct ClosesOnlyByWrite;

impl Rules for ClosesOnlyByWrite {
    fn judge(&self, family: &Family, token: &Presented, context: Context, now: Moment, grace: Duration) -> Judgement {
        let open = with_link(family, |link| link.until = link.until.map(|until| until.max(now)));
        open.as_ref().unwrap_or(family).judge(token, context, now, grace)
    }
}

struct TagUnchecked;

impl Rules for TagUnchecked {
    fn checks_tag(&self) -> bool {
        false
    }
}

struct DueAtOnce;

impl Rules for DueAtOnce {
    fn step_up(&self, family: &Family, now: Moment, _sent_once: bool) -> StepUp {
        due_if(true, family, now)
    }
}

/// Hastened where the current token was sent once, which costs a write at the first repeat of each link.
/// Not a mutant: the soonest rule that holds, at that price.
struct DueIfSentOnce;

impl Rules for DueIfSentOnce {
    fn step_up(&self, family: &Family, now: Moment, sent_once: bool) -> StepUp {
        due_if(sent_once, family, now)
    }
}

fn due_if(safe: bool, family: &Family, now: Moment) -> StepUp {
    let settled = family.settled(now);
    if !safe || settled.next.is_some() {
        return StepUp::LeavesFamily;
    }
    StepUp::Hastens(Family { closed_at: Moment::EPOCH, ..settled })
}

fn with_link(family: &Family, change: impl FnOnce(&mut Link)) -> Option<Family> {
    let mut changed = family.clone();
    changed.next.as_deref_mut().map(change)?;
    Some(changed)
}

fn reuse_if(wrong: bool, judged: Judgement) -> Judgement {
    if !wrong {
        return judged;
    }
    Judgement { verdict: Verdict::Reuse, becomes: None }
}
