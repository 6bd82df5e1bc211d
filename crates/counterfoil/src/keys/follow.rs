//! Keys that change while the site runs: the source is read again, and the ring exchanged.

use std::sync::{Arc, Weak};
use std::time::Duration;

use counterfoil_core::keys::{KeyError, KeyId, KeyRing, KeySource, ReferenceMoved, SharedRing};
use counterfoil_core::rules::Limits;

/// The keys in use were kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotExchanged {
    /// The source gives none that could be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// They have another reference key.
    #[error(transparent)]
    Reference(#[from] ReferenceMoved),
}

/// A source that is read again and again.
pub(crate) struct Follow {
    pub(crate) source: Arc<dyn KeySource + Send + Sync>,
    pub(crate) every: Duration,
}

impl Follow {
    /// Goes on until the site is gone. Reading may block, and so has a thread of its own each time.
    pub(crate) fn begin(&self, ring: &SharedRing, limits: Limits, alive: Weak<()>) {
        let (source, ring, every) = (Arc::clone(&self.source), ring.clone(), self.every);
        tokio::spawn(async move {
            let mut told = None;
            while alive.strong_count() > 0 {
                let (source, ring) = (Arc::clone(&source), ring.clone());
                let looked = tokio::task::spawn_blocking(move || exchange(&*source, &ring, &limits)).await;
                // What went wrong is told once, not at every look.
                let error = looked.ok().and_then(Result::err);
                if let Some(error) = error.as_ref().filter(|error| told.as_ref() != Some(*error)) {
                    tracing::error!(%error, "the keys could not be read again; those in use are kept");
                }
                told = error;
                tokio::time::sleep(every).await;
            }
        });
    }
}

/// Puts what `source` holds now in the place of the ring in use. Says whether other keys sign or verify from now on.
pub(crate) fn exchange(
    source: &(impl KeySource + ?Sized),
    ring: &SharedRing,
    limits: &Limits,
) -> Result<bool, NotExchanged> {
    let new = KeyRing::from_source(source)?;
    new.suits(limits)?;
    let moved = seen(&new) != seen(&ring.load());
    if moved {
        tell(&new);
    }
    // Also where the ids are the same: somebody may have put another key under one.
    ring.exchange(new)?;
    Ok(moved)
}

/// Says which keys were left out.
pub(crate) fn tell_left_out(ring: &KeyRing) {
    for (id, _) in ring.left_out() {
        tracing::info!(
            rule = "keys",
            "key `{id}` has ended and is left out; `counterfoil keys retire {id}` removes it"
        );
    }
}

/// Says which keys there are from now on.
fn tell(ring: &KeyRing) {
    tell_left_out(ring);
    let others: Vec<_> = ring.ids().skip(1).map(|id| id.to_string()).collect();
    tracing::info!(rule = "keys", "key `{}` signs; also verifying: [{}]", ring.signing_id(), others.join(", "));
}

/// What tells two rings apart for whoever reads a log.
fn seen(ring: &KeyRing) -> (Vec<KeyId>, Vec<KeyId>) {
    (ring.ids().collect(), ring.left_out().iter().map(|(id, _)| *id).collect())
}
