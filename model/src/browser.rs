//! What the browser and the networks do: send, lose, delay, deliver, crash, sign out.

use crate::bounds::Actor;
use crate::event::{Cookie, Event, Way};
use crate::state::{Crash, Heard, Intent, Journey, Network, Record, Request, Route, State, Token};
use crate::world::{Step, World};

impl World<'_> {
    pub(crate) fn browser_steps(&self, state: &State, steps: &mut Vec<Step>) {
        self.sending(state, steps);
        for (index, request) in state.distinct() {
            let without = state.with(index, Request::Idle);
            match *request {
                Request::Idle => {}
                Request::Travelling(journey) => {
                    steps.push(Step::to(Event::RequestLost(Cookie(journey.token)), without));
                }
                Request::Working(work) => steps.push(Step::to(Event::NoCookie(Cookie(work.token)), without)),
                Request::Replying { cookie, .. } => {
                    steps.push(Step::to(Event::ReplyLost(Cookie(cookie)), without));
                    steps.push(Step::to(Event::Delivered(Cookie(cookie)), without.delivered(cookie)));
                }
            }
        }
        if self.has(Actor::Crash) {
            steps.extend(state.crashed(self.has(Actor::MoveAfterCrash)));
        }
        if self.has(Actor::SignOut) && matches!(state.record, Record::Live(_)) {
            steps.push(Step::to(Event::SignedOut, state.signed_out()));
        }
    }

    /// A request leaves, with the jar's cookie, from any network the browser may be on.
    fn sending(&self, state: &State, steps: &mut Vec<Step>) {
        let Some(token) = state.jar.token else { return };
        if state.under_way() >= self.setting.parallel.into() {
            return;
        }
        let Some(free) = state.requests.iter().position(|request| *request == Request::Idle) else {
            return;
        };
        for network in [Network::Home, Network::Away] {
            let Some(route) = self.route(network, state) else {
                continue;
            };
            let journey = Journey { token, network, age: 0, heard: Heard::Yes, route };
            let after = state.with(free, Request::Travelling(journey));
            steps.push(Step::to(Event::Sends(Cookie(token), Way(network)), after));
        }
    }

    /// How a request travels that leaves by `network`. `None`: the browser is not there.
    fn route(&self, network: Network, state: &State) -> Option<Route> {
        match state.crash {
            Crash::Recovering { network: only, .. } if network != only => {
                self.has(Actor::Detour).then_some(Route::Detour)
            }
            Crash::Recovering { .. } => Some(Route::Direct),
            _ => (network == Network::Home || self.has(Actor::SecondNetwork)).then_some(Route::Direct),
        }
    }
}

impl State {
    /// The requests that differ, with one index each.
    pub(crate) fn distinct(&self) -> impl Iterator<Item = (usize, &Request)> {
        let earlier = std::iter::once(None).chain(self.requests.iter().map(Some));
        let pairs = self.requests.iter().zip(earlier).enumerate();
        pairs.filter_map(|(index, (request, earlier))| (Some(request) != earlier).then_some((index, request)))
    }

    /// The state with another request at `index`.
    pub(crate) fn with(mut self, index: usize, request: Request) -> Self {
        if let Some(slot) = self.requests.get_mut(index) {
            *slot = request;
        }
        self
    }

    fn delivered(mut self, cookie: Token) -> Self {
        self.jar.set(Some(cookie));
        if matches!(self.crash, Crash::Recovering { lost, .. } if lost == cookie) {
            self.crash = Crash::Over;
        }
        self
    }

    /// The jar falls back to what the disk held; nobody waits for a response any more.
    fn crashed(&self, moves: bool) -> Option<Step> {
        let (lost, (back, _)) = (self.jar.token?, self.jar.before?);
        if self.crash != Crash::Possible {
            return None;
        }
        let mut after = *self;
        after.crash = if moves { Crash::Over } else { self.after_losing(lost)? };
        after.jar.token = Some(back);
        after.jar.before = None;
        for request in &mut after.requests {
            match request {
                Request::Travelling(journey) => journey.heard = Heard::No,
                other => *other = Request::Idle,
            }
        }
        if let Some(pending) = &mut after.pending {
            pending.request.heard = Heard::No;
        }
        let (lost, back) = (Cookie(lost), Cookie(back));
        Some(Step::to(Event::Crashed { lost, back }, after))
    }

    /// 03 assumes that a crash happens on the network from which the lost token was used. `None` if it was not so.
    fn after_losing(&self, lost: Token) -> Option<Crash> {
        let travelling = self.requests.iter().filter_map(|request| match request {
            Request::Travelling(journey) if journey.token == lost => Some(journey.network),
            _ => None,
        });
        let pending = self
            .pending
            .filter(|pending| pending.intent == Intent::Admit && pending.request.token == lost)
            .map(|pending| pending.request.network);
        let seen = match self.record {
            Record::Live(chain) if lost.generation == 1 => chain.link.and_then(|link| link.seen),
            _ => None,
        };
        let mut used = travelling.chain(pending).chain(seen.map(|(_, network)| network));
        let Some(network) = used.next() else {
            return Some(Crash::Over);
        };
        used.all(|other| other == network).then_some(Crash::Recovering { lost, network })
    }

    fn signed_out(mut self) -> Self {
        self.write(Record::Ended { age: 0 }, 0);
        self.jar.token = None;
        self.jar.before = None;
        self
    }
}
