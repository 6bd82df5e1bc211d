//! A response is concluded: which cookie it carries, and what that writes. And step-up, which comes before it.

use counterfoil_core::Moment;
use counterfoil_core::rules::family::{Renewal, Verdict};
use counterfoil_core::token::Nonce;

use crate::bounds::Actor;
use crate::event::{Carries, Cookie, Event, Party};
use crate::rules::StepUp;
use crate::state::{
    Chain, Crash, Expect, Heard, Intent, Journey, Network, Pending, Record, Request, Route, Sent, State, Token, Work,
};
use crate::symbol;
use crate::world::{Step, World};

/// What a response carries, and what that writes.
#[derive(Clone, Copy)]
pub(crate) enum Conclusion {
    Nothing,
    Offer { cookie: Token, becomes: Chain, ahead: i8 },
    Repeat { cookie: Token },
}

impl World<'_> {
    /// The cookie of a response, decided on the record as it is now. `None` if there is none.
    pub(crate) fn concluded(&self, state: &State, work: Work, by: Party, node: u8) -> Option<Step> {
        let Record::Live(chain) = state.record else {
            return None;
        };
        let mut after = *state;
        let outcome = work.promised.map_or_else(
            || self.conclusion(&chain, work, self.clock(node, 0), state.offer_under_way()),
            |cookie| Conclusion::Repeat { cookie },
        );
        let delayed = by == Party::Browser && self.has(Actor::Races) && state.pending.is_none();
        let (carries, ahead) = match outcome {
            Conclusion::Nothing => return None,
            Conclusion::Offer { cookie, becomes, ahead } if delayed => {
                after.pending = Some(Pending::offer(work, node, cookie, becomes, ahead));
                (Carries::Writing(Cookie(cookie)), 0)
            }
            Conclusion::Offer { cookie, .. } => (Carries::Offer(Cookie(cookie)), self.send(&mut after, outcome, by)),
            Conclusion::Repeat { cookie } => (Carries::Repeat(Cookie(cookie)), self.send(&mut after, outcome, by)),
        };
        let event = Event::Concluded { by, token: Cookie(work.token), node, carries };
        Some(Step { event, after, ahead, broken: None })
    }

    /// Writes what a conclusion writes and puts its cookie on the way.
    pub(crate) fn send(&self, after: &mut State, conclusion: Conclusion, by: Party) -> i8 {
        let (mut cookie, ahead) = match conclusion {
            Conclusion::Nothing => return 0,
            Conclusion::Offer { cookie, becomes, ahead } => {
                after.write(Record::Live(becomes), ahead);
                if after.crash == Crash::Over {
                    after.crash = Crash::Possible;
                }
                (cookie, ahead)
            }
            Conclusion::Repeat { cookie } => {
                self.remember_repeat(after);
                (cookie, 0)
            }
        };
        cookie.recount(ahead);
        match by {
            Party::Browser => after.begin_request(Request::Replying { cookie, age: 0 }),
            Party::Thief if self.has(Actor::FollowingThief) => after.follow(cookie),
            Party::Thief | Party::Stranger => {}
        }
        ahead
    }

    /// Only where a rule under test asks how often a token was sent.
    fn remember_repeat(&self, after: &mut State) {
        if let Record::Live(Chain { link: Some(link), .. }) = &mut after.record
            && self.has(Actor::StepUp)
        {
            link.sent = Sent::Often;
        }
    }

    pub(crate) fn conclusion(&self, chain: &Chain, work: Work, now: Moment, taken: Option<Token>) -> Conclusion {
        let verdict = if work.rolled_back { Verdict::RolledBack } else { Verdict::Accept };
        let family = symbol::family(chain, 0, &self.keys);
        let presented = symbol::presented(work.token);
        let every = self.setting.bounds.rotate_every();
        let mut cookie = Token { generation: work.token.generation + 1, sibling: 0 };
        match self.rules.conclude(&family, &presented, verdict, now, every) {
            Renewal::Keep => Conclusion::Nothing,
            Renewal::Offer => {
                cookie.sibling = work.fresh_sibling(chain, taken);
                let nonce = Nonce::from_bytes([cookie.sibling; 16]);
                self.rules.offering(&family, symbol::hash(cookie), self.keys.todays, nonce, now).map_or(
                    Conclusion::Nothing,
                    |offered| {
                        let (becomes, ahead) = symbol::chain(&offered, chain, &self.keys, self.setting.bounds);
                        Conclusion::Offer { cookie, becomes, ahead }
                    },
                )
            }
            Renewal::Repeat(link) => {
                let same_key = self.rules.repeat_key(link, self.keys.todays) == link.key;
                cookie.sibling = link.nonce.as_bytes()[0] | u8::from(!same_key);
                Conclusion::Repeat { cookie }
            }
        }
    }

    /// A handler steps its session up; its response is still to be concluded.
    pub(crate) fn stepping_up(&self, without: &State, work: Work, steps: &mut Vec<Step>) {
        let Record::Live(chain) = without.record else { return };
        if !self.has(Actor::StepUp) {
            return;
        }
        let mut family = symbol::family(&chain, 0, &self.keys);
        let base = family.generation;
        if chain.sent == Sent::AtSignIn {
            family.generation = 0;
        }
        let now = self.clock(0, 0);
        let (settled, _) = symbol::chain(&family.settled(now), &chain, &self.keys, self.setting.bounds);
        let mut after = *without;
        let (fresh, ahead) = match self.rules.step_up(&family, now, settled.sent_once()) {
            StepUp::LeavesFamily => return,
            StepUp::Hastens(mut hastened) => {
                hastened.generation = base + (hastened.generation - family.generation);
                let (chain, ahead) = symbol::chain(&hastened, &chain, &self.keys, self.setting.bounds);
                after.write(Record::Live(chain), ahead);
                let mut work = work;
                work.recount(ahead);
                after.begin_request(Request::Working(work));
                (None, ahead)
            }
            StepUp::Replaces => {
                let fresh = Token { generation: 1, sibling: 6 };
                after.write(Record::Live(Chain::fresh(fresh.sibling)), 1);
                after.begin_request(Request::Replying { cookie: Token { generation: 0, ..fresh }, age: 0 });
                (Some(Cookie(fresh)), 1)
            }
        };
        steps.push(Step { event: Event::SteppedUp(Cookie(work.token), fresh), after, ahead, broken: None });
    }
}

