//! Stores with a "save": they create where they should change, or overwrite what others wrote.

use std::sync::Arc;

use counterfoil_core::data::Payload;
use counterfoil_core::rules::{EndReason, Family, Limits};
use counterfoil_core::store::{
    Activity, Committed, Ending, Epochs, Inserted, Limit, Live, Loaded, Replaced, Revision, Store,
};
use counterfoil_core::token::TokenHash;
use counterfoil_core::{Change, Holder, Member, MemoryStore, Moment, Record, SessionId, Subject, SubjectRef};

use super::{Kept, current};
use crate::twist::{Answer, Twist};

/// Insert and commit both mean "save": what is not there is created, what is there is overwritten.
#[derive(Debug, Default)]
pub(crate) struct Upserts {
    inner: MemoryStore,
    /// Every record as it was last seen.
    last: Kept,
    /// What was saved past the contract.
    saved: Kept,
}

impl Twist for Upserts {
    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        match self.saved.get(id) {
            Some(live) => Ok(Loaded::Live(live)),
            None => Store::load(&self.inner, id, now, activity).await,
        }
    }

    fn peek(&self, _: SessionId, _: Moment, _: Option<Activity>) -> Option<Loaded> {
        None
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        self.last.put(record.clone());
        let inserted = Store::insert(&self.inner, record.clone(), limit, now).await?;
        if inserted == Inserted::Exists {
            self.saved.put(record);
            return Ok(Inserted::Done(Vec::new()));
        }
        Ok(inserted)
    }

    async fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Answer<Committed> {
        let committed = Store::commit(&self.inner, id, expect, change.clone(), now).await?;
        let record = match (&committed, current(&self.inner, id, now).await) {
            (Committed::Gone(_), _) => self.last.get(id).map_or_else(|| blank(id, now), |live| (*live.record).clone()),
            (_, Some(live)) => {
                self.last.put((*live.record).clone());
                return Ok(committed);
            }
            _ => return Ok(committed),
        };
        self.saved.put(record.with(&change));
        Ok(Committed::Done(Revision(1_000_000), Vec::new()))
    }
}

/// Whatever revision is expected, the current one is meant.
#[derive(Debug, Default)]
pub(crate) struct LastWriteWins(MemoryStore);

impl Twist for LastWriteWins {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    async fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Answer<Committed> {
        let expect = current(&self.0, id, now).await.map_or(expect, |live| live.revision);
        Store::commit(&self.0, id, expect, change, now).await
    }

    async fn end(&self, id: SessionId, _: Option<Revision>, reason: EndReason, now: Moment) -> Answer<Ending> {
        Store::end(&self.0, id, None, reason, now).await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Answer<Replaced> {
        let expect = current(&self.0, old, now).await.map_or(expect, |live| live.revision);
        Store::replace(&self.0, old, expect, record, limit, now).await
    }
}

/// A session that a request asks for is there: made on the spot if need be. So is one for whoever tries a password.
#[derive(Debug, Default)]
pub(crate) struct Adopts(MemoryStore);

impl Twist for Adopts {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    fn peek(&self, _: SessionId, _: Moment, _: Option<Activity>) -> Option<Loaded> {
        None
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        let loaded = Store::load(&self.0, id, now, activity).await?;
        let (Loaded::Absent, Some(activity)) = (&loaded, activity) else { return Ok(loaded) };
        let mut record = blank(id, now);
        let Some(token) = activity.token else { return Ok(loaded) };
        record.family = Family::born(token.hash, now);
        record.epochs = Store::epochs(&self.0, None).await?;
        Store::insert(&self.0, record.clone(), None, now).await?;
        Ok(Loaded::Live(Live::born(record)))
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Answer<Epochs> {
        let epochs = Store::epochs(&self.0, subject).await?;
        if let (Some(reference), Ok(somebody)) = (subject, Subject::new("somebody")) {
            let [one, two] = reference.bucket().number().to_be_bytes();
            let mut id = [7; SessionId::LENGTH];
            (id[0], id[1]) = (one, two);
            let now = Moment::from_unix_seconds(1_800_000_000);
            let mut record = blank(SessionId::from_bytes(id), now);
            record.epochs = epochs;
            record.holder = Holder::Member(Arc::new(member(reference, somebody)));
            Store::insert(&self.0, record, None, now).await?;
        }
        Ok(epochs)
    }
}

fn member(reference: SubjectRef, subject: Subject) -> Member {
    Member {
        subject,
        reference,
        factors: [].into(),
        presented: true,
        label: Box::default(),
        elevations: [None, None],
        references: Vec::new(),
        history: None,
    }
}

fn blank(id: SessionId, now: Moment) -> Record {
    let (idle, absolute) = (std::time::Duration::from_hours(1), std::time::Duration::from_hours(24));
    Record {
        id,
        created_at: now,
        epochs: counterfoil_core::store::Epochs::default(),
        limits: Limits { idle, absolute, remember_for: None },
        family: Family::born(TokenHash::from_bytes([0; 32]), now),
        holder: Holder::Visitor(None),
        data: Payload::default(),
    }
}
