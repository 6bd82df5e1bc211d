//! A token is presented: judged on a fresh load or on a cached record, and the verdict takes effect.

use counterfoil_core::Moment;
use counterfoil_core::rules::family::Verdict;

use crate::bounds::Actor;
use crate::conclude::Conclusion;
use crate::event::{Cookie, Event, Outcome, Party, Source, Way};
use crate::property::Property;
use crate::rules::CacheMay;
use crate::state::{Chain, Expect, Heard, Intent, Journey, Pending, Record, Request, State, Token, Work};
use crate::symbol;
use crate::world::{Step, World};

/// A verdict and its write.
pub(crate) struct Ruling {
    pub(crate) verdict: Verdict,
    pub(crate) write: Option<(Chain, i8)>,
}

impl World<'_> {
    /// A token is judged on a fresh load.
    pub(crate) fn present(&self, state: &State, journey: Journey, by: Party, node: u8) -> Step {
        let mut after = *state;
        let Record::Live(chain) = state.record else {
            return Step::to(presented(by, journey, node, Source::Store, Outcome::Ended), after);
        };
        let ruling = self.rule(&chain, 0, journey, self.clock(node, 0));
        let broken = self.judge_verdict(state, journey, ruling.verdict, by);
        self.note_use(&mut after, journey, ruling.verdict);
        let delayed = by == Party::Browser && self.has(Actor::Races) && state.pending.is_none();
        let (outcome, ahead) = match ruling.write {
            Some((becomes, ahead)) if delayed => {
                after.pending = Some(Pending {
                    request: journey,
                    node,
                    head_age: 0,
                    intent: Intent::Admit,
                    expect: Expect::Holds,
                    becomes,
                    ahead,
                });
                (Outcome::Writing(ruling.verdict), 0)
            }
            write => {
                let ahead = self.settle(&mut after, journey, by, ruling.verdict, write);
                (Outcome::Judged(ruling.verdict), ahead)
            }
        };
        Step { event: presented(by, journey, node, Source::Store, outcome), after, ahead, broken }
    }

    /// A token is judged on what node 1 has in its cache, if that may decide.
    pub(crate) fn present_to_cache(&self, state: &State, journey: Journey, by: Party) -> Option<Step> {
        let cached = state.cache?;
        let ruling = self.rule(&cached.chain, -cached.behind, journey, self.clock(1, 0));
        let decides = match ruling.verdict {
            Verdict::Accept => ruling.write.is_none(),
            Verdict::Reuse => self.rules.cache_may() != CacheMay::AcceptWithoutWrite,
            Verdict::Forgotten => self.rules.cache_may() == CacheMay::AlsoRefuse,
            Verdict::RolledBack => false,
        };
        if !decides {
            return None;
        }
        let mut after = *state;
        let admitted = ruling.verdict == Verdict::Accept;
        let late = matches!(state.record, Record::Ended { age } if admitted && age > self.setting.bounds.lease);
        let broken =
            late.then_some(Property::Finality).or_else(|| self.judge_verdict(state, journey, ruling.verdict, by));
        self.note_use(&mut after, journey, ruling.verdict);
        let ahead = self.settle(&mut after, journey, by, ruling.verdict, None);
        Some(Step {
            event: presented(by, journey, 1, Source::Cache, Outcome::Judged(ruling.verdict)),
            after,
            ahead,
            broken,
        })
    }

    pub(crate) fn rule(&self, chain: &Chain, ahead: i8, journey: Journey, now: Moment) -> Ruling {
        let family = symbol::family(chain, ahead, &self.keys);
        let bounds = self.setting.bounds;
        let judgement = self.rules.judge(
            &family,
            &symbol::presented(journey.token),
            symbol::context(journey.network),
            now,
            bounds.grace(),
        );
        Ruling {
            verdict: judgement.verdict,
            write: judgement.becomes.map(|family| symbol::chain(&family, chain, &self.keys, bounds)),
        }
    }

    /// Which property a verdict breaks.
    fn judge_verdict(&self, state: &State, journey: Journey, verdict: Verdict, by: Party) -> Option<Property> {
        let refused = matches!(verdict, Verdict::Reuse | Verdict::Forgotten);
        if by == Party::Browser && refused && !self.setting.may_end() {
            return Some(Property::NoHonestEnd);
        }
        let live = matches!(state.record, Record::Live(_));
        let dead = live && self.setting.has_thief() && state.watch.is_dead(journey.token.generation);
        (dead && verdict != Verdict::Reuse).then_some(Property::Detection)
    }

    fn note_use(&self, after: &mut State, journey: Journey, verdict: Verdict) {
        if self.setting.has_thief() && verdict == Verdict::Accept {
            after.watch.used(journey.token.generation, self.setting.bounds);
        }
    }

    /// The verdict takes effect. Returns how many generations the record moved on.
    pub(crate) fn settle(
        &self,
        after: &mut State,
        journey: Journey,
        by: Party,
        verdict: Verdict,
        write: Option<(Chain, i8)>,
    ) -> i8 {
        let mut work = Work { token: journey.token, rolled_back: verdict == Verdict::RolledBack, promised: None };
        let ahead = write.map_or(0, |(chain, ahead)| {
            after.write(Record::Live(chain), ahead);
            work.token.recount(ahead);
            ahead
        });
        match verdict {
            Verdict::Reuse => after.write(Record::Ended { age: 0 }, 0),
            Verdict::Accept | Verdict::RolledBack if by == Party::Browser && journey.heard == Heard::Yes => {
                work.promised = self.promise(after, work);
                after.begin_request(Request::Working(work));
            }
            _ => {}
        }
        ahead
    }

    /// For the mutant that decides at request time which successor it will derive again.
    fn promise(&self, state: &State, work: Work) -> Option<Token> {
        let Record::Live(chain) = state.record else {
            return None;
        };
        if !self.rules.repeats_as_of_request() {
            return None;
        }
        match self.conclusion(&chain, work, self.clock(0, 0), None) {
            Conclusion::Repeat { cookie } => Some(cookie),
            _ => None,
        }
    }
}

const fn presented(by: Party, journey: Journey, node: u8, source: Source, outcome: Outcome) -> Event {
    Event::Presented { by, token: Cookie(journey.token), way: Way(journey.network), node, source, outcome }
}
