//! The verbs of the contract: reads are answered from memory, everything else goes through the writer.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{
    Activity, Committed, Ending, Epoch, Epochs, Inserted, Limit, Live, Loaded, Page, Replaced, Revision, Store,
    StoreError, Summary, Watch,
};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

use super::EmbeddedStore;
use super::disk::Space;
use super::error::DiskError;
use super::load::{REFERENCE, id_of};
use super::table::{Is, Known, State};
use super::writer::{New, Turn, unavailable};

impl Store for EmbeddedStore {
    async fn load(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Result<Loaded, StoreError> {
        let mut read = None;
        loop {
            match self.look(id, now, activity.as_ref(), read.as_ref())? {
                Look::Answer(loaded) => return Ok(loaded),
                Look::InFlight(loaded, turn) => {
                    self.shared.landing.wait(turn).await?;
                    return Ok(loaded);
                }
                Look::Cold => read = self.shared.warm(&*self.shared.disk()?, id)?,
                Look::Unreadable => return Err(self.shared.unreadable(id)),
            }
        }
    }

    fn peek(&self, id: SessionId, now: Moment, activity: Option<Activity>) -> Option<Loaded> {
        match self.look(id, now, activity.as_ref(), None) {
            Ok(Look::Answer(loaded)) => Some(loaded),
            _ => None,
        }
    }

    async fn insert(&self, record: Record, limit: Option<Limit>, now: Moment) -> Result<Inserted, StoreError> {
        let new = New::seal(record, &self.shared)?;
        self.ask(move |turn| Ok(turn.insert(new, limit, now))).await
    }

    async fn replace(
        &self,
        old: SessionId,
        expect: Revision,
        record: Record,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        let new = New::seal(record, &self.shared)?;
        self.ask(move |turn| turn.replace(old, expect, new, limit, now)).await
    }

    async fn commit(
        &self,
        id: SessionId,
        expect: Revision,
        change: Change,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        self.ask(move |turn| turn.commit(id, expect, &change, now)).await
    }

    async fn end(
        &self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
        _now: Moment,
    ) -> Result<Ending, StoreError> {
        self.ask(move |turn| turn.end(id, expect, reason)).await
    }

    async fn epochs(&self, subject: Option<SubjectRef>) -> Result<Epochs, StoreError> {
        let (epochs, in_flight) = {
            let table = &self.shared.table;
            let shard = |subject: SubjectRef| table.shard(subject.bucket()).map(|shard| shard.epoch(subject));
            let found = subject.map(shard).transpose().map_err(|away| self.shared.away(away))?;
            let (epoch, moving) = found.unwrap_or_default();
            let global = table.global();
            if table.is_away() {
                return Err(unavailable(&self.shared.trouble()));
            }
            let turn = (moving || global.in_flight).then(|| table.turn());
            (global.with(epoch), turn)
        };
        if let Some(turn) = in_flight {
            self.shared.landing.wait(turn).await?;
        }
        Ok(epochs)
    }

    async fn end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        self.ask(move |turn| turn.end_subject(subject, except, reason, now)).await
    }

    async fn end_all(&self, reason: EndReason, now: Moment) -> Result<Epoch, StoreError> {
        self.ask(move |turn| Ok(turn.end_all(reason, now))).await
    }

    async fn resolve(&self, kind: &str, value: &str) -> Result<Vec<SessionId>, StoreError> {
        let name = self.shared.sealer.external(kind, value);
        let mut ids = Vec::new();
        self.shared.disk()?.view().scan(Space::References, name.as_bytes(), &mut |key, _| {
            ids.push(id_of(Space::References, key.get(REFERENCE..).unwrap_or_default())?);
            Ok(())
        })?;
        let mut live = Vec::with_capacity(ids.len());
        for id in ids {
            let shard = self.shared.table.shard(id.bucket()).map_err(|away| self.shared.away(away))?;
            let row = shard.find(id).and_then(|index| shard.row(index));
            if row.is_some_and(|row| matches!(row.state, State::Live(_))) {
                live.push(id);
            }
        }
        Ok(live)
    }

