//! Stores in which what ended does not stay ended.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision, Store,
};
use counterfoil_core::{Change, MemoryStore, Moment, Record, SessionId, SubjectRef};

use super::{Kept, current};
use crate::twist::{Answer, Twist};

/// An ended session is deleted, and its id is free again.
#[derive(Debug, Default)]
pub(crate) struct ForgetsTombstones {
    inner: MemoryStore,
    again: Kept,
}

impl Twist for ForgetsTombstones {
    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        match (self.again.get(id), Store::load(&self.inner, id, now, activity).await?) {
            (Some(live), _) => Ok(Loaded::Live(live)),
            (None, Loaded::Ended(_)) => Ok(Loaded::Absent),
            (None, loaded) => Ok(loaded),
        }
    }

    fn peek(&self, _: SessionId, _: Moment, _: Option<Activity>) -> Option<Loaded> {
        None
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        let inserted = Store::insert(&self.inner, record.clone(), limit, now).await?;
        if inserted == Inserted::Exists && current(&self.inner, record.id, now).await.is_none() {
            self.again.put(record);
            return Ok(Inserted::Done(Vec::new()));
        }
        Ok(inserted)
    }

    async fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Answer<Committed> {
        match Store::commit(&self.inner, id, expect, change, now).await? {
            Committed::Gone(_) => Ok(Committed::Gone(None)),
            committed => Ok(committed),
        }
    }
}

/// Says that a session ended, and leaves it.
#[derive(Debug, Default)]
pub(crate) struct EndsNothing(MemoryStore);

impl Twist for EndsNothing {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    async fn end(&self, _: SessionId, _: Option<Revision>, _: EndReason, _: Moment) -> Answer<Ending> {
        Ok(Ending::Done)
    }
}

/// Activity on a session that has ended brings it back.
#[derive(Debug, Default)]
pub(crate) struct TouchRevives {
    inner: MemoryStore,
    last: Kept,
    revived: Kept,
}

impl Twist for TouchRevives {
    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    fn peek(&self, _: SessionId, _: Moment, _: Option<Activity>) -> Option<Loaded> {
        None
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        self.last.put(record.clone());
        Store::insert(&self.inner, record, limit, now).await
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        let loaded = Store::load(&self.inner, id, now, activity).await?;
        match &loaded {
            Loaded::Live(live) => self.last.put((*live.record).clone()),
            Loaded::Ended(_) if activity.is_some() => {
                if let Some(live) = self.last.get(id) {
                    self.revived.put((*live.record).clone());
                }
            }
            _ => {}
        }
        Ok(self.revived.get(id).map_or(loaded, Loaded::Live))
    }
}

/// Signing in adds the new session and leaves the old one.
#[derive(Debug, Default)]
pub(crate) struct ReplaceKeepsTheOld(MemoryStore);

impl Twist for ReplaceKeepsTheOld {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    async fn replace(
        &self,
        _: SessionId,
        _: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Answer<Replaced> {
        Ok(Replaced::Inserted(Store::insert(&self.0, record, limit, now).await?))
    }
}

/// Ends the sessions of a subject that a list shows, one by one. What is not listed yet, or on its way, gets through.
#[derive(Debug, Default)]
pub(crate) struct EndsByIndex(MemoryStore);

impl Twist for EndsByIndex {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Answer<Epoch> {
        for summary in Store::list(&self.0, subject, Page { skip: 0, take: usize::MAX }, now).await? {
            if Some(summary.id) != except {
                Store::end(&self.0, summary.id, None, reason, now).await?;
            }
        }
        Ok(Store::epochs(&self.0, Some(subject)).await?.subject)
    }
}

/// Says that sessions ended with their subject, or with all others, and does nothing.
#[derive(Debug, Default)]
pub(crate) struct EpochsDoNothing(MemoryStore);

impl Twist for EpochsDoNothing {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    async fn end_subject(&self, _: SubjectRef, _: Option<SessionId>, _: EndReason, now: Moment) -> Answer<Epoch> {
        Ok(Epoch(now.unix_millis()))
    }

    async fn end_all(&self, _: EndReason, now: Moment) -> Answer<Epoch> {
        Ok(Epoch(now.unix_millis()))
    }
}

/// Takes a new session at the epoch of its insert, not at the one that was read before the password was checked.
#[derive(Debug, Default)]
pub(crate) struct InsertsUnderTheNewEpoch(MemoryStore);

impl InsertsUnderTheNewEpoch {
    async fn stamped(&self, mut record: Record) -> Answer<Record> {
        let Epochs { global, subject } = Store::epochs(&self.0, record.subject()).await?;
        record.epochs = Epochs { global, subject };
        Ok(record)
    }
}

impl Twist for InsertsUnderTheNewEpoch {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        let record = self.stamped(record).await?;
        Store::insert(&self.0, record, limit, now).await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Answer<Replaced> {
        let record = self.stamped(record).await?;
        Store::replace(&self.0, old, expect, record, limit, now).await
    }
}
