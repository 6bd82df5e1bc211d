//! Stores that take the time wrongly.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use counterfoil_core::store::{Activity, Loaded, Store};
use counterfoil_core::{Change, MemoryStore, Moment, SessionId};

use super::current;
use crate::twist::{Answer, Twist};

/// Every load is activity, and every activity a write that all hear of.
#[derive(Debug, Default)]
pub(crate) struct TouchesAlways {
    inner: MemoryStore,
    seen: Mutex<HashMap<SessionId, Moment>>,
}

impl Twist for TouchesAlways {
    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    fn peek(&self, _: SessionId, _: Moment, _: Option<Activity>) -> Option<Loaded> {
        None
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        if let Some(live) = current(&self.inner, id, now).await {
            let label = live.record.member().map(|member| member.label.clone());
            let change = Change { label: Some(label.unwrap_or_default()), ..Change::default() };
            Store::commit(&self.inner, id, live.revision, change, now).await?;
        }
        match Store::load(&self.inner, id, now, activity).await? {
            Loaded::Live(mut live) => {
                live.seen_at = now;
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id, now);
                Ok(Loaded::Live(live))
            }
            loaded => Ok(loaded),
        }
    }
}

/// Activity is whatever the clock says, backwards too.
#[derive(Debug, Default)]
pub(crate) struct FollowsTheClock {
    inner: MemoryStore,
    seen: Mutex<HashMap<SessionId, Moment>>,
}

impl Twist for FollowsTheClock {
    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    fn peek(&self, _: SessionId, _: Moment, _: Option<Activity>) -> Option<Loaded> {
        None
    }

    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Answer<Loaded> {
        let Loaded::Live(mut live) = Store::load(&self.inner, id, now, activity).await? else {
            return Store::load(&self.inner, id, now, activity).await;
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if activity.is_some() {
            seen.insert(id, now);
        }
        live.seen_at = seen.get(&id).copied().unwrap_or(live.seen_at);
        Ok(Loaded::Live(live))
    }
}
