//! What can happen, and the queue that puts it in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use counterfoil_core::rules::family::Verdict;

use crate::token::Token;

/// What can happen. A `spell` is one stretch of use: what was planned in an earlier one does not happen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// The person signs in, again if there was no answer.
    SignIn,
    /// A sign-in arrives.
    SignedIn,
    /// The person comes back to the browser.
    Wake,
    /// The person leaves; all tabs rest.
    Pause { spell: u32 },
    /// A tab polls.
    Poll { spell: u32 },
    /// The person opens a page.
    Visit { spell: u32 },
    /// A request of a page, or a second try.
    Send { spell: u32, errand: Errand },
    /// The person steps up.
    StepUp,
    /// The browser crashes.
    Crash,
    /// A request arrives.
    Arrive(Request),
    /// A response leaves.
    Conclude { request: Request, node: u8, verdict: Verdict },
    /// A response with a cookie arrives.
    Receive { cookie: Token, incarnation: u32 },
    /// The cookie is copied.
    Steal,
    /// The thief presents what it has.
    Use,
}

/// A request under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) token: Token,
    pub(super) network: u8,
    pub(super) sent: u64,
    pub(super) incarnation: u32,
    pub(super) errand: Errand,
}

/// What a request is for, and how often it was tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Errand {
    pub(super) step_up: bool,
    pub(super) tries: u8,
}

impl Errand {
    pub(super) const PAGE: Self = Self { step_up: false, tries: 1 };
    pub(super) const STEP_UP: Self = Self { step_up: true, tries: 1 };

    /// The next try, if there is one.
    pub(super) fn again(self) -> Option<Self> {
        (self.tries < TRIES).then_some(Self { tries: self.tries + 1, ..self })
    }
}

/// Events by time; at one time, in the order in which they were planned.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Planned>>,
    planned: u64,
}

impl Queue {
    pub(super) fn at(&mut self, time: u64, event: Event) {
        self.heap.push(Reverse(Planned { time, number: self.planned, event }));
        self.planned += 1;
    }

    pub(super) fn next(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|Reverse(planned)| (planned.time, planned.event))
    }
}

#[derive(Debug)]
struct Planned {
    time: u64,
    number: u64,
    event: Event,
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.number).cmp(&(other.time, other.number))
    }
}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Planned {}

/// How often a browser or its script tries a request that got no answer.
const TRIES: u8 = 4;
