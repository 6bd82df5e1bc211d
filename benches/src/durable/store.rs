//! The two contenders of this workspace: the embedded store, and the engine below it alone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::Change;
use counterfoil_core::data::Payload;
use counterfoil_core::keys::SharedRing;
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Committed, Limit, OverLimit, Replaced, Revision, Store as _};
use counterfoil_stores::embedded::{EmbeddedStore, Settings};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::Failed;
use crate::records::{DATA_BYTES, NOW, added, anonymous, anonymous_id, id_of, signed_in};
use crate::site::FixedKeys;
use crate::waiting::{Crowd, Engine, KeyBytes, Outcome, Run, Work, noise, repeat, runtime};

/// One run of the embedded store.
///
/// # Errors
/// If anything is not done.
pub fn store(run: &Run) -> Result<Outcome, Failed> {
    let keys = SharedRing::from_source(&FixedKeys)?;
    let store = EmbeddedStore::open(&run.folder, Sealer::new(keys.clone()), Settings::default())?;
    let bench = Arc::new(Bench { store, keys, before: run.before });
    let work = run.work;
    runtime()?.block_on(async {
        bench.prepare(work).await?;
        let bench = Arc::clone(&bench);
        repeat(run.crowd(), move |number| {
            let bench = Arc::clone(&bench);
            async move {
                match work {
                    Work::Insert => bench.insert(number).await,
                    Work::SignIn => bench.sign_in(number).await,
                    Work::Change => bench.change(number).await,
                }
            }
        })
        .await
    })
}

struct Bench {
    store: EmbeddedStore,
    keys: SharedRing,
    before: u64,
}

impl Bench {
    /// What is there before the clock starts.
    async fn prepare(self: &Arc<Self>, work: Work) -> Result<(), Failed> {
        let all = Crowd { waiting: 2_048, span: Duration::MAX, most: self.before };
        let bench = Arc::clone(self);
        let made = repeat(all, move |number| {
            let bench = Arc::clone(&bench);
            async move {
                if work == Work::Change {
                    return bench.insert(number).await;
                }
                added(&bench.store.insert(anonymous(number), None, NOW).await?)
            }
        });
        made.await.map(drop)
    }

    async fn insert(&self, number: u64) -> Result<(), Failed> {
        added(&self.store.insert(signed_in(&self.keys.load(), number)?, None, NOW).await?)
    }

    /// What a sign-in asks of the store: the visitor's session ends, the user's is there, within the limit.
    async fn sign_in(&self, number: u64) -> Result<(), Failed> {
        let (old, record) = (anonymous_id(number), signed_in(&self.keys.load(), number)?);
        match self.store.replace(old, Revision(0), record, Some(LIMIT), NOW).await? {
            Replaced::Inserted(inserted) => added(&inserted),
            other => Err(format!("not replaced: {other:?}").into()),
        }
    }

    async fn change(&self, number: u64) -> Result<(), Failed> {
        let (session, times) = (number % self.before, number / self.before);
        let id = id_of(&self.keys.load(), session)?;
        let data = Payload::from_bytes(&noise(DATA_BYTES, number));
        let change = Change { data: Some(data), ..Change::default() };
        match self.store.commit(id, Revision(times), change, NOW).await? {
            Committed::Done(..) => Ok(()),
            other => Err(format!("not changed: {other:?}").into()),
        }
    }
}

const LIMIT: Limit = Limit { max: std::num::NonZeroU32::MIN.saturating_add(4), over: OverLimit::EndOldest };

/// The engine below the store, alone.
///
/// # Errors
/// If it does not open.
pub fn bare_fjall(folder: &Path) -> Result<impl Engine + use<>, Failed> {
    let database = Database::builder(folder).worker_threads(1).manual_journal_persist(true).open()?;
    let sessions = database.keyspace("sessions", || KeyspaceCreateOptions::default().manual_journal_persist(true))?;
    Ok(Bare { sessions, database })
}

/// The keyspace goes before its database.
struct Bare {
    sessions: Keyspace,
    database: Database,
}

impl Engine for Bare {
    fn write(&mut self, writes: &[(KeyBytes, Vec<u8>)]) -> Result<(), Failed> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for (key, value) in writes {
            batch.insert(&self.sessions, key, value.as_slice());
        }
        Ok(batch.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waiting::contend;

    fn run(work: Work, folder: &Path) -> Run {
        let (before, span) = (40, Duration::from_millis(50));
        Run { work, waiting: 4, span, before, old: 300, record: 500, stone: 60, folder: folder.to_owned() }
    }

    #[test]
    fn every_work_is_done_by_the_store_and_by_the_engine_alone() {
        for work in Work::ALL {
            let folder = tempfile::tempdir().unwrap();
            let outcome = store(&run(work, &folder.path().join("store"))).unwrap();
            assert!(outcome.done > 0, "{work:?}");
            let bare = run(work, &folder.path().join("bare"));
            let exit = contend(bare.arguments().into_iter(), bare_fjall);
            assert_eq!(exit, std::process::ExitCode::SUCCESS, "{work:?}");
        }
    }
}