    async fn list(&self, subject: SubjectRef, page: Page, now: Moment) -> Result<Vec<Summary>, StoreError> {
        let (mut rows, turn) = {
            let table = &self.shared.table;
            let shard = table.shard(subject.bucket()).map_err(|away| self.shared.away(away))?;
            let (rows, in_flight) = shard.listed(subject, table.global().epoch, now);
            (rows, in_flight.then(|| table.turn()))
        };
        if let Some(turn) = turn {
            self.shared.landing.wait(turn).await?;
        }
        rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id)));
        let mut listed = Vec::new();
        for row in rows.into_iter().skip(page.skip).take(page.take) {
            match self.now_live(row.id) {
                Ok(Some(live)) => listed.extend(Summary::of(&live.record, row.seen_at)),
                // It ended meanwhile.
                Ok(None) => {}
                // Its key was taken out of the ring: nobody can present its token any more.
                Err(error) if is_of_a_retired_key(&error) => {
                    tracing::warn!(id = %row.id, "a session is not listed: the key that it rests on was retired");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(listed)
    }

    async fn sweep(&self, limit: usize, now: Moment) -> Result<usize, StoreError> {
        self.ask(move |turn| Ok(turn.sweep(limit, now))).await
    }

    fn watch(&self) -> Watch {
        self.shared.notices.watch()
    }

    async fn time(&self) -> Result<Option<Moment>, StoreError> {
        Ok(None)
    }
}

/// What memory says of an id.
enum Look {
    Answer(Loaded),
    /// The answer, once this batch is on the disk.
    InFlight(Loaded, u64),
    /// A session whose record is not in memory.
    Cold,
    Unreadable,
}

impl EmbeddedStore {
    /// Has the writer apply `verb`; refused at once while there is no disk, for beginning anew may take long.
    async fn ask<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Turn<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.shared.table.is_away() {
            return Err(unavailable(&self.shared.trouble()));
        }
        self.queue.ask(verb).await
    }

    fn look(
        &self,
        id: SessionId,
        now: Moment,
        activity: Option<&Activity>,
        read: Option<&Live>,
    ) -> Result<Look, StoreError> {
        let table = &self.shared.table;
        let mut shard = table.shard(id.bucket()).map_err(|away| self.shared.away(away))?;
        let global = table.global();
        let Some(Known { index, in_flight, is }) = shard.known(id, global.pair(), read) else {
            return Ok(Look::Answer(Loaded::Absent));
        };
        let loaded = match is {
            Is::Cold => return Ok(Look::Cold),
            Is::Unreadable => return Ok(Look::Unreadable),
            Is::Ended(reason) => Loaded::Ended(reason),
            Is::Live(mut live) => {
                if let Some(activity) = activity {
                    shard.touch(index, &mut live, activity, now);
                }
                Loaded::Live(live)
            }
        };
        if in_flight || global.in_flight {
            return Ok(Look::InFlight(loaded, table.turn()));
        }
        Ok(Look::Answer(loaded))
    }

    /// A session as it is now, if it is live.
    fn now_live(&self, id: SessionId) -> Result<Option<Live>, StoreError> {
        let mut read = None;
        loop {
            match self.look(id, Moment::EPOCH, None, read.as_ref())? {
                Look::Answer(Loaded::Live(live)) | Look::InFlight(Loaded::Live(live), _) => return Ok(Some(live)),
                Look::Answer(_) | Look::InFlight(..) => return Ok(None),
                Look::Cold => read = self.shared.warm(&*self.shared.disk()?, id)?,
                Look::Unreadable => return Err(self.shared.unreadable(id)),
            }
        }
    }
}

fn is_of_a_retired_key(error: &StoreError) -> bool {
    let StoreError::Corrupt { cause: Some(cause), .. } = error else { return false };
    cause.downcast_ref::<DiskError>().is_some_and(DiskError::is_of_a_retired_key)
}
