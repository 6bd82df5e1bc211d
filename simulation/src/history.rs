//! One history: a session of a day, from its sign-in to its end. A function of the rule, the conditions and the seed.

mod browser;
mod chance;
mod event;
mod network;
mod server;
mod thief;

use fastrand::Rng;

use self::browser::Browser;
use self::event::{Event, Queue};
use self::server::Server;
use self::thief::Theft;
use crate::conditions::Conditions;
use crate::rules::Rule;
use crate::token::mixed;

/// What became of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Requests the browser sent.
    pub requests: u64,
    /// Times the jar changed to another token.
    pub rotations: u64,
    /// Times the browser crashed.
    pub crashes: u64,
}

/// How a history ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The day was over, and nothing the browser presented had been refused.
    DayOver,
    /// Something the browser presented was refused, and nobody had copied anything.
    Refused(Refusal),
    /// The session ended after its cookie had been copied.
    Found(Delay),
    /// The thief was still admitted at the end of the day, although the browser had been in use for long after the theft.
    Missed,
    /// The thief was still admitted, but the browser was hardly used again, so hardly anything rotated.
    VictimLeft,
}

/// How long a thief had the session, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delay {
    /// By the clock.
    pub clock: u64,
    /// Time of it in which the browser was in use.
    pub use_of: u64,
}

/// An honest request that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub why: Refused,
    /// Milliseconds since the sign-in.
    pub at: u64,
    /// Milliseconds the request took to arrive.
    pub late: u64,
    /// Milliseconds since the last crash.
    pub since_crash: Option<u64>,
    /// Milliseconds between the last two crashes.
    pub between_crashes: Option<u64>,
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It was taken for a copy: the session ended.
    Reuse,
    /// It was newer than what the store knows.
    Forgotten,
    /// Its session had not been used within five minutes of the sign-in.
    NeverUsed,
}

/// Lives through one history.
pub fn simulate<R: Rule>(rule: &R, conditions: &Conditions, seed: u64) -> Outcome {
    let mut random = Rng::with_seed(mixed(seed));
    let mut history = History {
        rule,
        conditions,
        now: 0,
        queue: Queue::default(),
        server: Server::new(&mut random),
        browser: Browser::new(conditions, &mut random),
        theft: conditions.thief.map(Theft::planned),
        random,
        end: None,
    };
    history.plan();
    history.live();
    history.outcome()
}

struct History<'a, R: Rule> {
    rule: &'a R,
    conditions: &'a Conditions,
    /// Milliseconds since the first attempt to sign in.
    now: u64,
    queue: Queue,
    server: Server<R>,
    browser: Browser,
    theft: Option<Theft>,
    random: Rng,
    end: Option<End>,
}

impl<R: Rule> History<'_, R> {
    /// What will happen whatever the messages do.
    fn plan(&mut self) {
        self.queue.at(0, Event::SignIn);
        self.plan_crash();
        self.plan_step_up();
        self.plan_theft();
    }

    fn live(&mut self) {
        while self.end.is_none()
            && let Some((time, event)) = self.queue.next()
            && time < DAY
        {
            self.now = time;
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::SignIn => self.sign_in(),
            Event::SignedIn => self.signed_in(),
            Event::Wake => self.wake(),
            Event::Pause { spell } => self.pause(spell),
            Event::Poll { spell } => self.poll(spell),
            Event::Visit { spell } => self.visit(spell),
            Event::Send { spell, errand } => self.send_again(spell, errand),
            Event::StepUp => self.step_up(),
            Event::Crash => self.crash(),
            Event::Arrive(request) => self.arrive(request),
            Event::Conclude { request, node, verdict } => self.conclude(request, node, verdict),
            Event::Receive { cookie, incarnation } => self.receive(cookie, incarnation),
            Event::Steal => self.steal(),
            Event::Use => self.use_copy(),
        }
    }

    fn outcome(&self) -> Outcome {
        let end = self.end.or_else(|| self.theft.as_ref()?.unfound(&self.browser, self.now)).unwrap_or(End::DayOver);
        let Browser { requests, rotations, crashes, .. } = self.browser;
        Outcome { end, requests, rotations, crashes }
    }
}

/// The absolute lifetime of the preset `aal2`. The idle limit is left out: it ends sessions whatever the rotation does.
const DAY: u64 = 24 * HOUR;
const HOUR: u64 = 60 * MINUTE;
const MINUTE: u64 = 60 * SECOND;
const SECOND: u64 = 1_000;