impl Conclusion {
    pub(crate) const fn cookie(&self) -> Option<Token> {
        match self {
            Self::Nothing => None,
            Self::Offer { cookie, .. } | Self::Repeat { cookie } => Some(*cookie),
        }
    }
}

impl Work {
    /// A nonce nobody drew before: not for the open link, not for an offer that is still being written.
    fn fresh_sibling(self, chain: &Chain, taken: Option<Token>) -> u8 {
        let linked = chain.link.filter(|_| self.token.generation == 0).map(|link| link.sibling);
        let taken = taken.map(|token| token.sibling);
        let used = [linked, taken];
        (0..8).step_by(2).find(|sibling| !used.contains(&Some(*sibling))).unwrap_or(8)
    }
}

impl Pending {
    const fn offer(work: Work, node: u8, cookie: Token, becomes: Chain, ahead: i8) -> Self {
        Self {
            request: Journey {
                token: work.token,
                network: Network::Home,
                age: 0,
                heard: Heard::Yes,
                route: Route::Direct,
            },
            node,
            head_age: 0,
            intent: Intent::Offer { cookie, rolled_back: work.rolled_back },
            expect: Expect::Holds,
            becomes,
            ahead,
        }
    }
}

impl Chain {
    /// The family of a token that replaces another: for the mutant whose step-up does.
    pub(crate) const fn fresh(sibling: u8) -> Self {
        Self { closed: 0, sibling, sent: Sent::Once, link: None }
    }
}
