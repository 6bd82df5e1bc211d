//! The near cache: sessions of a store that nodes share, in this node's memory, and a bound on how long a revocation may
//! go unheard.
//!
//! # What memory decides
//! One thing: that a token is accepted and nothing has to be written. [`Store::peek`] answers for that, and for nothing
//! else: whatever is not an accept without a write the engine judges on [`Store::load`], and that always asks the store.
//! So nobody is found out as a thief, forgotten, or told that a session is over by what memory holds. Nor is activity that
//! other nodes saw missed: where it would make a difference to the session's clocks, or a touch is due, memory is silent.
//!
//! # Why nothing old gets in
//! A reading of the store may be overtaken by a revocation while its answer is on the way. So its shard's *generation* is
//! noted before the store is asked. It rises with every notice and every write of this node; the shard knows the last of
//! them, and what was read counts only if none since then concerned it, and none is forgotten. A write of this node forgets
//! what it is about before it answers, because its notice may come after the answer; also if its caller lets go of it
//! half-way, because the store may have done it all the same.
//!
//! # What a write of this node leaves
//! A change that the store has answered as done is the store's own word too: when it did that, the session was live, under
//! both epochs, at the revision that the change expects, and became what the change makes of it. So it counts as a reading
//! that began when the change did, with the same rule: nothing that concerns the session may have been heard or done since,
//! **but one thing**, the notice of this very change, which is told by the session and the revision that the change made. It
//! may come before the answer, and is then no news; or after it, and then leaves the entry as it is. Any other notice of the
//! same session, of whatever revision, drops the entry or keeps it from being made: a revocation on another node, a change
//! that followed ours, and one before ours that is heard late.
//!
//! What it becomes is known only if memory held, when the change began, what it was made from, at that revision. So a change
//! never brings in a session: it replaces an entry that nothing has concerned from its reading until now, and a store that
//! has forgotten a revocation of it (after a failover, until it was told again) cannot bring it back here by doing a change.
//! An answer that is lost, or is any other than that it was done, leaves nothing. Nor does a change of activity alone.
//!
//! What is being read while a change is under way is refused by the change itself, since it may be older; of a reading that
//! began after the change and was answered before it nobody knows which came first, and neither is kept. Sessions that may
//! have yielded to a first use, or to a new session, are forgotten as before. A new session is kept in the same way, where
//! its first request would not have to write anyway: there is no earlier word of it that a revocation could have concerned.
//!
//! A revision may be given twice in one case alone: a server took over that has forgotten the first. Every store tells
//! [`Notice::Gap`] then, before it tells anything of that server, and whatever was kept of the first is gone.
//!
//! An entry needs no epochs beside it: it is the store's own word, at a moment, that its session was under both. Whatever
//! raises one tells [`Notice::SubjectEnded`] or [`Notice::AllEnded`], which drop all it could concern, the session that was
//! spared and stamped anew included.
//!
//! # The bound
//! The store says again and again up to which moment, by this node's clock, everything was told ([`Notice::UpTo`]).
//! Notices are heard in order by one task. At the instant at which memory answers, three things are true together, since
//! the entry's lock is held: the entry is there; everything up to some moment `m` was heard; the clock shows no more than
//! `m` and the bound, and no less than `m`. A revocation that concerns the entry and happened before `m` would have been
//! heard before `m` was said, and the entry would be gone. So what is admitted was good at `m`, and that is no longer ago
//! than the bound.
//!
//! This holds **whatever was paused or cut**. A node that was stopped and wakes up reads its clock before it answers, and
//! finds `m` too old; what it then reads of a queue of old notices says old moments, until it has caught up with them all.
//! The clock is therefore asked anew at each answer: the time at which a request arrived may lie long before, behind an
//! upload or a pause. A stream that is cut says no moment any more; one that is taken up again with losses says
//! [`Notice::Gap`], which clears everything. What was stopped *after* the answer was given is beyond any store, also
//! without a cache.
//!
//! The bound is kept by this node's clock. Its rate matters, not what it shows: the moments are its own, so clocks of
//! nodes that are hours apart shorten or lengthen nothing. A clock that is set back while the stream is cut lengthens the
//! bound by that step at most; as soon as somebody asks meanwhile, not at all: what lies ahead of the clock counts no more.
//! And nothing counts for longer than the lease.
//!
//! When memory may not answer, all is asked of the store, and if that does not answer either, it is a 503.
//!
//! # Who listens
//! A task, not whoever asks: it takes nothing from a request, no lock is shared between shards, and however late it runs,
//! it only makes memory silent. How to run it is the caller's to say; it ends when the cache is dropped.
//!
//! # Examples
//! ```
//! use counterfoil_core::store::BoxFuture;
//! use counterfoil_core::{FakeClock, MemoryStore, Moment};
//! use counterfoil_stores::near_cache::{NearCache, Settings};
//!
//! # let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
//! # let _inside = runtime.enter();
//! # let (store, clock) = (MemoryStore::new(), FakeClock::at(Moment::from_unix_seconds(1_800_000_000)));
//! let spawn = |task: BoxFuture<'static, ()>| drop(tokio::spawn(task));
//! let near = NearCache::new(store, clock, Settings::default(), spawn)?;
//! assert_eq!(near.figures().lag, None); // nothing is answered from memory until the store has said a moment
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod happened;
mod heard;
mod settings;
mod shard;
mod verbs;

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::Clock;
#[cfg(doc)]
use counterfoil_core::store::Notice;
use counterfoil_core::store::{BoxFuture, Notices, Store, Watch};
use futures_util::StreamExt as _;
use futures_util::future::{AbortHandle, abortable};

