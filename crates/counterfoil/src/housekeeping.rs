//! What a site does in the background: it forgets sessions that are over, a bounded number at a time, and follows its keys
//! and its store's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use counterfoil_core::engine::Engine;

use crate::keys::Follow;
use crate::store_time::StoreTime;

/// The background tasks of a site. They begin with the first request and end with the site.
#[derive(Default)]
pub(crate) struct Housekeeping {
    begun: AtomicBool,
    /// Dropped with the site; the tasks hold weak ends.
    alive: Arc<()>,
    follow: Option<Follow>,
    time: Option<StoreTime>,
}

impl Housekeeping {
    /// Reads the keys again, too, and looks at the store's clock.
    pub(crate) fn following(follow: Option<Follow>, time: Option<StoreTime>) -> Self {
        Self { follow, time, ..Self::default() }
    }

    /// Somebody else keeps house for this site.
    pub(crate) fn elsewhere(time: Option<StoreTime>) -> Self {
        Self { begun: AtomicBool::new(true), time, ..Self::default() }
    }

    /// Begins, if it has not. Called on a request's path, so that a runtime is there.
    pub(crate) fn begin(&self, engine: &Engine) {
        if !self.begun.load(Ordering::Relaxed) && !self.begun.swap(true, Ordering::Relaxed) {
            if let Some(follow) = &self.follow {
                follow.begin(engine.ring(), *engine.policy().limits(), Arc::downgrade(&self.alive));
            }
            if let Some(time) = self.time.clone() {
                let alive = Arc::downgrade(&self.alive);
                tokio::spawn(async move { time.keep_while(|| alive.strong_count() > 0).await });
            }
            let (engine, alive) = (engine.clone(), Arc::downgrade(&self.alive));
            tokio::spawn(async move {
                while alive.strong_count() > 0 {
                    tokio::time::sleep(tidy(&engine).await).await;
                }
            });
        }
    }

    /// One round on behalf of whoever keeps house for this site.
    pub(crate) async fn tidy(&self, engine: &Engine) -> Duration {
        if let Some(time) = &self.time {
            time.look().await;
        }
        tidy(engine).await
    }
}

/// One round. Says how long to rest: not at all while there is more to do than one round may.
async fn tidy(engine: &Engine) -> Duration {
    match engine.sweep(ROUND).await {
        Ok(forgotten) if forgotten >= ROUND / 2 => Duration::from_millis(10),
        Ok(_) => REST,
        Err(error) => {
            tracing::warn!(error = %error, "sessions that are over could not be forgotten; trying again later");
            REST
        }
    }
}

/// How many sessions one round looks at: well below a millisecond in memory.
const ROUND: usize = 512;
/// Between rounds with little to do.
const REST: Duration = Duration::from_secs(5);
