//! The layer that is left behind: a map of sessions, with the faults a store has.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use counterfoil::adopt::{Adopt, Adopted, OldCookie};
use counterfoil::testing::Site;
use counterfoil::{Amr, Clock, Moment, Policy, Subject};
use parking_lot::Mutex;
use tokio::sync::Barrier;

/// The old cookie's name.
pub(super) const SID: &str = "sid";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Clones share the sessions.
#[derive(Clone, Default)]
pub(super) struct Old(Arc<Inner>);

#[derive(Default)]
struct Inner {
    sessions: Mutex<HashMap<String, (String, Moment)>>,
    looks: AtomicUsize,
    down: AtomicBool,
    cannot_end: AtomicBool,
    together: Mutex<Option<Arc<Barrier>>>,
}

/// A site that adopts, and what it adopts from.
pub(super) fn moving(more: impl FnOnce(Adopt) -> Adopt) -> (Site, Old) {
    let old = Old::default();
    let adopt = old.adopt();
    let policy = Policy::aal2(Site::ORIGIN).unwrap();
    (Site::built(policy, |builder| builder.adopt(more(adopt))), old)
}

impl Old {
    /// Signs somebody in there, so long ago.
    pub(super) fn sign_in(&self, cookie: &str, user: &str, site: &Site, ago: Duration) {
        let then = site.clock().now().unix_millis() - u64::try_from(ago.as_millis()).unwrap();
        self.0.sessions.lock().insert(cookie.into(), (user.into(), Moment::from_unix_millis(then)));
    }

    pub(super) fn sessions(&self) -> usize {
        self.0.sessions.lock().len()
    }

    /// How often it was asked.
    pub(super) fn looks(&self) -> usize {
        self.0.looks.load(Ordering::SeqCst)
    }

    pub(super) fn is_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    pub(super) fn cannot_be_ended(&self) {
        self.0.cannot_end.store(true, Ordering::SeqCst);
    }

    /// The next `n` looks answer together, when all have seen what is there.
    pub(super) fn answers_together(&self, n: usize) {
        *self.0.together.lock() = Some(Arc::new(Barrier::new(n)));
    }

    fn adopt(&self) -> Adopt {
        let old = self.clone();
        Adopt::from_cookie(SID, move |cookie: OldCookie| old.clone().find(cookie)).unwrap()
    }

    async fn find(self, cookie: OldCookie) -> Result<Option<Adopted>, BoxError> {
        self.0.looks.fetch_add(1, Ordering::SeqCst);
        if self.0.down.load(Ordering::SeqCst) {
            return Err("the old store does not answer".into());
        }
        let found = self.0.sessions.lock().get(cookie.value()).cloned();
        let together = self.0.together.lock().clone();
        if let Some(together) = together {
            together.wait().await;
        }
        let Some((user, signed_in_at)) = found else { return Ok(None) };
        let end = async move {
            if self.0.cannot_end.load(Ordering::SeqCst) {
                return Err("the old store does not end it".into());
            }
            self.0.sessions.lock().remove(cookie.value());
            Ok(())
        };
        Ok(Some(Adopted::new(Subject::new(user)?, signed_in_at, end).factor(Amr::Pwd)))
    }
}
