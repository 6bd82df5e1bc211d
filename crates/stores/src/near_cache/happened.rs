//! What was heard or done of late.

use std::collections::VecDeque;

use counterfoil_core::store::Revision;
use counterfoil_core::{Bucket, SessionId};

/// What a verb of ours, or a notice, is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concerned {
    One(SessionId),
    /// One, by the change that made this revision of it.
    Change(SessionId, Revision),
    Bucket(Bucket),
    All,
}

/// What happened, the last of it; and when, in happenings.
#[derive(Debug, Default)]
pub(super) struct Happened {
    last: VecDeque<Concerned>,
    generation: u64,
}

impl Happened {
    /// Up to where it has come.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn note(&mut self, concerned: Concerned) {
        if self.last.len() == KNOWN {
            self.last.pop_front();
        }
        self.last.push_back(concerned);
        self.generation += 1;
    }

    /// Whether anything since `generation` may have concerned `id`, other than the change that made `own`. What is not
    /// known any more may have.
    pub(super) fn concerns(&self, id: SessionId, generation: u64, own: Option<Revision>) -> bool {
        let since = usize::try_from(self.generation - generation).unwrap_or(usize::MAX);
        let concerns = |concerned: &Concerned| match *concerned {
            Concerned::Change(other, revision) => other == id && own != Some(revision),
            other => other.is_about(id),
        };
        since > self.last.len() || self.last.iter().rev().take(since).any(concerns)
    }
}

impl Concerned {
    fn is_about(self, id: SessionId) -> bool {
        match self {
            Self::One(other) | Self::Change(other, _) => other == id,
            Self::Bucket(bucket) => bucket == id.bucket(),
            Self::All => true,
        }
    }
}

/// As many as happen in a shard while a reading is under way, and many more.
const KNOWN: usize = 32;
