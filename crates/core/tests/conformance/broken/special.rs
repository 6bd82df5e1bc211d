//! A store with a backend of its own, played by the memory store: it can go away, be backed up, and hold other formats.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use counterfoil_core::conformance::{Backup, Dump, Entry, Factory, Formats, Outage, Stage, Version};
use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, BoxError, BoxFuture, Committed, DynStore, Ending, Epoch, Epochs, Inserted, Limit, Live, Loaded, Page,
    Replaced, Revision, Store, StoreError, Summary,
};
use counterfoil_core::{Change, MemoryStore, Moment, Record, SessionId, SubjectRef};

use super::{Kept, current};
use crate::twist::{Answer, Twist, Twisted};

/// What such a store does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// While its backend is away, it says that a session is absent.
    FailureIsAbsence,
    /// A record of another format is absent.
    FormatIsAbsence,
    /// A restored backup is taken as it is.
    RestoresAsItWas,
    /// Its `Debug` shows whatever the records hold.
    PrintsRecords,
}

/// Makes such a store.
#[derive(Debug)]
pub(crate) struct WithBackend(pub(crate) Fault);

impl Factory for WithBackend {
    fn make(&self, _: usize) -> BoxFuture<'_, Result<Box<dyn Stage>, BoxError>> {
        let backend = Backend {
            fault: self.0,
            inner: MemoryStore::new(),
            away: AtomicBool::new(false),
            known: Kept::default(),
            unreadable: Kept::default(),
            copy: Kept::default(),
            restored: Kept::default(),
        };
        let stage: Box<dyn Stage> = Box::new(One(Arc::new(Twisted(backend))));
        Box::pin(std::future::ready(Ok(stage)))
    }
}

struct One(Arc<Twisted<Backend>>);

struct Backend {
    fault: Fault,
    inner: MemoryStore,
    away: AtomicBool,
    /// Every record that was ever inserted.
    known: Kept,
    unreadable: Kept,
    copy: Kept,
    restored: Kept,
}

impl Backend {
    fn answer(&self) -> Answer<()> {
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("connection refused".into()));
        }
        Ok(())
    }

    async fn epoch(&self) -> Answer<Epoch> {
        Ok(Store::epochs(&self.inner, None).await?.global)
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fault != Fault::PrintsRecords {
            return out.write_str("Backend(…)");
        }
        for live in self.known.all().values() {
            let subject = live.record.member().map(|member| member.subject.as_str().to_owned());
            write!(out, "{subject:?} {:?} ", live.record.family.current.as_bytes())?;
        }
        Ok(())
    }
}

impl Twist for Backend {
    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    fn peek(&self, _: SessionId, _: Moment, _: Option<Activity>) -> Option<Loaded> {
        None
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        match self.answer() {
            Err(_) if self.fault == Fault::FailureIsAbsence => return Ok(Loaded::Absent),
            answer => answer?,
        }
        match (self.unreadable.get(id), self.restored.get(id)) {
            (Some(_), _) if self.fault == Fault::FormatIsAbsence => Ok(Loaded::Absent),
            (Some(_), _) => Err(StoreError::Corrupt { what: "a record of a newer format", cause: None }),
            (None, Some(live)) if live.record.epochs.global >= self.epoch().await? => Ok(Loaded::Live(live)),
            (None, Some(_)) => Ok(Loaded::Ended(EndReason::Admin)),
            (None, None) => Store::load(&self.inner, id, now, activity).await,
        }
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        self.answer()?;
        if self.unreadable.get(record.id).is_some() {
            return Ok(Inserted::Exists);
        }
        self.known.put(record.clone());
        Store::insert(&self.inner, record, limit, now).await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Answer<Replaced> {
        self.answer()?;
        self.known.put(record.clone());
        Store::replace(&self.inner, old, expect, record, limit, now).await
    }

    async fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Answer<Committed> {
        self.answer()?;
        Store::commit(&self.inner, id, expect, change, now).await
    }

    async fn end(&self, id: SessionId, expect: Option<Revision>, reason: EndReason, now: Moment) -> Answer<Ending> {
        self.answer()?;
        Store::end(&self.inner, id, expect, reason, now).await
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Answer<Epochs> {
        self.answer()?;
        Store::epochs(&self.inner, subject).await
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Answer<Epoch> {
        self.answer()?;
        Store::end_subject(&self.inner, subject, except, reason, now).await
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Answer<Epoch> {
        self.answer()?;
        Store::end_all(&self.inner, reason, now).await
    }

    async fn resolve(&self, kind: &str, value: &str) -> Answer<Vec<SessionId>> {
        self.answer()?;
        Store::resolve(&self.inner, kind, value).await
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Answer<Vec<Summary>> {
        self.answer()?;
        Store::list(&self.inner, subject, page, now).await
    }
}

impl Stage for One {
    fn node(&self, _: usize) -> Arc<dyn DynStore> {
        Arc::clone(&self.0) as Arc<dyn DynStore>
    }

    fn printed(&self) -> String {
        format!("{:?}", self.0)
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

impl Dump for One {
    fn entries(&self) -> BoxFuture<'_, Result<Vec<Entry>, BoxError>> {
        let known = self.0.0.known.all();
        let entry = |live: &Live| Entry {
            key: live.record.id.as_bytes().to_vec(),
            value: [live.record.family.current.as_bytes(), live.record.data.as_bytes()].concat(),
        };
        let entries = known.values().map(entry).collect();
        Box::pin(std::future::ready(Ok(entries)))
    }
}

impl Formats for One {
    fn plant(&self, record: Record, version: Version) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            let backend = &self.0.0;
            if version == Version::Newer || backend.fault == Fault::FormatIsAbsence {
                backend.unreadable.put(record);
                return Ok(());
            }
            let now = record.created_at;
            Store::insert(&backend.inner, record, None, now).await.map(drop).map_err(Into::into)
        })
    }
}

impl Backup for One {
    fn back_up(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            let backend = &self.0.0;
            let known: HashMap<SessionId, Live> = backend.known.all().clone();
            for (id, live) in known {
                if let Some(live) = current(&backend.inner, id, live.seen_at).await {
                    backend.copy.all().insert(id, live);
                }
            }
            Ok(())
        })
    }

    fn restore(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async move {
            let backend = &self.0.0;
            let copy = backend.copy.all().clone();
            backend.restored.all().extend(copy);
            if backend.fault != Fault::RestoresAsItWas {
                Store::end_all(&backend.inner, EndReason::Admin, Moment::EPOCH).await?;
            }
            Ok(())
        })
    }
}

impl Outage for One {
    fn begin(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        self.0.0.away.store(true, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(())))
    }

    fn end(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        self.0.0.away.store(false, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(())))
    }
}
