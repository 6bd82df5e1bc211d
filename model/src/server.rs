//! What the nodes do: judge, write, conclude, step up, load into a cache. The engine as planned, around the rules.

use counterfoil_core::rules::family::Verdict;

use crate::bounds::Actor;
use crate::conclude::Conclusion;
use crate::event::{Cookie, Event, Outcome, Party};
use crate::property::Property;
use crate::rules::Commit;
use crate::state::{
    Cached, Chain, Expect, Heard, Intent, Journey, OfferKey, Pending, Record, Request, Route, State, Token, Work,
};
use crate::symbol;
use crate::world::{NODES, Step, World};

impl World<'_> {
    pub(crate) fn server_steps(&self, state: &State, steps: &mut Vec<Step>) {
        for (index, request) in state.distinct() {
            let without = state.with(index, Request::Idle);
            match *request {
                Request::Travelling(journey) => self.arriving(&without, journey, steps),
                Request::Working(work) => {
                    self.concluding(&without, work, steps);
                    self.stepping_up(&without, work, steps);
                }
                Request::Idle | Request::Replying { .. } => {}
            }
        }
        steps.extend(state.pending.map(|pending| self.writing(state, pending)));
        self.keeping(state, steps);
    }

    /// A request's head arrives, at either node.
    fn arriving(&self, without: &State, journey: Journey, steps: &mut Vec<Step>) {
        if journey.route == Route::Detour && !without.overtaken(journey) {
            return;
        }
        for node in NODES {
            steps.push(self.present(without, journey, Party::Browser, node));
        }
        steps.extend(self.present_to_cache(without, journey, Party::Browser));
    }

    /// A response is concluded, at either node.
    fn concluding(&self, without: &State, work: Work, steps: &mut Vec<Step>) {
        for node in NODES {
            steps.extend(self.concluded(without, work, Party::Browser, node));
        }
    }

    /// A prepared write meets the record: carried out, judged again, or too late.
    fn writing(&self, state: &State, pending: Pending) -> Step {
        let mut after = *state;
        after.pending = None;
        let live = matches!(state.record, Record::Live(_));
        let carried_out = match self.rules.commit() {
            Commit::IfAsLoaded => live && pending.expect == Expect::Holds,
            Commit::IfNotEnded => live,
            Commit::Always => true,
        };
        let (outcome, ahead, mut broken) =
            if carried_out { self.carry_out(&mut after, pending) } else { self.again(&mut after, pending) };
        if !live && matches!(after.record, Record::Live(_)) {
            broken = Some(Property::Finality);
        }
        Step { event: Event::Written { token: Cookie(pending.request.token), outcome }, after, ahead, broken }
    }

    fn carry_out(&self, after: &mut State, pending: Pending) -> (Outcome, i8, Option<Property>) {
        let write = (pending.becomes, pending.ahead);
        match pending.intent {
            Intent::Admit => {
                let verdict = Verdict::Accept;
                let ahead = self.settle(after, pending.request, Party::Browser, verdict, Some(write));
                (Outcome::Judged(verdict), ahead, None)
            }
            Intent::Offer { cookie, .. } => {
                let (becomes, ahead) = write;
                let offer = Conclusion::Offer { cookie, becomes, ahead };
                let unheard = pending.request.heard == Heard::No;
                let by = if unheard { Party::Stranger } else { Party::Browser };
                (Outcome::Offered, self.send(after, offer, by), None)
            }
        }
    }

    /// The race is lost: reload, and judge or conclude again; a request keeps the moment its head arrived.
    fn again(&self, after: &mut State, pending: Pending) -> (Outcome, i8, Option<Property>) {
        let Record::Live(chain) = after.record else {
            return (Outcome::Ended, 0, None);
        };
        let journey = pending.request;
        match pending.intent {
            Intent::Admit => {
                let now = self.clock(pending.node, pending.head_age);
                let ruling = self.rule(&chain, 0, journey, now);
                let refused = matches!(ruling.verdict, Verdict::Reuse | Verdict::Forgotten);
                let broken = (refused && !self.setting.may_end()).then_some(Property::NoHonestEnd);
                let ahead = self.settle(after, journey, Party::Browser, ruling.verdict, ruling.write);
                (Outcome::Judged(ruling.verdict), ahead, broken)
            }
            Intent::Offer { rolled_back, .. } => {
                let work = Work { token: journey.token, rolled_back, promised: None };
                let conclusion = self.conclusion(&chain, work, self.clock(pending.node, 0), None);
                let nothing = conclusion.cookie().is_none() || journey.heard == Heard::No;
                if nothing {
                    return (Outcome::Nothing, 0, None);
                }
                (Outcome::Offered, self.send(after, conclusion, Party::Browser), None)
            }
        }
    }

    /// What nodes do that no request asks for: rotate keys, fill a cache, write other things.
    fn keeping(&self, state: &State, steps: &mut Vec<Step>) {
        let Record::Live(chain) = state.record else { return };
        if self.has(Actor::KeyRotation) && chain.link.is_some_and(|link| link.key == OfferKey::Todays) {
            steps.push(Step::to(Event::KeyRotated, state.with_key_rotated()));
        }
        if self.has(Actor::Cache) {
            let mut after = *state;
            after.cache = Some(Cached { chain, behind: 0, age: 0 });
            steps.push(Step::to(Event::CacheLoads, after));
        }
        if self.has(Actor::OtherWrites) {
            let settled = symbol::family(&chain, 0, &self.keys).settled(self.clock(0, 0));
            let (settled, ahead) = symbol::chain(&settled, &chain, &self.keys, self.setting.bounds);
            let mut after = *state;
            after.write(Record::Live(settled), ahead);
            steps.extend((ahead > 0).then_some(Step { event: Event::Folded, after, ahead, broken: None }));
        }
    }
}

impl State {
    /// Whether the successor of the request's token was used again since.
    fn overtaken(&self, journey: Journey) -> bool {
        let Record::Live(chain) = self.record else { return true };
        journey.token != Token::CURRENT || chain.link.is_some_and(|link| link.until.is_some())
    }

    fn with_key_rotated(mut self) -> Self {
        if let Record::Live(Chain { link: Some(link), .. }) = &mut self.record {
            link.key = OfferKey::Older;
        }
        if let Some(Pending { becomes: Chain { link: Some(link), .. }, .. }) = &mut self.pending {
            link.key = OfferKey::Older;
        }
        self
    }
}
