//! What is in memory of every session, live or ended: one row of fixed size, in a slab that grows by chunks.

use counterfoil_core::rules::{EndReason, Life, Limits};
use counterfoil_core::store::{Epochs, Revision};
use counterfoil_core::stored::Head;
use counterfoil_core::{Moment, SessionId};

/// One id the store knows: 104 bytes.
#[derive(Debug, Clone)]
pub(in crate::embedded) struct Row {
    pub(in crate::embedded) id: SessionId,
    pub(in crate::embedded) state: State,
    /// Whether a change of it is on its way to the disk, and not yet there.
    pub(in crate::embedded) in_flight: bool,
    /// Whether `seen_at` moved since it was last written.
    pub(in crate::embedded) touched: bool,
    pub(in crate::embedded) created_at: Moment,
    pub(in crate::embedded) seen_at: Moment,
    pub(in crate::embedded) revision: Revision,
    pub(in crate::embedded) epochs: Epochs,
    pub(in crate::embedded) limits: Limits,
    /// Its subject, and its neighbours among the subject's sessions; [`NONE`] where there is none.
    pub(in crate::embedded) subject: u32,
    pub(in crate::embedded) next: u32,
    pub(in crate::embedded) previous: u32,
    /// Where its record is in the cache; [`NONE`] if it is not.
    pub(in crate::embedded) cached: u32,
}

/// What an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum State {
    /// A session.
    Live(Traits),
    /// A tombstone: what ended stays ended until nothing could be alive.
    Ended(EndReason),
    /// A record that this program cannot read: neither a session nor absent.
    Unreadable,
}

/// What the verbs must know of a session without its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) struct Traits {
    /// Whose it is.
    pub(in crate::embedded) whose: Whose,
    /// Whether it has names elsewhere.
    pub(in crate::embedded) referenced: bool,
}

/// Whose a session is, as far as its row must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum Whose {
    /// Nobody's yet.
    Visitor,
    /// Somebody's who signed in, and whose token was not presented so far.
    Provisional,
    /// Somebody's who uses it.
    Presented,
    /// No session at all: what is known of a subject, under an id that no token opens.
    Memo,
}

impl Whose {
    /// As the head of a record has it.
    pub(in crate::embedded) fn of(head: &Head) -> Self {
        match head.subject {
            Some(_) if head.presented => Self::Presented,
            Some(_) => Self::Provisional,
            None if head.family.is_closed() => Self::Memo,
            None => Self::Visitor,
        }
    }
}

impl Row {
    /// The times of the session.
    pub(in crate::embedded) fn life(&self) -> Life {
        let provisional = matches!(self.state, State::Live(traits) if traits.whose == Whose::Provisional);
        Life { created_at: self.created_at, seen_at: self.seen_at, provisional }
    }

    /// Whether it is a session whose record is not in memory.
    pub(in crate::embedded) fn is_cold(&self) -> bool {
        self.cached == NONE && matches!(self.state, State::Live(_))
    }

    /// When even the tombstone may be forgotten. The same as `Record::forget_at`.
    pub(in crate::embedded) fn forget_at(&self) -> Moment {
        self.limits.end_of(self.created_at) + AFTER_THE_END
    }

    /// A row without a record, to be forgotten then.
    pub(in crate::embedded) fn stone(id: SessionId, state: State, forget_at: Moment) -> Self {
        let nothing = std::time::Duration::ZERO;
        Self {
            id,
            state,
            in_flight: false,
            touched: false,
            created_at: Moment::from_unix_millis(
                forget_at.unix_millis().saturating_sub(u64::try_from(AFTER_THE_END.as_millis()).unwrap_or(u64::MAX)),
            ),
            seen_at: Moment::EPOCH,
            revision: Revision(0),
            epochs: Epochs::default(),
            limits: Limits { idle: nothing, absolute: nothing, remember_for: None },
            subject: NONE,
            next: NONE,
            previous: NONE,
            cached: NONE,
        }
    }
}

/// As in `Record::forget_at`: a tombstone is kept for an hour after nothing could be alive.
const AFTER_THE_END: std::time::Duration = std::time::Duration::from_hours(1);

/// No row, no subject, no place in the cache.
pub(super) const NONE: u32 = u32::MAX;

/// Things under small numbers that stay theirs. Grows a chunk at a time: nothing is ever copied, and nothing doubles.
#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) fn get(&self, index: u32) -> Option<&T> {
        let (chunk, place) = split(index);
        self.chunks.get(chunk)?.get(place)
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let (chunk, place) = split(index);
        self.chunks.get_mut(chunk)?.get_mut(place)
    }

    /// Puts `value` in; its number.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(index) = self.free.pop() {
            if let Some(slot) = self.get_mut(index) {
                *slot = value;
            }
            return index;
        }
        let number = match self.chunks.last() {
            Some(last) if last.len() < CHUNK => self.chunks.len() - 1,
            _ => {
                self.chunks.push(Vec::with_capacity(CHUNK));
                self.chunks.len() - 1
            }
        };
        let place = self.chunks.last().map_or(0, Vec::len);
        if let Some(last) = self.chunks.last_mut() {
            last.push(value);
        }
        u32::try_from(number * CHUNK + place).unwrap_or(NONE)
    }

    /// Gives the number away: whoever holds it must not use it again.
    pub(super) fn release(&mut self, index: u32) {
        self.free.push(index);
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new() }
    }
}

fn split(index: u32) -> (usize, usize) {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    (index / CHUNK, index % CHUNK)
}

/// What a shard grows by: 26 kB of rows.
const CHUNK: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_small() {
        assert!(size_of::<Row>() <= 128, "{}", size_of::<Row>());
    }

    #[test]
    fn a_number_that_was_given_away_is_used_again() {
        let mut slab = Slab::default();
        let numbers: Vec<_> = (0..1_000).map(|value| slab.insert(value)).collect();
        assert!(numbers.iter().all(|number| slab.get(*number) == Some(number)));
        slab.release(300);
        assert_eq!((slab.insert(7), slab.get(300)), (300, Some(&7)));
        assert_eq!(slab.get(1_000), None);
    }

    #[test]
    fn a_stone_is_forgotten_when_it_says() {
        let forget_at = Moment::from_unix_seconds(1_800_000_000);
        let row = Row::stone(SessionId::from_bytes([1; 18]), State::Ended(EndReason::SignOut), forget_at);
        assert_eq!(row.forget_at(), forget_at);
    }
}
