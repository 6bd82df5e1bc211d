//! Stores that take the concurrent-session limit lightly.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Committed, Inserted, Limit, OverLimit, Page, Replaced, Revision, Store};
use counterfoil_core::{Change, MemoryStore, Moment, Record, SessionId, SubjectRef};

use crate::twist::{Answer, Twist};

/// There is no limit.
#[derive(Debug, Default)]
pub(crate) struct IgnoresLimit(MemoryStore);

impl Twist for IgnoresLimit {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    async fn insert(&self, record: Record, _: Option<Limit>, now: Moment) -> Answer<Inserted> {
        Store::insert(&self.0, record, None, now).await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        _: Option<Limit>,
        now: Moment,
    ) -> Answer<Replaced> {
        Store::replace(&self.0, old, expect, record, None, now).await
    }

    async fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Answer<Committed> {
        Store::commit(&self.0, id, expect, unlimited(change), now).await
    }
}

/// Looks how many sessions there are, then inserts: two steps.
#[derive(Debug, Default)]
pub(crate) struct CountsThenInserts(MemoryStore);

impl Twist for CountsThenInserts {
    fn inner(&self) -> &MemoryStore {
        &self.0
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        if let (Some(subject), Some(limit)) = (record.subject(), limit) {
            let listed = Store::list(&self.0, subject, Page::FIRST, now).await?;
            tokio::task::yield_now().await;
            let over = listed.len() >= usize::try_from(limit.max.get()).unwrap_or(usize::MAX);
            match (over, limit.over, listed.last()) {
                (true, OverLimit::Refuse, _) => return Ok(Inserted::OverLimit),
                (true, OverLimit::EndOldest, Some(oldest)) => {
                    Store::end(&self.0, oldest.id, None, EndReason::Limit, now).await?;
                }
                _ => {}
            }
        }
        Store::insert(&self.0, record, None, now).await
    }

    async fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Answer<Committed> {
        Store::commit(&self.0, id, expect, unlimited(change), now).await
    }
}

/// Every sign-in counts at once and for ever, whether its reply arrived and whether it has ended.
#[derive(Debug, Default)]
pub(crate) struct CountsEverySignIn {
    inner: MemoryStore,
    made: Mutex<HashMap<SubjectRef, Vec<SessionId>>>,
}

impl Twist for CountsEverySignIn {
    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Answer<Inserted> {
        let yields = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            let (Some(subject), Some(limit)) = (record.subject(), limit) else {
                drop(made);
                return Store::insert(&self.inner, record, limit, now).await;
            };
            let made = made.entry(subject).or_default();
            let over = made.len() >= usize::try_from(limit.max.get()).unwrap_or(usize::MAX);
            if over && limit.over == OverLimit::Refuse {
                return Ok(Inserted::OverLimit);
            }
            made.push(record.id);
            over.then(|| made.remove(0))
        };
        if let Some(oldest) = yields {
            Store::end(&self.inner, oldest, None, EndReason::Limit, now).await?;
        }
        match Store::insert(&self.inner, record, None, now).await? {
            Inserted::Done(_) => Ok(Inserted::Done(yields.into_iter().collect())),
            refused => Ok(refused),
        }
    }

    async fn commit(&self, id: SessionId, expect: Revision, change: Change, now: Moment) -> Answer<Committed> {
        Store::commit(&self.inner, id, expect, unlimited(change), now).await
    }
}

fn unlimited(change: Change) -> Change {
    Change { first_use: change.first_use.map(|_| None), ..change }
}
