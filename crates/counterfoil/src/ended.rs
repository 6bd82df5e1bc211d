//! Waiting for a session to end: one listener on the store for all handlers that wait.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use counterfoil_core::SessionId;
use counterfoil_core::engine::Engine;
use counterfoil_core::store::{Notice, Watch};
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Who waits for which session.
pub(crate) struct Hub {
    engine: Engine,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    listening: bool,
    prune_at: usize,
    sessions: HashMap<SessionId, Weak<Notify>>,
}

impl Hub {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, waiting: Arc::default() }
    }

    /// Resolves when the session is over: signed out, revoked or past its limits. A store that does not answer ends it
    /// too once the doubt has lasted a minute: nobody keeps a stream open on a session that cannot be checked.
    pub(crate) async fn ended(&self, id: SessionId) {
        let bell = self.bell(id);
        let mut doubts = 0;
        loop {
            let rung = bell.notified();
            tokio::pin!(rung);
            // Listen first, look second: an end in between is not missed.
            rung.as_mut().enable();
            let pause = match self.engine.remaining(id).await {
                Ok(Some(remaining)) => {
                    doubts = 0;
                    remaining.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
                }
                Ok(None) => return,
                Err(_) if doubts >= DOUBTS => return,
                Err(_) => {
                    doubts += 1;
                    IN_DOUBT
                }
            };
            tokio::select! {
                () = rung => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn bell(&self, id: SessionId) -> Arc<Notify> {
        let mut waiting = self.waiting.lock();
        if !waiting.listening {
            waiting.listening = true;
            // Watched from here on, not from when the task first runs: an end in between is not missed.
            tokio::spawn(listen(self.engine.store().watch(), Arc::downgrade(&self.waiting)));
        }
        if let Some(bell) = waiting.sessions.get(&id).and_then(Weak::upgrade) {
            return bell;
        }
        waiting.prune();
        let bell = Arc::new(Notify::new());
        waiting.sessions.insert(id, Arc::downgrade(&bell));
        bell
    }
}

impl Waiting {
    /// Drops entries nobody waits for any more, whenever their number has doubled.
    fn prune(&mut self) {
        if self.sessions.len() >= self.prune_at {
            self.sessions.retain(|_, bell| bell.strong_count() > 0);
            self.prune_at = self.sessions.len().max(32) * 2;
        }
    }
}

/// Passes the store's notices on, for as long as the site lives.
async fn listen(mut notices: Watch, waiting: Weak<Mutex<Waiting>>) {
    while let Some(notice) = notices.next().await {
        let Some(waiting) = waiting.upgrade() else { return };
        ring(&mut waiting.lock().sessions, notice);
    }
}

fn ring(sessions: &mut HashMap<SessionId, Weak<Notify>>, notice: Notice) {
    sessions.retain(|id, bell| {
        let Some(bell) = bell.upgrade() else { return false };
        let concerned = match notice {
            Notice::Ended(ended) => ended == *id,
            Notice::Changed(..) | Notice::UpTo(_) => false,
            Notice::SubjectEnded(_) | Notice::AllEnded | Notice::Gap => true,
        };
        if concerned {
            bell.notify_waiters();
        }
        true
    });
}

/// Until an unasked look, at most: the store's clock and limits may change without a notice.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// At least: a limit that is due within milliseconds is no reason to spin.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
/// Until the next look at a store that did not answer.
const IN_DOUBT: Duration = Duration::from_secs(5);
/// How many looks may fail in a row: a minute's worth.
const DOUBTS: u32 = 12;
