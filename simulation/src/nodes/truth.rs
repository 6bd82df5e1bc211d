//! The one store, and what is true: which sessions ended when, who was admitted all the same, what was lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil_core::data::{DataError, Field, Fields, Key, SessionData};
use counterfoil_core::store::{Live, Loaded, Store as _};
use counterfoil_core::{Event, EventKind, EventSink, MemoryStore, Moment, SessionId};
use parking_lot::Mutex;

use super::world::{NODES, World};

/// What really is. Clones are the same.
#[derive(Clone)]
pub(super) struct Truth(Arc<Inner>);

struct Inner {
    world: World,
    store: Arc<MemoryStore>,
    sessions: Mutex<BTreeMap<SessionId, Fate>>,
    faults: Mutex<Vec<String>>,
    /// Until when the store does nothing.
    stopped_until: AtomicU64,
    counted: Mutex<Counted>,
}

/// What became of one session.
#[derive(Default)]
struct Fate {
    ended_at: Option<u64>,
    /// Somebody else has its token: what happens to it may be right.
    stolen: bool,
    /// Which nodes know that it ended.
    known: [bool; NODES],
    /// Updates that were answered as done, and those that may have been done.
    updates: u64,
    attempts: u64,
    /// What it counts, and since when: the last first.
    counts: Vec<(u64, u64)>,
}

/// How much happened, so that a history without faults is not one in which nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Requests that were judged.
    pub requests: u64,
    /// Those that were admitted from memory.
    pub from_memory: u64,
    /// Those of ended sessions that memory still admitted, within the bound.
    pub within_bound: u64,
    /// Requests that found the store unavailable.
    pub unavailable: u64,
    /// Sessions that ended.
    pub ended: u64,
    /// Tokens that were found out as stolen.
    pub reuses: u64,
    /// Updates that were answered as done.
    pub updates: u64,
    /// Sessions that stayed in a node's memory as a write of it left them.
    pub kept: u64,
}

/// How a request was let in.
pub(super) enum By {
    /// By memory, now.
    Memory,
    /// By the store; the request began at this time.
    Store(u64),
}

/// What the sessions hold.
#[derive(Default)]
pub(super) struct Tally {
    /// How often it was raised.
    pub count: u64,
}

impl Truth {
    /// An empty store in `world`.
    pub(super) fn new(world: &World) -> Self {
        Self(Arc::new(Inner {
            world: world.clone(),
            store: Arc::new(MemoryStore::new()),
            sessions: Mutex::default(),
            faults: Mutex::default(),
            stopped_until: AtomicU64::new(0),
            counted: Mutex::default(),
        }))
    }

    /// The store itself.
    pub(super) fn store(&self) -> &Arc<MemoryStore> {
        &self.0.store
    }

    /// Waits while the store is stopped.
    pub(super) async fn at_work(&self) {
        let until = self.0.stopped_until.load(Ordering::SeqCst);
        let now = self.0.world.now();
        if until > now {
            self.0.world.sleep(until - now).await;
        }
    }

    /// The store does nothing for so long.
    pub(super) fn stop(&self, micros: u64) {
        self.0.stopped_until.store(self.0.world.now() + micros, Ordering::SeqCst);
    }

    /// A session may be there from now on.
    pub(super) fn begun(&self, id: SessionId) {
        self.0.sessions.lock().entry(id).or_default();
    }

    /// Looks at what the store's last verb ended.
    pub(super) fn look(&self, verb: &str) {
        for (id, fate) in self.0.sessions.lock().iter_mut().filter(|(_, fate)| fate.ended_at.is_none()) {
            if let Some(live) = self.live(*id) {
                let (now, count) = (self.0.world.now(), count_of(&live));
                if fate.counts.first().map(|(_, counted)| *counted) != Some(count) {
                    fate.counts.insert(0, (now, count));
                }
            } else {
                fate.ended_at = Some(self.0.world.now());
                self.0.counted.lock().ended += 1;
                self.0.world.note(format_args!("{verb} ended {id}"));
            }
        }
    }

    /// Which sessions there are.
    pub(super) fn sessions(&self) -> Vec<SessionId> {
        self.0.sessions.lock().keys().copied().collect()
    }

    /// The session, if it has not ended.
    pub(super) fn live(&self, id: SessionId) -> Option<Live> {
        match self.0.store.peek(id, Moment::EPOCH, None) {
            Some(Loaded::Live(live)) => Some(live),
            _ => None,
        }
    }

    /// Somebody has a copy of its token.
    pub(super) fn stolen(&self, id: SessionId) {
        self.0.sessions.lock().entry(id).or_default().stolen = true;
    }

    /// A node was told that it ended, or was answered that it ended it.
    pub(super) fn known(&self, node: usize, id: SessionId) {
        let mut sessions = self.0.sessions.lock();
        if let Some(known) = sessions.get_mut(&id).and_then(|fate| fate.known.get_mut(node)) {
            *known = true;
        }
    }

