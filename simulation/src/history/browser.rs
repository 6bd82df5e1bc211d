//! The browser and its person: stretches of use, tabs, the jar, crashes.

use fastrand::Rng;

use super::chance::{between, exponential, happens};
use super::event::{Errand, Event, Request};
use super::{HOUR, History, MINUTE, SECOND};
use crate::conditions::{Conditions, Crashes};
use crate::rules::Rule;
use crate::token::Token;

#[derive(Debug)]
pub(super) struct Browser {
    jar: Option<Jar>,
    /// The share of messages lost in this history.
    pub(super) loss: f64,
    /// The network it is on; a crash may move it.
    network: u8,
    /// Which stretch of use this is.
    spell: u32,
    in_use: bool,
    /// How often it was started: responses to an earlier one find nobody.
    pub(super) incarnation: u32,
    crash_due: bool,
    crashed_at: Option<u64>,
    crashed_before: Option<u64>,
    woke_at: u64,
    used_before: u64,
    pub(super) requests: u64,
    pub(super) rotations: u64,
    pub(super) crashes: u64,
}

/// The session cookie, in memory and on disk.
#[derive(Debug)]
struct Jar {
    token: Token,
    on_disk: Token,
    /// What is not on disk yet, and since when the memory has it.
    unwritten: Vec<(u64, Token)>,
}

impl Browser {
    pub(super) fn new(conditions: &Conditions, random: &mut Rng) -> Self {
        let (low, high) = conditions.loss.clone().into_inner();
        Self {
            jar: None,
            loss: low + (high - low) * random.f64(),
            network: HOME,
            spell: 0,
            in_use: false,
            incarnation: 0,
            crash_due: false,
            crashed_at: None,
            crashed_before: None,
            woke_at: 0,
            used_before: 0,
            requests: 0,
            rotations: 0,
            crashes: 0,
        }
    }

    pub(super) fn token(&self) -> Option<Token> {
        self.jar.as_ref().map(|jar| jar.token)
    }

    pub(super) const fn is_in_use(&self) -> bool {
        self.in_use
    }

    pub(super) const fn network(&self) -> u8 {
        self.network
    }

    pub(super) fn since_crash(&self, now: u64) -> Option<u64> {
        self.crashed_at.map(|at| now - at)
    }

    /// Milliseconds between the last two crashes.
    pub(super) fn between_crashes(&self) -> Option<u64> {
        Some(self.crashed_at? - self.crashed_before?)
    }

    /// How long it was in use until now.
    pub(super) const fn used(&self, now: u64) -> u64 {
        self.used_before + if self.in_use { now - self.woke_at } else { 0 }
    }

    /// The current stretch of use is over.
    const fn rest(&mut self, now: u64) {
        self.used_before = self.used(now);
        self.in_use = false;
        self.spell += 1;
    }
}

impl Jar {
    const fn with(token: Token) -> Self {
        Self { token, on_disk: token, unwritten: Vec::new() }
    }

    fn set(&mut self, token: Token, now: u64) {
        self.flush(now);
        self.token = token;
        self.unwritten.push((now, token));
    }

    /// Writes reach the disk as late as they can.
    fn flush(&mut self, now: u64) {
        let written = self.unwritten.partition_point(|(at, _)| at + UNWRITTEN <= now);
        if let Some((_, last)) = self.unwritten.drain(..written).next_back() {
            self.on_disk = last;
        }
    }

    fn crash(&mut self, now: u64) {
        self.flush(now);
        self.unwritten.clear();
        self.token = self.on_disk;
    }
}

