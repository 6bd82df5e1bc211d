//! Forgetting what is over, a bounded number of rows at a time.

use std::cmp::Reverse;

use counterfoil_core::store::Epoch;
use counterfoil_core::{Moment, SessionId, SubjectRef};

use super::row::{NONE, State};
use super::shard::Shard;

/// What one sweep of a shard found.
#[derive(Debug, Default)]
pub(in crate::embedded) struct Swept {
    /// How many rows it looked at.
    pub(in crate::embedded) looked_at: usize,
    /// What can be forgotten. The rows are there until [`Shard::forget_each`].
    pub(in crate::embedded) over: Vec<Over>,
    /// Subjects whose epoch is of no use any more; they are gone already.
    pub(in crate::embedded) subjects: Vec<SubjectRef>,
}

/// A row that can be forgotten.
#[derive(Debug, Clone, Copy)]
pub(in crate::embedded) struct Over {
    pub(in crate::embedded) index: u32,
    pub(in crate::embedded) id: SessionId,
    /// Whether it has names elsewhere, which go with it.
    pub(in crate::embedded) referenced: bool,
}

impl Shard {
    /// Looks at up to `limit` rows whose time has come.
    pub(in crate::embedded) fn sweep(&mut self, limit: usize, now: Moment, global: Epoch) -> Swept {
        let mut swept = Swept::default();
        while swept.looked_at < limit {
            let Some(Reverse((due, index))) = self.due.peek().copied().filter(|Reverse((due, _))| *due <= now) else {
                break;
            };
            let _ = due;
            self.due.pop();
            swept.looked_at += 1;
            match self.next_look(index, now, global) {
                Some(later) => self.due.push(Reverse((later, index))),
                None => swept.over.extend(self.over(index)),
            }
        }
        self.forget_subjects(limit, now, &mut swept.subjects);
        swept
    }

    /// Forgets what a sweep found.
    pub(in crate::embedded) fn forget_each(&mut self, over: &[Over]) {
        for row in over {
            self.forget(row.index);
        }
    }

    fn over(&self, index: u32) -> Option<Over> {
        let row = self.rows.get(index)?;
        Some(Over { index, id: row.id, referenced: matches!(row.state, State::Live(traits) if traits.referenced) })
    }

    /// When to look at a row again; `None` if it can be forgotten now.
    fn next_look(&self, index: u32, now: Moment, global: Epoch) -> Option<Moment> {
        let row = self.rows.get(index)?;
        match row.state {
            State::Ended(_) => Some(row.forget_at()).filter(|at| *at > now),
            // Nobody knows what it is: it stays until a program that can read it comes by.
            State::Unreadable => Some(now + std::time::Duration::from_hours(24)),
            // The global epoch is never forgotten. A subject's is, so what it ended stays until its own time is over.
            State::Live(_) if row.epochs.global < global => None,
            State::Live(_) => row.limits.next_look(&row.life(), now),
        }
    }

    /// Drops subjects without sessions, once no sign-in can be under way that noted an earlier epoch.
    fn forget_subjects(&mut self, limit: usize, now: Moment, gone: &mut Vec<SubjectRef>) {
        for _ in 0..limit.min(self.moved.len()) {
            let Some(name) = self.moved.front().copied() else { return };
            let index = self.subjects.find(name);
            match index.and_then(|index| self.subjects.get(index)) {
                Some(subject) if now.since(subject.moved_at) < Epoch::KEPT => return,
                Some(subject) if subject.first != NONE => self.moved.rotate_left(1),
                found => {
                    if found.is_some() {
                        gone.push(name);
                    }
                    self.subjects.forget(index.unwrap_or(NONE));
                    self.moved.pop_front();
                }
            }
        }
    }
}
