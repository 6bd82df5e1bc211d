//! Forgetting what is over, a bounded number of sessions at a time.

use std::cmp::Reverse;

use super::{Entry, Shard, Slot};
use crate::id::SessionId;
use crate::moment::Moment;
use crate::store::Epoch;

impl Shard {
    /// Looks at up to `limit` slots whose time has come. Answers how many it looked at and how many it forgot.
    pub(in crate::memory) fn sweep(&mut self, limit: usize, now: Moment, global: Epoch) -> (usize, usize) {
        let (mut looked_at, mut forgotten) = (0, 0);
        while looked_at < limit {
            let Some(Reverse((due, id))) = self.due.peek().copied() else {
                break;
            };
            if due > now {
                break;
            }
            self.due.pop();
            looked_at += 1;
            match self.next_look(id, now, global) {
                Some(later) => self.due.push(Reverse((later, id))),
                None => forgotten += usize::from(self.forget(id)),
            }
        }
        self.forget_subjects(limit, now);
        (looked_at, forgotten)
    }

    /// When to look at `id` again; `None` if it can be forgotten now.
    fn next_look(&self, id: SessionId, now: Moment, global: Epoch) -> Option<Moment> {
        match self.slots.get(&id)? {
            Slot::Ended { forget_at, .. } => (*forget_at > now).then_some(*forget_at),
            Slot::Live(Entry { live, .. }) => {
                let record = &live.record;
                // The global epoch is never forgotten. A subject's is, so what it ended stays until its own time is over:
                // a record written back after that is of no use.
                if record.epochs.global < global {
                    return None;
                }
                record.limits.next_look(&record.life(live.seen_at), now)
            }
        }
    }

    fn forget(&mut self, id: SessionId) -> bool {
        self.take(id).is_some()
    }

    /// Drops subjects without sessions, once no sign-in can be under way that noted an earlier epoch.
    fn forget_subjects(&mut self, limit: usize, now: Moment) {
        for _ in 0..limit {
            let Some(subject) = self.moved.front().copied() else {
                return;
            };
            match self.subjects.get(&subject) {
                Some(member) if now.since(member.moved_at) < Epoch::KEPT => return,
                Some(member) if !member.sessions.is_empty() => self.moved.rotate_left(1),
                _ => {
                    self.subjects.remove(&subject);
                    self.moved.pop_front();
                }
            }
        }
    }
}