impl<R: Rule> History<'_, R> {
    /// The person is back: all tabs poll, a page is opened.
    pub(super) fn wake(&mut self) {
        let (now, browser, random) = (self.now, &mut self.browser, &mut self.random);
        browser.in_use = true;
        browser.woke_at = now;
        browser.spell += 1;
        let spell = browser.spell;
        for _ in 0..self.conditions.tabs {
            self.queue.at(now + between(random, 0..=2 * SECOND), Event::Poll { spell });
        }
        self.queue.at(now + between(random, 0..=5 * SECOND), Event::Visit { spell });
        let stay = exponential(random, 35 * MINUTE).clamp(3 * MINUTE, 2 * HOUR);
        self.queue.at(now + stay, Event::Pause { spell });
        if std::mem::take(&mut browser.crash_due) {
            self.queue.at(now + between(random, 0..=stay), Event::Crash);
        }
        self.steal_within(stay);
    }

    pub(super) fn pause(&mut self, spell: u32) {
        if spell != self.browser.spell {
            return;
        }
        self.browser.rest(self.now);
        let back = self.now + exponential(&mut self.random, 50 * MINUTE).clamp(MINUTE, 6 * HOUR);
        if back < BEDTIME {
            self.queue.at(back, Event::Wake);
        }
    }

    pub(super) fn poll(&mut self, spell: u32) {
        if spell == self.browser.spell {
            self.send(Errand::PAGE);
            self.queue.at(self.now + between(&mut self.random, 45 * SECOND..=75 * SECOND), Event::Poll { spell });
        }
    }

    /// A page, and what it asks for at once.
    pub(super) fn visit(&mut self, spell: u32) {
        if spell != self.browser.spell {
            return;
        }
        self.send(Errand::PAGE);
        for _ in 0..between(&mut self.random, 2..=6) {
            let time = self.now + between(&mut self.random, 50..=400);
            self.queue.at(time, Event::Send { spell, errand: Errand::PAGE });
        }
        self.queue.at(self.now + exponential(&mut self.random, 90 * SECOND), Event::Visit { spell });
    }

    pub(super) fn send_again(&mut self, spell: u32, errand: Errand) {
        if spell == self.browser.spell {
            self.send(errand);
        }
    }

    /// The cookie is attached now, whenever the request may arrive.
    fn send(&mut self, errand: Errand) {
        let Some(token) = self.browser.token() else { return };
        let second = happens(&mut self.random, self.conditions.second_network);
        let network = if second { SECOND_NETWORK } else { self.browser.network };
        self.browser.requests += 1;
        self.dispatch(Request { token, network, sent: self.now, incarnation: self.browser.incarnation, errand });
    }

    /// No answer came: the same again, with the cookie of then.
    pub(super) fn retry(&mut self, request: Request) {
        if let Some(errand) = request.errand.again()
            && request.incarnation == self.browser.incarnation
        {
            let time = self.now + between(&mut self.random, 2 * SECOND..=15 * SECOND);
            self.queue.at(time, Event::Send { spell: self.browser.spell, errand });
        }
    }

    /// A response with a cookie is here. The first one begins the day.
    pub(super) fn receive(&mut self, cookie: Token, incarnation: u32) {
        let (now, browser) = (self.now, &mut self.browser);
        if incarnation != browser.incarnation {
            return;
        }
        if let Some(jar) = &mut browser.jar {
            browser.rotations += u64::from(jar.token != cookie);
            jar.set(cookie, now);
        } else {
            browser.jar = Some(Jar::with(cookie));
            self.queue.at(now, Event::Wake);
        }
    }

    pub(super) fn plan_step_up(&mut self) {
        let first = between(&mut self.random, MINUTE..=30 * MINUTE);
        self.queue.at(first, Event::StepUp);
    }

    pub(super) fn step_up(&mut self) {
        if self.browser.in_use {
            self.send(Errand::STEP_UP);
        }
        self.queue.at(self.now + exponential(&mut self.random, 2 * HOUR), Event::StepUp);
    }

    pub(super) fn plan_crash(&mut self) {
        if self.conditions.crashes != Crashes::Never {
            self.queue.at(self.now + exponential(&mut self.random, 4 * HOUR), Event::Crash);
        }
    }

    /// A crash while the browser rests would cost nothing, so it comes at some moment of the next use.
    pub(super) fn crash(&mut self) {
        let (now, browser) = (self.now, &mut self.browser);
        if !browser.in_use {
            browser.crash_due = true;
            return;
        }
        browser.rest(now);
        browser.incarnation += 1;
        browser.crashes += 1;
        browser.crashed_before = browser.crashed_at.replace(now);
        if let Some(jar) = &mut browser.jar {
            jar.crash(now);
        }
        if self.conditions.crashes == Crashes::Moving {
            browser.network += 1;
        }
        let random = &mut self.random;
        let away = match between(random, 1..=10) {
            1..=5 => between(random, 3 * SECOND..=20 * SECOND),
            6..=8 => between(random, 20 * SECOND..=2 * MINUTE),
            _ => between(random, 2 * MINUTE..=HOUR),
        };
        self.queue.at(now + away, Event::Wake);
        self.plan_crash();
    }
}

/// How long a cookie may be in memory only.
const UNWRITTEN: u64 = 30 * SECOND;
/// When the person leaves for good.
const BEDTIME: u64 = 16 * HOUR;
const SECOND_NETWORK: u8 = 1;
/// A browser that moves goes to the next number.
const HOME: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_forgets_the_last_thirty_seconds_and_no_more() {
        let [one, two, three] = [1, 2, 3].map(|secret| Token::first(0, secret));
        for (crash, left) in [(39_999, one), (40_000, two), (44_999, two), (45_000, three)] {
            let mut jar = Jar::with(one);
            jar.set(two, 10_000);
            jar.set(three, 15_000);
            jar.crash(crash);
            assert_eq!(jar.token, left, "crash at {crash}");
        }
    }
}
