//! What becomes of messages on their way: lost, late, doubled, or there after a while.

use super::chance::{between, exponential, happens, seconds};
use super::event::{Event, Request};
use super::{History, SECOND};
use crate::conditions::Seconds;
use crate::rules::Rule;

impl<R: Rule> History<'_, R> {
    /// A request leaves. A hop may send it twice.
    pub(super) fn dispatch(&mut self, request: Request) {
        match self.request_takes() {
            Some(delay) => self.queue.at(self.now + delay, Event::Arrive(request)),
            None => self.retry(request),
        }
        if happens(&mut self.random, DOUBLED)
            && let Some(delay) = self.request_takes()
        {
            self.queue.at(self.now + delay, Event::Arrive(request));
        }
    }

    /// How long a request takes; `None` if it is lost.
    pub(super) fn request_takes(&mut self) -> Option<u64> {
        self.message_takes(&self.conditions.late.requests)
    }

    /// How long a response takes; `None` if it is lost.
    pub(super) fn response_takes(&mut self) -> Option<u64> {
        self.message_takes(&self.conditions.late.responses)
    }

    fn message_takes(&mut self, late: &Seconds) -> Option<u64> {
        let random = &mut self.random;
        if happens(random, self.browser.loss) {
            return None;
        }
        if happens(random, self.conditions.late.share) {
            return Some(seconds(random, late));
        }
        Some(10 + exponential(random, 80).min(2 * SECOND))
    }

    /// How long the application works on a request.
    pub(super) fn handler_takes(&mut self) -> u64 {
        match between(&mut self.random, 0..=999) {
            0..=1 => between(&mut self.random, 5 * SECOND..=30 * SECOND),
            2..=49 => between(&mut self.random, 200..=5 * SECOND),
            _ => between(&mut self.random, 2..=200),
        }
    }
}

/// The share of requests that arrive twice, because a hop tried again.
const DOUBLED: f64 = 0.005;
