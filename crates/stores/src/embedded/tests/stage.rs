//! A store in a folder of its own, whose disk can be taken away.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use counterfoil_core::FakeClock;
use counterfoil_core::Record;
use counterfoil_core::conformance::{Backup, Dump, Entry, Factory, Formats, Outage, Stage, Version};
use counterfoil_core::keys::{GeneratedKeys, SharedRing};
use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{BoxError, BoxFuture, DynStore, Live, Store};
use counterfoil_core::stored::{self, Format};
use parking_lot::{Mutex, MutexGuard};
use tempfile::TempDir;

use crate::embedded::disk::{Batch, Disk, Fjall, Opener, Space, View};
use crate::embedded::error::DiskError;
use crate::embedded::writer::Message;
use crate::embedded::{Archive, EmbeddedStore, Sessions, Settings};

/// Makes stores for the suite.
pub(super) struct Folders {
    pub(super) settings: Settings,
    pub(super) clock: FakeClock,
}

/// One of them.
pub(super) struct OnDisk {
    pub(super) store: Arc<EmbeddedStore>,
    opener: Arc<Switch>,
    folder: TempDir,
    clock: FakeClock,
}

/// An engine that can be switched off.
pub(super) struct Switch {
    engine: Fjall,
    state: Arc<Switches>,
}

/// What its disk does.
#[derive(Default)]
struct Switches {
    down: AtomicBool,
    /// Held while writes shall wait.
    gate: Mutex<()>,
}

struct Switched {
    disk: Arc<dyn Disk>,
    state: Arc<Switches>,
}

/// Settings under which little fits into memory: what is asked for comes from the disk as often as not.
pub(super) fn small() -> Settings {
    Settings { cache_bytes: 64 * 1_024, engine_cache_bytes: 1_024 * 1_024, write_buffer_bytes: 1_024 * 1_024 }
}

impl OnDisk {
    pub(super) fn new(settings: Settings, clock: FakeClock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let opener = Arc::new(Switch::new(&folder.path().join("engine"), &settings));
        let sealer = Sealer::new(SharedRing::from_source(&GeneratedKeys).unwrap()).writing(Format::LATEST);
        let boxed = Box::new(Arc::clone(&opener));
        let path = folder.path().to_owned();
        let retry = Duration::from_millis(1);
        let store = EmbeddedStore::begin(path, boxed, sealer, &settings, retry, &mut |_| {}).unwrap();
        Self { store: Arc::new(store), opener, folder, clock }
    }

    /// Takes the disk away: the next thing that is written finds out.
    pub(super) fn take_away(&self) {
        self.opener.state.down.store(true, Ordering::SeqCst);
    }

    /// What is written waits for as long as this is held.
    pub(super) fn hold_writes(&self) -> MutexGuard<'_, ()> {
        self.opener.state.gate.lock()
    }

    /// Puts it back, and waits until the store has noticed.
    pub(super) async fn put_back(&self) {
        self.opener.state.down.store(false, Ordering::SeqCst);
        while self.store.queue.ask(|_| Ok(())).await.is_err() {}
    }

    /// Leaves the disk, does `between` with it, and begins anew.
    pub(super) async fn renew(&self, between: impl FnOnce(Arc<dyn Disk>) + Send + 'static) {
        let opener = Arc::clone(&self.opener);
        self.without_disk(move || between(opener.engine.open().unwrap())).await;
    }

    /// Leaves the disk, does `between`, and begins anew.
    async fn without_disk(&self, between: impl FnOnce() + Send + 'static) {
        self.store.queue.send(Message::Renew(Box::new(between)));
        self.store.queue.ask(|_| Ok(())).await.unwrap();
    }

    pub(super) fn sealer(&self) -> Sealer {
        self.store.shared.sealer.clone()
    }
}

impl Switch {
    fn new(folder: &Path, settings: &Settings) -> Self {
        Self { engine: Fjall::new(folder, settings), state: Arc::default() }
    }
}

impl Opener for Arc<Switch> {
    fn open(&self) -> Result<Arc<dyn Disk>, DiskError> {
        self.state.are_up()?;
        Ok(Arc::new(Switched { disk: self.engine.open()?, state: Arc::clone(&self.state) }))
    }
}