use self::cache::Cache;
pub use self::settings::{BadSettings, Settings};

/// A store that nodes share, with this node's memory before it.
///
/// # Security
/// A session that was ended on this node is refused at once; one that was ended elsewhere as soon as that was heard, and
/// never later than [`Settings::bound`] after it, by this node's clock, whatever is cut or paused. Reuse of a token is
/// judged by the store alone. Routes that may not wait for the bound ask the store: `Store::load` always does.
///
/// What lies in memory are records as the engine holds them: hashes of tokens, never tokens. `Debug` shows figures only.
pub struct NearCache<S> {
    inner: S,
    cache: Arc<Cache>,
    notices: Arc<Notices>,
    listening: AbortHandle,
}

/// What a near cache did so far, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Figures {
    /// Sessions that were answered from memory.
    pub hits: u64,
    /// Those that were not in memory, or whose activity was due to be written.
    pub misses: u64,
    /// Times memory was not asked, because too little was heard of late.
    pub bypassed: u64,
    /// Sessions that were dropped by notices and by writes of this node.
    pub dropped: u64,
    /// Readings of the store, and writes of this node, that were not kept because something was heard or written meanwhile.
    pub overtaken: u64,
    /// Sessions that stayed in memory as writes of this node left them.
    pub kept: u64,
    /// Ids in memory.
    pub sessions: usize,
    /// Roughly what they take, in bytes.
    pub bytes: usize,
    /// How old what memory knows may be. None until the store has said a first moment; beyond the bound memory is silent.
    pub lag: Option<Duration>,
}

impl<S: Store> NearCache<S> {
    /// A cache before `inner`. `clock` must be the one whose time `inner` says in its notices. `spawn` is given the task
    /// that listens: `|task| drop(tokio::spawn(task))`.
    ///
    /// # Errors
    /// [`BadSettings`] if the settings contradict each other.
    pub fn new(
        inner: S,
        clock: impl Clock,
        settings: Settings,
        spawn: impl FnOnce(BoxFuture<'static, ()>),
    ) -> Result<Self, BadSettings> {
        let cache = Arc::new(Cache::new(settings.checked()?, clock));
        let notices = Arc::new(Notices::default());
        // Watched from here on, not from when the task first runs: nothing that is read from now on is missed.
        let (task, listening) = abortable(listen(inner.watch(), Arc::clone(&cache), Arc::clone(&notices)));
        spawn(Box::pin(async {
            // Whether it was told to end or the notices did: memory hears no more, and falls silent.
            let _ = task.await;
        }));
        Ok(Self { inner, cache, notices, listening })
    }

    /// The store behind it.
    pub const fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S> NearCache<S> {
    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.cache.settings()
    }

    /// What it did so far. Looks at every shard; for whoever watches, now and then.
    pub fn figures(&self) -> Figures {
        let counted = self.cache.counted();
        Figures {
            hits: counted.hits,
            misses: counted.misses,
            bypassed: self.cache.bypassed(),
            dropped: counted.dropped,
            overtaken: counted.overtaken,
            kept: counted.kept,
            sessions: counted.sessions,
            bytes: counted.bytes,
            lag: self.cache.lag(),
        }
    }
}

impl<S> Drop for NearCache<S> {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl<S> std::fmt::Debug for NearCache<S> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = out.debug_struct("NearCache");
        shown.field("settings", &self.settings()).field("figures", &self.figures()).finish_non_exhaustive()
    }
}

/// Hears every notice in its order, and passes it on.
async fn listen(mut watch: Watch, cache: Arc<Cache>, notices: Arc<Notices>) {
    while let Some(notice) = watch.next().await {
        cache.hear(notice);
        notices.tell(notice);
    }
}

#[cfg(test)]
pub(crate) mod tests;
