//! Session data: reading, setting, updating by compare-and-set. No update is lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::error::SessionError;
use super::exchange::{Exchange, Intent, Phase, Presence};
use crate::data::{Field, Fields, Key, Keys, Payload, SessionData};
use crate::event::EventKind;
use crate::policy::Policy;
use crate::record::Change;
use crate::store::{Committed, Live};

impl Exchange {
    /// The data of this session, with what was set in this request.
    ///
    /// # Errors
    /// [`SessionError::Store`] if the store did not answer; [`SessionError::Data`] or [`SessionError::Payload`] if what
    /// it holds is something else. Neither is ever read as "empty".
    pub async fn read<T: SessionData>(&self) -> Result<T, SessionError> {
        Ok(T::read(&self.fields().await?)?)
    }

    /// One key of this session, with what was set in this request.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn get<V: DeserializeOwned, N>(&self, key: Key<V, N>) -> Result<Option<V>, SessionError>
    where
        N: AsRef<str> + Send,
    {
        Ok(key.decode(&self.fields().await?)?)
    }

    /// All of a group of keys, by name, with what was set in this request.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn get_all<V: DeserializeOwned>(&self, keys: Keys<V>) -> Result<BTreeMap<String, V>, SessionError> {
        Ok(keys.decode(&self.fields().await?)?)
    }

    /// Sets one key. Written with the response, or by [`commit`](Self::commit). Others' changes of other keys survive.
    ///
    /// # Errors
    /// [`SessionError::TooLate`] after the response was committed.
    #[expect(clippy::needless_pass_by_value, reason = "a key is a name: most are `Copy` constants")]
    pub fn set<V: Serialize, N: AsRef<str>>(&self, key: Key<V, N>, value: &V) -> Result<(), SessionError> {
        self.intend(key.text(), Some(key.encode(value)?))
    }

    /// Removes one key, as [`set`](Self::set) sets one.
    ///
    /// # Errors
    /// [`SessionError::TooLate`] after the response was committed.
    #[expect(clippy::needless_pass_by_value, reason = "a key is a name: most are `Copy` constants")]
    pub fn remove<V, N: AsRef<str>>(&self, key: Key<V, N>) -> Result<(), SessionError> {
        self.intend(key.text(), None)
    }

    /// Changes the data by compare-and-set, now: `change` runs again if somebody else was faster, and the answer is what
    /// it returned on the state that was stored. Creates an anonymous session where there is none.
    ///
    /// # Errors
    /// [`SessionError::Ended`] if the session ended meanwhile: nothing was stored. Others as in [`SessionError`].
    pub async fn update<T: SessionData, R>(
        &self,
        mut change: impl FnMut(&mut T) -> R + Send,
    ) -> Result<R, SessionError> {
        for _ in 0..ATTEMPTS {
            let presence = self.presence().await?;
            let before = self.view_of(&presence)?;
            let mut value = T::read(&before)?;
            let unchanged = value.write()?;
            let answer = change(&mut value);
            let mut intents = self.intents();
            intents.extend(differences(&unchanged, value.write()?));
            if self.try_write(&presence, &intents, Change::default()).await? {
                return Ok(answer);
            }
        }
        Err(SessionError::Contended)
    }

    /// Writes what was set so far, now: before a stream begins, or to know that it is stored.
    ///
    /// # Errors
    /// As [`update`](Self::update); what was set stays to be written.
    pub async fn commit(&self) -> Result<(), SessionError> {
        for _ in 0..ATTEMPTS {
            let intents = self.intents();
            if intents.is_empty() {
                return Ok(());
            }
            let presence = self.presence().await?;
            if self.try_write(&presence, &intents, Change::default()).await? {
                return Ok(());
            }
        }
        Err(SessionError::Contended)
    }

    /// What was set and is not written yet.
    pub(super) fn intents(&self) -> Vec<Intent> {
        self.state.lock().intents.clone()
    }

    /// One attempt at writing intents and `change`. `false`: somebody else was faster, and the new state is known now.
    pub(super) async fn try_write(
        &self,
        presence: &Presence,
        intents: &[Intent],
        change: Change,
    ) -> Result<bool, SessionError> {
        let Some(holding) = presence.holding() else {
            return self.create(presence, intents).await;
        };
        let data = merged(&holding.live.record.data, intents)?;
        let change = Change { data, ..change };
        if !change.is_more_than_touch() {
            self.written(intents);
            return Ok(true);
        }
        let (live, carries_data) = (&holding.live, change.data.is_some());
        let record = live.record.with(&change);
        match self.engine.store().commit(record.id, live.revision, change, self.engine.now()).await? {
            Committed::Done(revision, _) => {
                self.written(intents);
                let live = Live { record: Arc::new(record), seen_at: live.seen_at, revision };
                self.settle(presence.with(live));
                Ok(true)
            }
            Committed::Conflict(live) => {
                self.settle(presence.with(live));
                Ok(false)
            }
            Committed::Gone(_) => {
                if carries_data {
                    self.tell(Some(record.id), record.subject(), EventKind::WriteDropped);
                }
                self.written(intents);
                self.settle(Presence::Ended);
                Err(SessionError::Ended)
            }
        }
    }

    /// Strikes out what was written. By number, because others may have set more meanwhile.
    fn written(&self, intents: &[Intent]) {
        let last = intents.iter().map(|intent| intent.number).max().unwrap_or_default();
        self.state.lock().intents.retain(|intent| intent.number > last);
    }

    /// A first anonymous session for what was set. Strangers who set nothing get none.
    async fn create(&self, presence: &Presence, intents: &[Intent]) -> Result<bool, SessionError> {
        if matches!(presence, Presence::Ended) {
            self.written(intents);
            return Err(SessionError::Ended);
        }
        let Some(data) = merged(&Payload::default(), intents)? else {
            return Ok(true);
        };
        if self.begin_visit(data, None).await? {
            self.written(intents);
            return Ok(true);
        }
        Ok(false)
    }

    fn intend(&self, name: &str, field: Option<Field>) -> Result<(), SessionError> {
        let mut state = self.state.lock();
        if state.phase != Phase::Handling {
            return Err(SessionError::TooLate);
        }
        let intent = Intent { number: state.numbered + 1, name: name.into(), field };
        let bytes = state.intents.iter().map(Intent::size).sum::<usize>() + intent.size();
        if bytes > Policy::MAX_DATA_BYTES {
            return Err(SessionError::TooLarge { bytes, max: Policy::MAX_DATA_BYTES });
        }
        state.numbered = intent.number;
        state.intents.push(intent);
        Ok(())
    }

    async fn fields(&self) -> Result<Fields, SessionError> {
        let presence = self.presence().await?;
        self.view_of(&presence)
    }

    /// What the session holds, and on top of it what this request set.
    fn view_of(&self, presence: &Presence) -> Result<Fields, SessionError> {
        let stored = presence.holding().map(|holding| holding.live.record.data.clone()).unwrap_or_default();
        let mut fields = Fields::open(&stored)?;
        for intent in &self.state.lock().intents {
            fields.apply(&intent.name, intent.field.clone());
        }
        Ok(fields)
    }
}