impl Disk for Switched {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, DiskError> {
        self.state.are_up()?;
        self.disk.get(space, key)
    }

    fn write(&self, batch: &Batch) -> Result<(), DiskError> {
        drop(self.state.gate.lock());
        self.state.are_up()?;
        self.disk.write(batch)
    }

    fn view(&self) -> Arc<dyn View> {
        self.disk.view()
    }

    fn about(&self) -> u64 {
        self.disk.about()
    }

    fn bytes(&self) -> Result<u64, DiskError> {
        self.disk.bytes()
    }
}

impl Switches {
    fn are_up(&self) -> Result<(), DiskError> {
        let gone = || DiskError::io("reaching", std::io::Error::other("the test took the disk away"));
        if self.down.load(Ordering::SeqCst) { Err(gone()) } else { Ok(()) }
    }
}

impl Factory for Folders {
    fn make(&self, _: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>> {
        let stage: Box<dyn Stage> = Box::new(OnDisk::new(self.settings, self.clock.clone()));
        Box::pin(std::future::ready(Ok(stage)))
    }
}

impl Stage for OnDisk {
    fn node(&self, _: usize) -> Arc<dyn DynStore> {
        Arc::clone(&self.store) as Arc<dyn DynStore>
    }

    fn printed(&self) -> String {
        format!("{:?}", self.store)
    }

    fn dump(&self) -> Option<&dyn Dump> {
        Some(self)
    }

    fn formats(&self) -> Option<&dyn Formats> {
        Some(self)
    }

    fn backup(&self) -> Option<&dyn Backup> {
        Some(self)
    }

    fn outage(&self) -> Option<&dyn Outage> {
        Some(self)
    }
}

impl Dump for OnDisk {
    fn entries(&self) -> BoxFuture<'_, Result<Vec<Entry>, BoxError>> {
        Box::pin(async {
            let view = self.store.shared.disk()?.view();
            let mut entries = Vec::new();
            for space in Space::ALL {
                view.scan(space, &[], &mut |key, value| {
                    entries.push(Entry { key: key.to_vec(), value: value.to_vec() });
                    Ok(())
                })?;
            }
            Ok(entries)
        })
    }
}

impl Formats for OnDisk {
    fn plant(&self, record: Record, version: Version) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            let id = record.id;
            let mut bytes = stored::encode(&Live::born(record), &self.sealer().writing(Format::One))?;
            if version == Version::Newer {
                bytes[0] = Format::LATEST.version() + 1;
            }
            let mut batch = Batch::default();
            batch.put(Space::Sessions, id.as_bytes(), bytes);
            self.renew(move |disk| disk.write(&batch).unwrap()).await;
            Ok(())
        })
    }
}

impl Backup for OnDisk {
    fn back_up(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            self.store.back_up(self.folder.path().join("backup"), &mut |_| {})?;
            Ok(())
        })
    }

    fn restore(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            let (path, now) = (self.folder.path().to_owned(), counterfoil_core::Clock::now(&self.clock));
            let (backup, restored) = (path.join("backup"), path.join("restored"));
            Archive::open(backup, self.sealer())?.restore(&restored, Sessions::End, now, &mut |_| {})?;
            self.without_disk(move || {
                std::fs::remove_dir_all(path.join("engine")).unwrap();
                std::fs::rename(restored.join("engine"), path.join("engine")).unwrap();
            })
            .await;
            Ok(())
        })
    }
}

impl Outage for OnDisk {
    fn begin(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            self.take_away();
            let now = counterfoil_core::Clock::now(&self.clock);
            let reason = counterfoil_core::rules::EndReason::Admin;
            // The first write finds out.
            let subject = counterfoil_core::SubjectRef::from_bytes([255; 16]);
            let refused = Store::end_subject(&*self.store, subject, None, reason, now).await;
            assert!(refused.is_err(), "{}", self.folder.path().display());
            Ok(())
        })
    }

    fn end(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            self.put_back().await;
            Ok(())
        })
    }
}
