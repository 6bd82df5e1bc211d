//! Waiting for a session to end: one listener on the store for all handlers that wait.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use counterfoil_core::SessionId;
use counterfoil_core::engine::Engine;
use counterfoil_core::store::Notice;
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
            match self.engine.is_live(id).await {
                Ok(true) => doubts = 0,
                Ok(false) => return,
                Err(_) if doubts >= DOUBTS => return,
                Err(_) => doubts += 1,
            }
            let pause = if doubts == 0 { LOOK_AGAIN } else { LOOK_AGAIN / 4 };
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
            tokio::spawn(listen(self.engine.clone(), Arc::downgrade(&self.waiting)));
        }
        if let Some(bell) = waiting.sessions.get(&id).and_then(Weak::upgrade) {
            return bell;
        }
        let bell = Arc::new(Notify::new());
        waiting.sessions.insert(id, Arc::downgrade(&bell));
        bell
    }
}

/// Passes the store's notices on, for as long as the site lives.
async fn listen(engine: Engine, waiting: Weak<Mutex<Waiting>>) {
    let mut notices = engine.store().watch();
    drop(engine);
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
            Notice::Changed(_) => false,
            Notice::SubjectEnded(_) | Notice::AllEnded | Notice::Gap => true,
        };
        if concerned {
            bell.notify_waiters();
        }
        true
    });
}

/// How long until an unasked look: limits pass without a notice.
const LOOK_AGAIN: Duration = Duration::from_secs(20);
/// How many looks may fail in a row.
const DOUBTS: u32 = 12;