    /// A node admits a session: rightly?
    pub(super) fn admitted(&self, node: usize, id: SessionId, by: &By, bound: u64) {
        let now = self.0.world.now();
        let sessions = self.0.sessions.lock();
        let Some(Fate { ended_at: Some(ended_at), known, .. }) = sessions.get(&id) else { return };
        let late = match by {
            By::Memory => now - ended_at,
            By::Store(began) => now - began.max(ended_at),
        };
        let fault = match by {
            By::Memory if known.get(node) == Some(&true) => Some("though it knew that it had ended"),
            By::Memory if late > bound => Some("beyond the bound"),
            By::Store(began) if began > ended_at => Some("on what it took for the store's word"),
            _ => None,
        };
        self.0.counted.lock().within_bound += u64::from(matches!(by, By::Memory));
        if let Some(why) = fault {
            self.fault(format!("node {node} admits {id} {why}, {} µs after its end", now - ended_at));
        }
    }

    /// Memory says that a session counts so many: may it, still?
    pub(super) fn counts(&self, node: usize, id: SessionId, count: u64, bound: u64) {
        let known_since = self.0.world.now().saturating_sub(bound);
        let sessions = self.0.sessions.lock();
        let counts = sessions.get(&id).map(|fate| fate.counts.as_slice()).unwrap_or_default();
        let least = counts.iter().find(|(since, _)| *since < known_since).map(|(_, count)| *count);
        if least.is_some_and(|least| count < least) {
            self.fault(format!("node {node} holds {id} as it was before the bound: it counts {count}, not {least:?}"));
        }
    }

    /// A request presented the token of a session, and found nobody: rightly?
    pub(super) fn refused(&self, node: usize, id: SessionId) {
        let stolen = self.0.sessions.lock().get(&id).is_some_and(|fate| fate.stolen);
        if !stolen && self.live(id).is_some() {
            self.fault(format!("node {node} does not admit {id}, which nobody ended"));
        }
    }

    /// An update of a session's data begins, or was answered as done.
    pub(super) fn updates(&self, id: SessionId, done: bool) {
        if let Some(fate) = self.0.sessions.lock().get_mut(&id) {
            *(if done { &mut fate.updates } else { &mut fate.attempts }) += 1;
            self.0.counted.lock().updates += u64::from(done);
        }
    }

    /// No update may be lost, and none may count twice.
    pub(super) fn check_updates(&self) {
        let fates: Vec<_> =
            self.0.sessions.lock().iter().map(|(id, fate)| (*id, fate.updates, fate.attempts)).collect();
        for (id, done, attempts) in fates {
            let Some(live) = self.live(id) else { continue };
            let count = count_of(&live);
            if count < done || count > attempts {
                self.fault(format!("{id} counts {count} updates; {done} were answered as done, {attempts} begun"));
            }
        }
    }

    /// Something is wrong.
    pub(super) fn fault(&self, what: String) {
        self.0.world.note(format_args!("WRONG: {what}"));
        self.0.faults.lock().push(what);
    }

    /// What was wrong so far.
    pub(super) fn faults(&self) -> Vec<String> {
        self.0.faults.lock().clone()
    }

    /// Counts.
    pub(super) fn count(&self, count: impl FnOnce(&mut Counted)) {
        count(&mut self.0.counted.lock());
    }

    /// What was counted.
    pub(super) fn counted(&self) -> Counted {
        *self.0.counted.lock()
    }
}

impl std::ops::Add for Counted {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            from_memory: self.from_memory + other.from_memory,
            within_bound: self.within_bound + other.within_bound,
            unavailable: self.unavailable + other.unavailable,
            ended: self.ended + other.ended,
            reuses: self.reuses + other.reuses,
            updates: self.updates + other.updates,
            kept: self.kept + other.kept,
        }
    }
}

impl std::fmt::Display for Counted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { requests, from_memory, within_bound, unavailable, ended, reuses, updates, kept } = self;
        write!(
            out,
            "{requests} requests, {from_memory} admitted from memory, {within_bound} of them of sessions that had "
        )?;
        write!(out, "ended within the bound; {unavailable} found no store; {ended} sessions ended; ")?;
        write!(out, "{reuses} stolen tokens found out; {updates} updates; ")?;
        write!(out, "{kept} writes stayed in memory")
    }
}

impl EventSink for Truth {
    fn emit(&self, event: &Event) {
        let stolen = event.session.is_some_and(|id| self.0.sessions.lock().get(&id).is_some_and(|fate| fate.stolen));
        let verdict = match event.kind {
            EventKind::TokenReused { .. } => "of a thief",
            EventKind::TokenForgotten => "the store has forgotten",
            _ => return,
        };
        self.0.world.note(format_args!("{:?}: a token {verdict}", event.session));
        self.0.counted.lock().reuses += u64::from(stolen);
        if !stolen {
            self.fault(format!("an honest user's token is taken for one {verdict}: {:?}", event.session));
        }
    }
}

fn count_of(live: &Live) -> u64 {
    let fields = Fields::open(&live.record.data).unwrap_or_default();
    Tally::read(&fields).map(|tally| tally.count).unwrap_or_default()
}

impl SessionData for Tally {
    fn read(fields: &Fields) -> Result<Self, DataError> {
        Ok(Self { count: COUNT.decode(fields)?.unwrap_or_default() })
    }

    fn write(&self) -> Result<Vec<(&'static str, Field)>, DataError> {
        Ok(vec![(COUNT.name(), COUNT.encode(&self.count)?)])
    }
}

const COUNT: Key<u64> = Key::new("simulation.count");
