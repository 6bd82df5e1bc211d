//! Stores that lose a part of what they are given, or hand out something else.

use std::sync::Arc;

use counterfoil_core::data::Payload;
use counterfoil_core::rules::Family;
use counterfoil_core::store::{
    Activity, Committed, Inserted, Limit, Live, Loaded, Page, Replaced, Revision, Store, Summary, Watch,
};
use counterfoil_core::{Change, Holder, MemoryStore, Moment, Record, SessionId, StepUp, SubjectRef};

use crate::twist::{Answer, Twist};

/// The memory store behind something that alters what goes in or comes out.
#[derive(Debug, Default)]
pub(crate) struct Alters {
    inner: MemoryStore,
    record: Option<fn(Record) -> Record>,
    change: Option<fn(Change) -> Change>,
    live: Option<fn(Live) -> Live>,
    deaf_to_activity: bool,
}

impl Alters {
    fn records(alter: fn(Record) -> Record) -> Self {
        Self { record: Some(alter), ..Self::default() }
    }

    fn changes(alter: fn(Change) -> Change) -> Self {
        Self { change: Some(alter), ..Self::default() }
    }

    /// What a first insert carries is lost.
    pub(crate) fn inserts_without_data() -> Self {
        Self::records(|record| Record { data: Payload::default(), ..record })
    }

    /// How long a session is remembered is lost.
    pub(crate) fn forgets_remembering() -> Self {
        Self::records(|mut record| {
            record.limits.remember_for = None;
            record
        })
    }

    /// Changes of the data are lost.
    pub(crate) fn drops_data() -> Self {
        Self::changes(|change| Change { data: None, ..change })
    }

    /// A payload without fields is taken for "no change".
    pub(crate) fn keeps_removed_keys() -> Self {
        Self::changes(|change| Change { data: change.data.filter(|data| !data.as_bytes().is_empty()), ..change })
    }

    /// Where a session was used is lost.
    pub(crate) fn forgets_where_it_was() -> Self {
        Self::changes(|change| Change { history: None, ..change })
    }

    /// Step-ups are lost.
    pub(crate) fn drops_step_ups() -> Self {
        Self::changes(|change| Change { step_up: None, ..change })
    }

    /// Half-done sign-ins are lost.
    pub(crate) fn drops_pending() -> Self {
        let mut alters = Self::changes(|change| Change { pending: None, ..change });
        alters.record = Some(|mut record| {
            if let Holder::Visitor(pending) = &mut record.holder {
                *pending = None;
            }
            record
        });
        alters
    }

    /// A successor takes its predecessor's place at once: rotation without grace.
    pub(crate) fn rotates_strictly() -> Self {
        Self::changes(|change| {
            let family = change.family.clone().map(|family| match family.next.as_deref() {
                Some(link) => Family {
                    generation: family.generation + 1,
                    current: link.hash,
                    closed_at: family.closed_at,
                    next: None,
                },
                None => family,
            });
            Change { family, ..change }
        })
    }

    /// Only the last step-up is kept.
    /// A step-up, once granted, lasts.
    pub(crate) fn never_withdraws_step_ups() -> Self {
        Self::changes(|change| Change {
            step_up: change.step_up.filter(|step_up| *step_up != StepUp::Withdrawn),
            ..change
        })
    }

    pub(crate) fn keeps_one_step_up() -> Self {
        Self {
            live: Some(|mut live| {
                let mut record = Record::clone(&live.record);
                if let Holder::Member(member) = &mut record.holder {
                    Arc::make_mut(member).elevations[1] = None;
                }
                live.record = record.into();
                live
            }),
            ..Self::default()
        }
    }

    /// The time of birth moves with each activity: one clock for everything, as where a store's expiry is all there is.
    pub(crate) fn slides_the_birth() -> Self {
        Self {
            live: Some(|mut live| {
                let record = Record { created_at: live.seen_at, ..Record::clone(&live.record) };
                live.record = record.into();
                live
            }),
            ..Self::default()
        }
    }

    /// Activity is never noted.
    pub(crate) fn never_touches() -> Self {
        let mut alters = Self::changes(|change| Change { seen_at: None, ..change });
        alters.deaf_to_activity = true;
        alters
    }

    fn altered(&self, record: Record) -> Record {
        match self.record {
            Some(alter) => alter(record),
            None => record,
        }
    }

    fn heard(&self, activity: Option<Activity>) -> Option<Activity> {
        activity.filter(|_| !self.deaf_to_activity)
    }

    fn shown(&self, loaded: Loaded) -> Loaded {
        match (loaded, self.live) {
            (Loaded::Live(live), Some(alter)) => Loaded::Live(alter(live)),
            (loaded, _) => loaded,
        }
    }
}

impl Twist for Alters {
    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        Ok(self.shown(Store::load(&self.inner, id, now, self.heard(activity)).await?))
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        Store::peek(&self.inner, id, now, self.heard(activity)).map(|loaded| self.shown(loaded))
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        Store::insert(&self.inner, self.altered(record), limit, now).await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Answer<Replaced> {
        Store::replace(&self.inner, old, expect, self.altered(record), limit, now).await
    }

    async fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Answer<Committed> {
        let change = match self.change {
            Some(alter) => alter(change),
            None => change,
        };
        Store::commit(&self.inner, id, expect, change, now).await
    }
}

/// Lists the oldest first and finds nothing by its name elsewhere.
#[derive(Debug, Default)]
pub(crate) struct IndexesWrongly(MemoryStore);

impl Twist for IndexesWrongly {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Answer<Vec<Summary>> {
        let mut all = Store::list(&self.0, subject, Page { skip: 0, take: usize::MAX }, now).await?;
        all.reverse();
        Ok(all.into_iter().skip(page.skip).take(page.take).collect())
    }

    async fn resolve(&self, _: &str, _: &str) -> Answer<Vec<SessionId>> {
        Ok(Vec::new())
    }
}

/// Tells nobody anything.
#[derive(Debug, Default)]
pub(crate) struct TellsNobody(MemoryStore);

impl Twist for TellsNobody {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    fn watch(&self) -> Watch {
        Store::watch(&MemoryStore::new())
    }
}

/// A sweep forgets whatever there is, however much.
#[derive(Debug, Default)]
pub(crate) struct SweepsEverything {
    inner: MemoryStore,
    known: super::Kept,
    gone: super::Kept,
}

impl Twist for SweepsEverything {
    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    fn peek(&self, _: SessionId, _: Moment, _: Option<Activity>) -> Option<Loaded> {
        None
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        match self.gone.get(id) {
            Some(_) => Ok(Loaded::Absent),
            None => Store::load(&self.inner, id, now, activity).await,
        }
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        self.known.put(record.clone());
        if self.gone.take(record.id).is_some() {
            return Ok(Inserted::Done(Vec::new()));
        }
        Store::insert(&self.inner, record, limit, now).await
    }

    async fn sweep(&self, _: usize, _: Moment) -> Answer<usize> {
        let known = std::mem::take(&mut *self.known.all());
        let count = known.len();
        self.gone.all().extend(known);
        Ok(count)
    }
}
