//! A key ring that can be exchanged while requests use it: keys rotate without a restart.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::{KeyError, KeyRing, KeySource};

/// The ring in use. Clones are the same one: what is [exchanged](Self::exchange) in one is exchanged in all.
///
/// # Examples
/// ```
/// use counterfoil_core::keys::{KeyMaterial, KeyRing, KeySource, SharedRing};
/// # use counterfoil_core::keys::KeyError;
/// # struct Keys(&'static str);
/// # impl KeySource for Keys {
/// #     fn keys(&self) -> Result<KeyMaterial, KeyError> {
/// #         KeyMaterial::parse(self.0, "cmVmZXJlbmNlIGtleSBvZiAzMiBieXRlcyBmb3IgdGVzdHM")
/// #     }
/// # }
/// # let yesterday = Keys("a:b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE");
/// # let today = Keys("b:dHdvIHJvb3Qga2V5cyBvZiAzMiBieXRlcyBmb3IgdGVzdHM,a:b25lIHJvb3Qga2V5IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE");
/// let ring = SharedRing::from_source(&yesterday)?;
/// let elsewhere = ring.clone();
/// ring.exchange(KeyRing::from_source(&today)?)?;
/// assert_eq!(elsewhere.load().signing_id().as_str(), "b");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SharedRing(Arc<ArcSwap<KeyRing>>);

impl SharedRing {
    /// Shares `ring`.
    pub fn new(ring: KeyRing) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(ring)))
    }

    /// Derives a ring from what `source` holds, and shares it.
    ///
    /// # Errors
    /// As [`KeyRing::from_source`].
    pub fn from_source(source: &(impl KeySource + ?Sized)) -> Result<Self, KeyError> {
        KeyRing::from_source(source).map(Self::new)
    }

    /// The ring as it is now. What was read stays the same however long it is held; keep it for one request, not longer.
    pub fn load(&self) -> RingInUse {
        RingInUse(self.0.load())
    }

    /// Puts `ring` in the place of the one in use. Requests under way end with the one they began with.
    ///
    /// # Errors
    /// [`ReferenceMoved`] if its reference key is another one; nothing is exchanged then.
    pub fn exchange(&self, ring: KeyRing) -> Result<(), ReferenceMoved> {
        if ring.reference_mark() != self.load().reference_mark() {
            return Err(ReferenceMoved);
        }
        self.0.store(Arc::new(ring));
        Ok(())
    }
}

/// A ring as it was when somebody looked.
pub struct RingInUse(Guard<Arc<KeyRing>>);

impl std::ops::Deref for RingInUse {
    type Target = KeyRing;

    fn deref(&self) -> &KeyRing {
        &self.0
    }
}

impl std::fmt::Debug for RingInUse {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&**self, out)
    }
}

impl From<KeyRing> for SharedRing {
    fn from(ring: KeyRing) -> Self {
        Self::new(ring)
    }
}

impl std::fmt::Debug for SharedRing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&*self.load(), out)
    }
}

/// The new ring has another reference key. It is never rotated: with another one, stores would forget which subjects were
/// signed out everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the new keys have another reference key; it is never rotated, so the keys in use were kept")]
pub struct ReferenceMoved;
