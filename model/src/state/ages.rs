//! What a tick of the clock does to a state, and which ages need not be told apart.

use super::{Cached, Chain, Pending, Record, Request, State, signed};
use crate::bounds::Bounds;

impl State {
    /// A tick of the clock, if nothing has to happen before it.
    pub(crate) fn tick(mut self, bounds: Bounds) -> Option<Self> {
        for request in &mut self.requests {
            *request = request.tick(bounds)?;
        }
        if let Some(pending) = &mut self.pending {
            pending.tick(bounds)?;
        }
        match &mut self.record {
            Record::Live(chain) => chain.tick(bounds),
            Record::Ended { age } => *age = (*age + 1).min(bounds.lease + 1),
        }
        self.cache = self.cache.and_then(|cached| cached.tick(bounds));
        self.jar.before = self.jar.before.filter(|(_, age)| *age < bounds.flush);
        if let Some((_, age)) = &mut self.jar.before {
            *age += 1;
        }
        self.watch.tick(bounds);
        Some(self)
    }
}

impl Request {
    fn tick(mut self, bounds: Bounds) -> Option<Self> {
        let (age, limit) = match &mut self {
            Self::Idle | Self::Working(_) => return Some(self),
            Self::Travelling(journey) => (&mut journey.age, bounds.late),
            Self::Replying { age, .. } => (age, bounds.reply),
        };
        *age += 1;
        (*age <= limit).then_some(self)
    }
}

impl Pending {
    fn tick(&mut self, bounds: Bounds) -> Option<()> {
        self.head_age += 1;
        self.becomes.tick(bounds);
        (self.head_age <= bounds.stall).then_some(())
    }
}

impl Cached {
    fn tick(mut self, bounds: Bounds) -> Option<Self> {
        self.age += 1;
        self.chain.tick(bounds);
        (self.age <= bounds.lease).then_some(self)
    }
}

impl Chain {
    fn tick(&mut self, bounds: Bounds) {
        self.closed += 1;
        if let Some(link) = &mut self.link {
            if let Some((age, _)) = &mut link.seen {
                *age += 1;
            }
            if let Some(age) = &mut link.until {
                *age += 1;
            }
        }
        self.cap(bounds);
    }

    /// Ages beyond which no rule can tell them apart.
    pub(crate) fn cap(&mut self, bounds: Bounds) {
        let long_ago = signed(bounds.rotate_every + 2 * bounds.skew + 1);
        self.closed = self.closed.min(long_ago);
        if let Some(link) = &mut self.link {
            if let Some((age, _)) = &mut link.seen {
                *age = (*age).min(signed(bounds.grace + 2 * bounds.skew + 1));
            }
            if let Some(age) = &mut link.until {
                *age = (*age).min(long_ago);
            }
        }
    }
}
