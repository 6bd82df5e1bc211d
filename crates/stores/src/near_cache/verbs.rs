//! The verbs of the contract: what memory may answer, what is always asked of the store, and what is forgotten by it.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Loaded, Page, Replaced, Revision, Store, StoreError,
    Summary, Watch,
};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

use super::NearCache;
use super::happened::Concerned;

impl<S: Store> Store for NearCache<S> {
    /// Always asks the store: whatever cannot be decided from memory is judged on a fresh load.
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        let reading = self.cache.begin(id);
        let loaded = self.inner.load(id, now, activity).await?;
        self.cache.fill(id, reading, &loaded, activity.map(|activity| activity.limits));
        Ok(loaded)
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        self.cache.recall(id, now, activity)
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        let write = self.cache.birth(&record);
        let inserted = self.inner.insert(record, limit, now).await?;
        if matches!(inserted, Inserted::Done(_)) {
            write.done(Revision(0));
        }
        Ok(inserted)
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        let _old = self.cache.write(Concerned::One(old));
        let write = self.cache.birth(&record);
        let replaced = self.inner.replace(old, expect, record, limit, now).await?;
        if matches!(replaced, Replaced::Inserted(Inserted::Done(_))) {
            write.done(Revision(0));
        }
        Ok(replaced)
    }

    async fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        let write = self.cache.change(id, expect, &change);
        let committed = self.inner.commit(id, expect, change, now).await?;
        if let Committed::Done(revision, _) = &committed {
            write.done(*revision);
        }
        Ok(committed)
    }

    async fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Ending, StoreError> {
        let _write = self.cache.write(Concerned::One(id));
        self.inner.end(id, expect, reason, now).await
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        self.inner.epochs(subject).await
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        let _write = self.cache.write(Concerned::Bucket(subject.bucket()));
        self.inner.end_subject(subject, except, reason, now).await
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        let _write = self.cache.write(Concerned::All);
        self.inner.end_all(reason, now).await
    }

    async fn resolve(&self, kind: &str, value: &str) -> Result<Vec<SessionId>, StoreError> {
        self.inner.resolve(kind, value).await
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        self.inner.list(subject, page, now).await
    }

    /// What is swept is over by its clocks, or was ended before: memory has nothing to forget by it.
    async fn sweep(&self, limit: usize, now: Moment) -> Result<usize, StoreError> {
        self.inner.sweep(limit, now).await
    }

    /// The store's notices, each after this cache heard it.
    fn watch(&self) -> Watch {
        self.notices.watch()
    }

    async fn time(&self) -> Result<Option<Moment>, StoreError> {
        self.inner.time().await
    }
}
