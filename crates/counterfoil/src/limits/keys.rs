//! Under which names budgets are kept: hashed with a secret, of this process or of all nodes.

use std::hash::{BuildHasher as _, RandomState};

use counterfoil_core::keys::SharedRing;
use counterfoil_core::limits::{KeyId, Keying};

pub(super) enum Keys {
    /// Chosen at start, and nobody else's.
    Own([RandomState; 2]),
    /// What all nodes have.
    Ring(SharedRing),
}

impl Keys {
    pub(super) fn own() -> Self {
        Self::Own([RandomState::new(), RandomState::new()])
    }
}

impl Keying for Keys {
    fn key(&self, parts: &[&[u8]]) -> KeyId {
        match self {
            Self::Own(halves) => {
                let [high, low] = halves.each_ref().map(|half| u128::from(half.hash_one(parts)));
                KeyId((high << 64 | low).to_be_bytes())
            }
            Self::Ring(ring) => ring.key(parts),
        }
    }
}
