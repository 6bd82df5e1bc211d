//! Somebody who copies the cookie at a moment of use, and presents the copy at intervals.

use super::browser::Browser;
use super::chance::between;
use super::event::Event;
use super::server::{BROWSERS_PLATFORM, context};
use super::{Delay, End, HOUR, History, MINUTE, SECOND};
use crate::conditions::{Follows, Resemblance, Thief};
use crate::rules::Rule;
use crate::token::Token;

#[derive(Debug)]
pub(super) struct Theft {
    thief: Thief,
    due: bool,
    copy: Option<Stolen>,
}

#[derive(Debug)]
struct Stolen {
    token: Token,
    at: u64,
    /// How long the browser had been in use.
    used: u64,
}

impl Theft {
    pub(super) const fn planned(thief: Thief) -> Self {
        Self { thief, due: false, copy: None }
    }

    /// The thief is found now, if there was a theft.
    pub(super) fn found(&self, browser: &Browser, now: u64) -> Option<End> {
        let copy = self.copy.as_ref()?;
        Some(End::Found(Delay { clock: now - copy.at, use_of: browser.used(now) - copy.used }))
    }

    /// What a day is called at whose end the thief was not found.
    pub(super) fn unfound(&self, browser: &Browser, now: u64) -> Option<End> {
        let copy = self.copy.as_ref()?;
        Some(if browser.used(now) - copy.used < LONG_USE { End::VictimLeft } else { End::Missed })
    }
}

impl<R: Rule> History<'_, R> {
    pub(super) fn plan_theft(&mut self) {
        if self.theft.is_some() {
            self.queue.at(between(&mut self.random, 5 * MINUTE..=12 * HOUR), Event::Steal);
        }
    }

    /// The jar is copied; if the browser rests, at its next use.
    pub(super) fn steal(&mut self) {
        let Some(theft) = &mut self.theft else { return };
        if !self.browser.is_in_use() {
            theft.due = true;
            return;
        }
        if let Some(token) = self.browser.token() {
            theft.copy = Some(Stolen { token, at: self.now, used: self.browser.used(self.now) });
            self.queue.at(self.now + SECOND, Event::Use);
        }
    }

    /// A theft that waited for the browser's use, which begins and lasts for `stay`.
    pub(super) fn steal_within(&mut self, stay: u64) {
        if let Some(theft) = &mut self.theft
            && std::mem::take(&mut theft.due)
        {
            self.queue.at(self.now + between(&mut self.random, 0..=stay), Event::Steal);
        }
    }

    /// The thief's own messages are neither lost nor late.
    pub(super) fn use_copy(&mut self) {
        let (node, browsers) = (self.any_node(), self.browser.network());
        let (now, Some(theft)) = (self.clock(node), &mut self.theft) else { return };
        let Some(copy) = &mut theft.copy else { return };
        if theft.thief.follows == Follows::ReadsJar {
            copy.token = self.browser.token().unwrap_or(copy.token);
        }
        let context = match theft.thief.resemblance {
            Resemblance::Same => context(BROWSERS_PLATFORM, browsers),
            Resemblance::Other => context(THIEFS_PLATFORM, THIEFS_NETWORK),
        };
        let Ok(verdict) = self.server.judge(self.rule, &copy.token, context, now) else {
            self.end = theft.found(&self.browser, self.now);
            return;
        };
        let cookie = self.server.conclude(self.rule, &copy.token, verdict, now, &mut self.random);
        let mut next = theft.thief.every;
        if let Some(newer) = cookie
            && matches!(theft.thief.follows, Follows::AtOnce | Follows::Patiently)
            && copy.token != newer
        {
            copy.token = newer;
            if theft.thief.follows == Follows::Patiently {
                next = next.max(PATIENCE);
            }
        }
        self.queue.at(self.now + next, Event::Use);
    }
}

/// A browser used for as long as this after the theft has rotated its token twice under any of the rules.
const LONG_USE: u64 = 45 * MINUTE;
/// How long a patient thief leaves a new token unused, so that the browser uses it first.
const PATIENCE: u64 = 5 * MINUTE;
const THIEFS_PLATFORM: u8 = 2;
const THIEFS_NETWORK: u8 = 200;
