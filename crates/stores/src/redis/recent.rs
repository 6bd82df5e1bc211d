//! What was loaded last, so that a change needs no second look. Nothing is decided from it: the server compares.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use counterfoil_core::SessionId;
use counterfoil_core::store::{Live, Revision};

/// A session as it was read, and what it opened to.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) bytes: Arc<[u8]>,
    pub(super) live: Live,
}

/// A bounded number of them, oldest out first.
pub(super) struct Recent {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    seen: HashMap<SessionId, (Seen, u64)>,
    /// In the order in which they came, each with its number: an older one of the same session counts no more.
    order: VecDeque<(SessionId, u64)>,
    bytes: usize,
    last: u64,
}

impl Recent {
    pub(super) fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    pub(super) fn put(&self, seen: Seen) {
        let mut kept = self.lock();
        let id = seen.live.record.id;
        kept.take(id);
        kept.last += 1;
        let number = kept.last;
        kept.bytes += weight(&seen);
        kept.order.push_back((id, number));
        kept.seen.insert(id, (seen, number));
        while kept.bytes > self.most || kept.order.len() > 2 * kept.seen.len() + SPARE {
            let Some((oldest, number)) = kept.order.pop_front() else { break };
            if kept.seen.get(&oldest).is_some_and(|(_, current)| *current == number) {
                kept.take(oldest);
            }
        }
    }

    /// Takes it out, if it is of that revision.
    pub(super) fn take(&self, id: SessionId, revision: Revision) -> Option<Seen> {
        self.lock().take(id).filter(|seen| seen.live.revision == revision)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, id: SessionId) -> Option<Seen> {
        let (seen, _) = self.seen.remove(&id)?;
        self.bytes -= weight(&seen);
        Some(seen)
    }
}

/// Sealed and opened, and what stands around it.
fn weight(seen: &Seen) -> usize {
    2 * seen.bytes.len() + AROUND
}

/// An opened record's own fields, and two entries of tables.
const AROUND: usize = 512;
/// Entries of the order that may stand for nothing.
const SPARE: usize = 64;

#[cfg(test)]
mod tests {
    use counterfoil_core::data::Payload;
    use counterfoil_core::rules::{Family, Limits};
    use counterfoil_core::store::Epochs;
    use counterfoil_core::token::TokenHash;
    use counterfoil_core::{Holder, Moment, Record};
    use std::time::Duration;

    use super::*;

    fn seen(number: u8, revision: u64, bytes: usize) -> Seen {
        let limit = Duration::from_mins(1);
        let record = Record {
            id: SessionId::from_bytes([number; 18]),
            created_at: Moment::EPOCH,
            epochs: Epochs::default(),
            limits: Limits { idle: limit, absolute: limit, remember_for: None },
            family: Family::born(TokenHash::from_bytes([0; 32]), Moment::EPOCH),
            holder: Holder::Visitor(None),
            data: Payload::default(),
        };
        let live = Live { revision: Revision(revision), ..Live::born(record) };
        Seen { bytes: vec![0; bytes].into(), live }
    }

    #[test]
    fn the_oldest_go_first_and_the_whole_is_bounded() {
        let recent = Recent::new(3 * (2 * 100 + AROUND));
        (0..5).for_each(|number| recent.put(seen(number, 1, 100)));
        let there = |number| recent.take(SessionId::from_bytes([number; 18]), Revision(1)).is_some();
        assert_eq!([0, 1, 2, 3, 4].map(there), [false, false, true, true, true]);
        recent.put(seen(9, 1, 10_000));
        assert_eq!(recent.lock().bytes, 0, "larger than all of it together");
    }

    #[test]
    fn only_the_revision_that_is_asked_for_is_given_and_only_once() {
        let recent = Recent::new(1 << 20);
        let id = SessionId::from_bytes([7; 18]);
        recent.put(seen(7, 1, 10));
        recent.put(seen(7, 2, 10));
        assert!(recent.take(id, Revision(1)).is_none());
        recent.put(seen(7, 2, 10));
        assert!(recent.take(id, Revision(2)).is_some());
        assert!(recent.take(id, Revision(2)).is_none());
    }

    #[test]
    fn one_session_loaded_for_ever_keeps_the_order_short() {
        let recent = Recent::new(1 << 20);
        (0..10_000).for_each(|revision| recent.put(seen(1, revision, 10)));
        assert!(recent.lock().order.len() <= SPARE + 2);
    }
}
