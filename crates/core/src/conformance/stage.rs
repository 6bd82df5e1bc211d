//! What a store's tests provide: fresh stores, handles on them, and whatever else the store can be made to do.

use std::fmt;
use std::sync::Arc;

use crate::record::Record;
use crate::store::{BoxError, BoxFuture, DynStore, Store};

/// Makes stores for the suite: a fresh one for each case.
///
/// A closure that makes a [`Store`] is one; all nodes then share that store.
pub trait Factory: Send + Sync {
    /// A fresh, empty store that `nodes` processes share.
    fn make(&self, nodes: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>>;
}

/// One store, as several nodes see it.
///
/// What a store cannot do stays `None`, and the cases that need it are reported as not applicable.
pub trait Stage: Send + Sync + 'static {
    /// The handle of one node, the first being 0. Each node has its own cache, if the store has caches; all nodes see
    /// the same sessions.
    fn node(&self, index: usize) -> Arc<dyn DynStore>;

    /// Waits until every node has heard what the others did: at most the staleness the store promises.
    fn settle(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Everything the store prints about itself: its `Debug`, and every log line so far.
    fn printed(&self) -> String {
        String::new()
    }

    /// Looking at what lies in the backend.
    fn dump(&self) -> Option<&dyn Dump> {
        None
    }

    /// Writing records in other versions of the store's format.
    fn formats(&self) -> Option<&dyn Formats> {
        None
    }

    /// Backing up and restoring.
    fn backup(&self) -> Option<&dyn Backup> {
        None
    }

    /// Taking the backend away and bringing it back.
    fn outage(&self) -> Option<&dyn Outage> {
        None
    }
}

/// Looking at what lies in the backend.
pub trait Dump: Send + Sync {
    /// Every key and value, as they are stored.
    fn entries(&self) -> BoxFuture<'_, Result<Vec<Entry>, BoxError>>;
}

/// One key and its value, as they are stored.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// Writing records in other versions of the store's format.
pub trait Formats: Send + Sync {
    /// Puts `record` into the backend, written as `version` writes it.
    fn plant(&self, record: Record, version: Version) -> BoxFuture<'_, Result<(), BoxError>>;
}

/// A version of a store's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The one before this program's. Where there was none, this program's.
    Previous,
    /// One that this program does not know.
    Newer,
}

/// Backing up and restoring, as an operator does it with the tools this store documents.
pub trait Backup: Send + Sync {
    /// Copies the whole backend.
    fn back_up(&self) -> BoxFuture<'_, Result<(), BoxError>>;
    /// Puts the last copy in the place of what is there.
    fn restore(&self) -> BoxFuture<'_, Result<(), BoxError>>;
}

/// Taking the backend away and bringing it back.
pub trait Outage: Send + Sync {
    /// The backend does not answer from now on.
    fn begin(&self) -> BoxFuture<'_, Result<(), BoxError>>;
    /// It answers again, and has lost nothing.
    fn end(&self) -> BoxFuture<'_, Result<(), BoxError>>;
}

/// What a case needs of a stage beyond the store contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// [`Stage::formats`].
    Formats,
    /// [`Stage::backup`].
    Backup,
    /// [`Stage::outage`].
    Outage,
}

impl Capability {
    /// Whether `stage` has it.
    pub(super) fn is_of(self, stage: &dyn Stage) -> bool {
        match self {
            Self::Formats => stage.formats().is_some(),
            Self::Backup => stage.backup().is_some(),
            Self::Outage => stage.outage().is_some(),
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Formats => "the store keeps no format of its own that other versions could write (`Stage::formats`)",
            Self::Backup => "the store cannot be backed up and restored (`Stage::backup`)",
            Self::Outage => "the store has no backend that could be taken away (`Stage::outage`)",
        })
    }
}

/// A store that all nodes share.
#[derive(Debug)]
pub struct Shared<S>(Arc<S>);

impl<S: Store + fmt::Debug> Shared<S> {
    /// Takes a store.
    pub fn new(store: S) -> Self {
        Self(Arc::new(store))
    }
}

impl<S: Store + fmt::Debug> Stage for Shared<S> {
    fn node(&self, _: usize) -> Arc<dyn DynStore> {
        Arc::clone(&self.0) as Arc<dyn DynStore>
    }

    fn printed(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl<F, S> Factory for F
where
    F: Fn() -> S + Send + Sync,
    S: Store + fmt::Debug,
{
    fn make(&self, _: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>> {
        let stage: Box<dyn Stage> = Box::new(Shared::new(self()));
        Box::pin(std::future::ready(Ok(stage)))
    }
}