impl Intent {
    fn size(&self) -> usize {
        self.name.len() + self.field.as_ref().map_or(0, |field| field.value.len())
    }
}

/// The payload with the intents applied; `None` if that changes nothing.
fn merged(payload: &Payload, intents: &[Intent]) -> Result<Option<Payload>, SessionError> {
    if intents.is_empty() {
        return Ok(None);
    }
    let mut fields = Fields::open(payload)?;
    for intent in intents {
        fields.apply(&intent.name, intent.field.clone());
    }
    let bytes = fields.size();
    if bytes > Policy::MAX_DATA_BYTES {
        return Err(SessionError::TooLarge { bytes, max: Policy::MAX_DATA_BYTES });
    }
    let sealed = fields.seal();
    Ok((sealed != *payload).then_some(sealed))
}

/// Which keys of a struct are not as they were. Number 0: they were never queued, so there is nothing to strike out.
fn differences(before: &[(&str, Field)], after: Vec<(&'static str, Field)>) -> Vec<Intent> {
    let left_out = before.iter().filter(|(name, _)| after.iter().all(|(kept, _)| kept != name));
    let mut intents: Vec<_> =
        left_out.map(|(name, _)| Intent { number: 0, name: (*name).into(), field: None }).collect();
    let changed = after.into_iter().filter(|pair| !before.contains(pair));
    intents.extend(changed.map(|(name, field)| Intent { number: 0, name: name.into(), field: Some(field) }));
    intents
}

/// How often an update may lose against others. Each round somebody else got through.
const ATTEMPTS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_struct_no_longer_writes_is_removed() {
        let field = |text: &str| Field { portable: false, value: text.as_bytes().into() };
        let before = [("same", field("1")), ("changed", field("1")), ("left_out", field("1"))];
        let after = vec![("same", field("1")), ("changed", field("2")), ("new", field("1"))];
        let intents = differences(&before, after);
        let found: Vec<_> = intents.iter().map(|intent| (&*intent.name, intent.field.clone())).collect();
        assert_eq!(found, [("left_out", None), ("changed", Some(field("2"))), ("new", Some(field("1")))]);
    }
}
