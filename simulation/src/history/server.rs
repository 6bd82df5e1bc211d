//! Two nodes with clocks apart over one store: sign-in, judgement, conclusion.

use counterfoil_core::Moment;
use counterfoil_core::rules::family::{Context, Verdict};
use fastrand::Rng;

use super::chance::between;
use super::event::{Event, Request};
use super::{End, History, MINUTE, Refusal, Refused, SECOND};
use crate::rules::Rule;
use crate::token::Token;

pub(super) struct Server<R: Rule> {
    /// By session number: a sign-in whose reply is lost leaves one that nobody uses.
    sessions: Vec<Session<R::State>>,
    /// How far node 1's clock is ahead of the slower one, or node 0's.
    ahead: [u64; 2],
}

struct Session<S> {
    state: S,
    begun: Moment,
    presented: bool,
}

impl<R: Rule> Server<R> {
    pub(super) fn new(random: &mut Rng) -> Self {
        let apart = between(random, 0..=SKEW);
        let ahead = if random.bool() { [apart, 0] } else { [0, apart] };
        Self { sessions: Vec::new(), ahead }
    }

    /// What node `node` thinks the time is.
    fn clock(&self, node: u8, now: u64) -> Moment {
        let ahead = self.ahead.get(usize::from(node)).copied().unwrap_or_default();
        Moment::from_unix_millis(START + now + ahead)
    }

    /// What a token is worth.
    pub(super) fn judge(&mut self, rule: &R, token: &Token, context: Context, now: Moment) -> Result<Verdict, Refused> {
        let Some(session) = self.sessions.get_mut(usize::from(token.session)) else {
            return Err(Refused::Forgotten);
        };
        if !session.presented && now.since(session.begun).as_millis() > u128::from(PROVISIONAL) {
            return Err(Refused::NeverUsed);
        }
        session.presented = true;
        match rule.judge(&mut session.state, token, context, now) {
            Verdict::Reuse => Err(Refused::Reuse),
            Verdict::Forgotten => Err(Refused::Forgotten),
            admitted => Ok(admitted),
        }
    }

    /// Which cookie leaves.
    pub(super) fn conclude(
        &mut self,
        rule: &R,
        token: &Token,
        verdict: Verdict,
        now: Moment,
        random: &mut Rng,
    ) -> Option<Token> {
        let session = self.sessions.get_mut(usize::from(token.session))?;
        rule.conclude(&mut session.state, token, verdict, now, random)
    }
}

impl<R: Rule> History<'_, R> {
    /// The person sends the form, and sends it again if nothing comes of it.
    pub(super) fn sign_in(&mut self) {
        if self.browser.token().is_some() {
            return;
        }
        if let Some(delay) = self.request_takes() {
            self.queue.at(self.now + delay, Event::SignedIn);
        }
        self.queue.at(self.now + between(&mut self.random, 10 * SECOND..=20 * SECOND), Event::SignIn);
    }

    /// A new session. Its reply may be lost, or come when another one has come already.
    pub(super) fn signed_in(&mut self) {
        let Ok(number) = u16::try_from(self.server.sessions.len()) else { return };
        let (now, token) = (self.server.clock(0, self.now), Token::first(number, self.random.u64(..)));
        let state = self.rule.begin(token, now);
        self.server.sessions.push(Session { state, begun: now, presented: false });
        if let Some(delay) = self.response_takes() {
            let incarnation = self.browser.incarnation;
            self.queue.at(self.now + delay, Event::Receive { cookie: token, incarnation });
        }
    }

    pub(super) fn arrive(&mut self, request: Request) {
        let node = self.any_node();
        let now = self.server.clock(node, self.now);
        match self.server.judge(self.rule, &request.token, context(BROWSERS_PLATFORM, request.network), now) {
            Ok(verdict) => {
                let time = self.now + self.handler_takes();
                self.queue.at(time, Event::Conclude { request, node, verdict });
            }
            Err(why) => self.refused(why, &request),
        }
    }

    pub(super) fn conclude(&mut self, request: Request, node: u8, verdict: Verdict) {
        let now = self.server.clock(node, self.now);
        let Some(session) = self.server.sessions.get_mut(usize::from(request.token.session)) else { return };
        let cookie = if request.errand.step_up {
            self.rule.step_up(&mut session.state, now);
            None
        } else {
            self.rule.conclude(&mut session.state, &request.token, verdict, now, &mut self.random)
        };
        match (self.response_takes(), cookie) {
            (Some(delay), Some(cookie)) => {
                let incarnation = request.incarnation;
                self.queue.at(self.now + delay, Event::Receive { cookie, incarnation });
            }
            (Some(_), None) => {}
            (None, _) => self.retry(request),
        }
    }

    fn refused(&mut self, why: Refused, request: &Request) {
        let found = self.theft.as_ref().and_then(|theft| theft.found(&self.browser, self.now));
        self.end = found.or_else(|| {
            let since_crash = self.browser.since_crash(self.now);
            let between_crashes = self.browser.between_crashes();
            Some(End::Refused(Refusal {
                why,
                at: self.now,
                late: self.now - request.sent,
                since_crash,
                between_crashes,
            }))
        });
    }

    pub(super) fn any_node(&mut self) -> u8 {
        self.random.u8(0..2)
    }

    pub(super) fn clock(&self, node: u8) -> Moment {
        self.server.clock(node, self.now)
    }
}

/// What the rules see of a client.
pub(super) fn context(platform: u8, network: u8) -> Context {
    Context::new(platform, &[network])
}

pub(super) const BROWSERS_PLATFORM: u8 = 1;
/// How far the nodes' clocks may be apart.
const SKEW: u64 = 2 * SECOND;
/// A new session that is not presented within this ends.
const PROVISIONAL: u64 = 5 * MINUTE;
/// Any time will do.
const START: u64 = 1_700_000_000_000;
