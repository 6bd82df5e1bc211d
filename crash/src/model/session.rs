//! One session, by what was said of it.

use counterfoil_core::Moment;

use super::{Limits, Violation};
use crate::note::{Answer, Deed};

/// One session whose sign-in was acknowledged.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) user: u32,
    /// All tokens its browser was given, in order.
    pub(crate) tokens: Vec<String>,
    /// The last step-up that was acknowledged.
    pub(crate) elevated: Option<(String, Period)>,
    pub(crate) born: Period,
    pub(super) first_use: FirstUse,
    /// When the last write was asked for that was acknowledged.
    written_at: Moment,
    /// The latest moment at which it may have been used.
    pub(super) used_until: Moment,
    /// What the counter is at least and at most.
    pub(super) counter: (u64, u64),
    /// What may have ended it: asked, and not answered.
    pub(super) ends: Vec<u64>,
    /// Whether it is over for good.
    pub(super) over: bool,
    /// Whether it was surely this one, and not its user's or all sessions, that was ended: then there is a tombstone.
    ended_by_itself: bool,
    /// When the newest token was first used.
    newest_used: Option<Period>,
    /// How many tokens are superseded, and since when at the latest.
    superseded: Option<(usize, Moment)>,
}

/// From when it was asked until it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) asked: Moment,
    pub(crate) answered: Moment,
}

/// Whether its token was ever presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstUse {
    Never,
    Perhaps,
    Surely,
}

impl Session {
    pub(super) fn born(user: u32, born: Period, token: Option<String>) -> Self {
        Self {
            user,
            tokens: token.into_iter().collect(),
            elevated: None,
            born,
            first_use: FirstUse::Never,
            written_at: born.asked,
            used_until: born.answered,
            counter: (0, 0),
            ends: Vec::new(),
            over: false,
            ended_by_itself: false,
            newest_used: None,
            superseded: None,
        }
    }

    /// Whether every token of it must be refused from `now` on.
    pub(crate) fn must_be_over(&self, now: Moment) -> bool {
        self.over
            || now >= self.born.answered + Limits::ABSOLUTE
            || now >= self.used_until + Limits::IDLE
            || (self.first_use == FirstUse::Never && now >= self.born.answered + Limits::UNUSED)
    }

    /// Whether its newest token must be accepted until `now`.
    pub(crate) fn must_be_alive(&self, now: Moment) -> bool {
        self.ends.is_empty() && self.would_be_alive(now)
    }

    /// The same, but for what may have ended it.
    pub(super) fn would_be_alive(&self, now: Moment) -> bool {
        // A crash may forget the last use, but for what was written with something else; and that lags by the touch step.
        let used = self.first_use == FirstUse::Surely || now < self.born.asked + Limits::UNUSED;
        let active = now + Limits::TOUCH_STEP < self.written_at + Limits::IDLE;
        !self.over && used && active && now < self.born.asked + Limits::ABSOLUTE
    }

    /// Which of its tokens are superseded by `now`.
    pub(crate) fn superseded(&self, now: Moment) -> &[String] {
        let count = self.superseded.filter(|(_, since)| *since < now).map_or(0, |(count, _)| count);
        self.tokens.get(..count).unwrap_or_default()
    }

    /// It was ended by `deed` at the latest by `now`.
    pub(super) fn ended(&mut self, deed: u64, now: Moment) {
        self.ended_by_itself |= self.ends == [deed] && self.would_be_alive(now);
        self.over = true;
    }

    /// Whether the store must still know at `now` that it has ended.
    pub(crate) fn is_remembered(&self, now: Moment) -> bool {
        self.ended_by_itself && now < self.born.asked + Limits::ABSOLUTE + Limits::REMEMBERED
    }

    /// Its newest token was accepted.
    pub(super) fn used(&mut self, period: Period, deed: &Deed) {
        self.used_until = self.used_until.max(period.answered);
        if self.first_use == FirstUse::Never || matches!(deed, Deed::Count { .. } | Deed::StepUp { .. }) {
            self.written_at = self.written_at.max(period.asked);
        }
        self.first_use = FirstUse::Surely;
        match self.newest_used {
            None => self.newest_used = Some(period),
            // This use closed the link: the predecessors die a grace later.
            Some(first) if period.asked > first.answered + Limits::GRACE => {
                let since = period.answered + Limits::GRACE;
                let before = self.tokens.len().saturating_sub(1);
                if self.superseded.is_none_or(|(count, _)| count < before) {
                    self.superseded = Some((before, since));
                }
            }
            Some(_) => {}
        }
    }

    /// Its browser was given a new token.
    pub(super) fn rotated(&mut self, token: String) {
        if self.tokens.last() != Some(&token) {
            self.tokens.push(token);
            self.newest_used = None;
        }
    }

    /// Compares what it held with what it must hold.
    pub(super) fn judge(&mut self, id: &str, answer: &Answer, period: Period) -> Option<Violation> {
        let session = || id.to_owned();
        let (least, most) = self.counter;
        match answer {
            Answer::Accepted { user, session: found, .. } if *user != self.user || found != id => {
                Some(Violation::Other { session: session() })
            }
            Answer::Accepted { counter, elevated, .. } => {
                self.counter = (*counter, *counter);
                if !(least..=most).contains(counter) {
                    return Some(Violation::Counter { session: session(), found: *counter, least, most });
                }
                let step_up = self.elevated.as_ref().map(|(_, period)| *period);
                let surely = step_up.is_some_and(|at| period.answered < at.asked + Limits::ELEVATED_FOR);
                let never = step_up.is_some_and(|at| period.asked >= at.answered + Limits::ELEVATED_FOR);
                match elevated {
                    false if surely => Some(Violation::Lost { session: session(), what: "a step-up" }),
                    true if never => Some(Violation::Elevated { session: session() }),
                    _ => None,
                }
            }
            Answer::Counted { counter } => {
                self.counter = (*counter, *counter);
                let least = least + 1;
                let wrong = !(least..=most).contains(counter);
                wrong.then(|| Violation::Counter { session: session(), found: *counter, least, most })
            }
            _ => None,
        }
    }
}
