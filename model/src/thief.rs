//! What a thief and a stranger do: copy a token, use it from anywhere, follow the family or not; guess.

use counterfoil_core::rules::family::Verdict;

use crate::bounds::Actor;
use crate::event::{Cookie, Event, Outcome, Party, Source, Way};
use crate::property::Property;
use crate::state::{Heard, Journey, Network, Record, Route, State, Token, Work};
use crate::world::{NODES, Step, World};

impl World<'_> {
    pub(crate) fn thief_steps(&self, state: &State, steps: &mut Vec<Step>) {
        if self.setting.has_thief() {
            match state.thief {
                None => steps.extend(state.stolen()),
                Some(token) => self.using(state, token, steps),
            }
        }
        if self.has(Actor::Stranger) {
            steps.extend(GUESSES.map(|token| self.guessing(state, token)));
        }
    }

    /// The thief uses the copy; a request that is answered may also have it concluded.
    fn using(&self, state: &State, token: Token, steps: &mut Vec<Step>) {
        for network in [Network::Home, Network::Thiefs] {
            let journey = journey(token, network);
            steps.extend(self.present_to_cache(state, journey, Party::Thief));
            for node in NODES {
                let used = self.present(state, journey, Party::Thief, node);
                steps.push(used);
                steps.extend(self.answered(&used, journey, node));
            }
        }
    }

    fn answered(&self, used: &Step, journey: Journey, node: u8) -> Option<Step> {
        let Event::Presented { outcome: Outcome::Judged(verdict @ (Verdict::Accept | Verdict::RolledBack)), .. } =
            used.event
        else {
            return None;
        };
        let mut token = journey.token;
        token.recount(used.ahead);
        let work = Work { token, rolled_back: verdict == Verdict::RolledBack, promised: None };
        let mut answered = self.concluded(&used.after, work, Party::Thief, node)?;
        answered.ahead += used.ahead;
        answered.broken = used.broken;
        Some(answered)
    }

    /// A guess: of some generation, with a tag that is wrong.
    fn guessing(&self, state: &State, token: Token) -> Step {
        let journey = journey(token, Network::Thiefs);
        if self.rules.checks_tag() {
            let event = Event::Presented {
                by: Party::Stranger,
                token: Cookie(token),
                way: Way(Network::Thiefs),
                node: 0,
                source: Source::Store,
                outcome: Outcome::Forged,
            };
            return Step::to(event, *state);
        }
        let mut step = self.present(state, journey, Party::Stranger, 0);
        step.broken = (step.after != *state).then_some(Property::NoAmplification);
        step
    }
}

impl State {
    /// A thief who follows takes a cookie.
    pub(crate) fn follow(&mut self, cookie: Token) {
        if self.thief != Some(cookie) {
            self.thief = Some(cookie);
            self.followed = (self.followed + 1).min(FOLLOWED_FAR);
        }
    }

    /// Whether a thief who is admitted now has followed for as many links as the model counts.
    pub(crate) fn followed_far(&self, event: Event) -> bool {
        let admitted =
            matches!(event, Event::Presented { by: Party::Thief, outcome: Outcome::Judged(Verdict::Accept), .. });
        admitted && self.followed == FOLLOWED_FAR
    }

    /// The thief copies what the jar holds.
    fn stolen(&self) -> Option<Step> {
        let token = self.jar.token?;
        let live = matches!(self.record, Record::Live(_));
        let after = Self { thief: Some(token), ..*self };
        live.then(|| Step::to(Event::Stolen(Cookie(token)), after))
    }
}

const fn journey(token: Token, network: Network) -> Journey {
    Journey { token, network, age: 0, heard: Heard::No, route: Route::Direct }
}

/// What a stranger may claim: an older generation, the current one, the next.
const GUESSES: [Token; 3] = [guess(-1), guess(0), guess(1)];

const fn guess(generation: i8) -> Token {
    Token { generation, sibling: 9 }
}

/// Links a following thief is counted for.
const FOLLOWED_FAR: u8 = 3;
