//! Filling a store with sessions, and how long readers wait meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use counterfoil_core::SessionId;
use counterfoil_core::keys::SharedRing;
use counterfoil_core::store::{Loaded, Store as _};
use counterfoil_stores::embedded::EmbeddedStore;
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};

use super::{Effort, Reads, bytes_below, keys, open};
use crate::records::{NOW, added, id_of, signed_in};
use crate::waiting::{Crowd, repeat, runtime};
use crate::{Failed, bar};

/// What filling a store took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Filled {
    /// Until the last session was on the disk.
    pub seconds: f64,
    /// Reads of sessions in memory meanwhile.
    pub reads: Reads,
    /// Of the folder, once the store was closed.
    pub disk_bytes: u64,
}

/// Inserts so many sessions into a new store, each durable before it counts, while a thread reads now and then.
///
/// # Errors
/// If any is refused.
pub fn fill(sessions: u64, folder: &Path, effort: Effort) -> Result<Filled, Failed> {
    let keys = keys()?;
    let store = Arc::new(open(folder, &keys)?);
    let runtime = runtime()?;
    let first = sessions.min(READ);
    runtime.block_on(insert(&store, &keys, 0, first))?;
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        let ids = (0..first).map(|number| id_of(&keys.load(), number)).collect::<Result<Vec<_>, _>>()?;
        std::thread::spawn(move || read(&store, &ids, &stop))
    };
    let began = Instant::now();
    runtime.block_on(insert(&store, &keys, first, sessions.max(first + least(effort)) - first))?;
    let seconds = began.elapsed().as_secs_f64();
    stop.store(true, Ordering::SeqCst);
    let reads = reader.join().map_err(|_| "the reader panicked")??;
    drop(runtime);
    drop(store);
    Ok(Filled { seconds, reads, disk_bytes: bytes_below(folder)? })
}

/// The small sizes are over before anything can be seen.
const fn least(effort: Effort) -> u64 {
    match effort {
        Effort::Full => 0,
        Effort::Short => 100,
    }
}

/// Inserts the sessions from number `first` on.
pub(super) async fn insert(
    store: &Arc<EmbeddedStore>,
    keys: &SharedRing,
    first: u64,
    count: u64,
) -> Result<(), Failed> {
    let bar = bar(usize::try_from(count)?, "sessions");
    let (store, keys, shown) = (Arc::clone(store), keys.clone(), bar.clone());
    let all = repeat(Crowd { waiting: WAITING, span: Duration::MAX, most: count }, move |number| {
        let (store, keys, shown) = (Arc::clone(&store), keys.clone(), shown.clone());
        async move {
            let record = signed_in(&keys.load(), first + number)?;
            if number % STEP == STEP - 1 {
                shown.inc(STEP);
            }
            added(&store.insert(record, None, NOW).await?)
        }
    });
    all.await?;
    bar.finish_and_clear();
    Ok(())
}

/// Reads one session after another until it is told to stop, with a rest between two. How long each took.
fn read(store: &EmbeddedStore, ids: &[SessionId], stop: &AtomicBool) -> Result<Reads, Failed> {
    let mut took = Vec::new();
    for id in ids.iter().cycle() {
        let began = Instant::now();
        let loaded = match store.peek(*id, NOW, None) {
            Some(loaded) => loaded,
            // Not in memory any more: from the disk, which never waits for the writer.
            None => store.load(*id, NOW, None).now_or_never().ok_or("a read waits")??,
        };
        took.push(u64::try_from(began.elapsed().as_nanos())?);
        if !matches!(loaded, Loaded::Live(_)) {
            return Err("a session is gone".into());
        }
        if stop.load(Ordering::SeqCst) {
            break;
        }
        std::thread::sleep(REST);
    }
    Ok(Reads::of(took))
}

/// Sessions that are read again and again.
const READ: u64 = 500;
/// Inserts under way at once.
const WAITING: u64 = 2_048;
/// Between two reads.
const REST: Duration = Duration::from_micros(100);
/// Of the bar.
const STEP: u64 = 1_000;
