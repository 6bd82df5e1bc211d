//! The record moves on to another generation, and every token is counted from there.

use super::{Crash, Intent, Jar, Pending, Request, State, Token, Work};

impl State {
    pub(super) fn recount(&mut self, ahead: i8) {
        if ahead == 0 {
            return;
        }
        self.jar.recount(ahead);
        for request in &mut self.requests {
            request.recount(ahead);
        }
        if let Crash::Recovering { lost, .. } = &mut self.crash {
            lost.recount(ahead);
        }
        if let Some(pending) = &mut self.pending {
            pending.recount(ahead);
        }
        if let Some(cached) = &mut self.cache {
            cached.behind = cached.behind.saturating_add(ahead).clamp(-2, 2);
        }
        if let Some(token) = &mut self.thief {
            token.recount(ahead);
        }
        self.watch.recount(ahead);
    }
}

impl Token {
    pub(crate) fn recount(&mut self, ahead: i8) {
        self.generation = self.generation.saturating_sub(ahead).max(OLDEST);
        if self.generation < 0 {
            self.sibling = 0;
        }
    }
}

impl Jar {
    fn recount(&mut self, ahead: i8) {
        for token in self.token.iter_mut().chain(self.before.iter_mut().map(|(token, _)| token)) {
            token.recount(ahead);
        }
    }
}

impl Request {
    fn recount(&mut self, ahead: i8) {
        match self {
            Self::Idle => {}
            Self::Travelling(journey) => journey.token.recount(ahead),
            Self::Working(work) => work.recount(ahead),
            Self::Replying { cookie, .. } => cookie.recount(ahead),
        }
    }
}

impl Work {
    pub(crate) fn recount(&mut self, ahead: i8) {
        self.token.recount(ahead);
        if let Some(promised) = &mut self.promised {
            promised.recount(ahead);
        }
    }
}

impl Pending {
    fn recount(&mut self, ahead: i8) {
        self.request.token.recount(ahead);
        if let Intent::Offer { cookie, .. } = &mut self.intent {
            cookie.recount(ahead);
        }
        self.ahead = self.ahead.saturating_sub(ahead).clamp(-2, 2);
    }
}

/// Tokens older than this are all alike: superseded.
const OLDEST: i8 = -2;
