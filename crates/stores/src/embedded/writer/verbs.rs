//! The verbs of the contract, as the writer applies them: the same decisions as the memory store's.

use std::sync::Arc;

use counterfoil_core::rules::EndReason;
use counterfoil_core::seal::ExternalRef;
use counterfoil_core::store::{
    Committed, Ending, Epoch, Inserted, Limit, Live, Notice, Replaced, Revision, StoreError,
};
use counterfoil_core::stored::{self, Head};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

use super::turn::{Turn, references};
use crate::embedded::load::row_of;
use crate::embedded::shared::Shared;
use crate::embedded::table::{Global, Is, Known, Moved, Row, State};

/// A session to add, sealed by whoever asks, so that the writer does not have to.
pub(in crate::embedded) struct New {
    pub(super) record: Arc<Record>,
    pub(super) row: Row,
    pub(super) sealed: Vec<u8>,
    pub(super) references: Vec<ExternalRef>,
}

impl New {
    pub(in crate::embedded) fn seal(record: Record, shared: &Shared) -> Result<Self, StoreError> {
        let references = references(&record, shared);
        let live = Live::born(record);
        let sealed = stored::encode(&live, &shared.sealer)?;
        let mut row = row_of(&Head::of(&live));
        if let State::Live(traits) = &mut row.state {
            traits.referenced = !references.is_empty();
        }
        Ok(Self { record: live.record, row, sealed, references })
    }
}

/// What a change makes of a session, sealed by whoever asks, as far as that can be foreseen.
pub(in crate::embedded) struct Ready {
    before: Live,
    after: Live,
    sealed: Vec<u8>,
}

impl Ready {
    pub(in crate::embedded) fn seal(before: Live, change: &Change, shared: &Shared) -> Result<Self, StoreError> {
        let after = before.changed(change);
        let sealed = stored::encode(&after, &shared.sealer)?;
        Ok(Self { before, after, sealed })
    }

    /// Whether it was made from this. The same revision does not tell: a disk that failed may have forgotten one.
    fn is_from(&self, live: &Live) -> bool {
        Arc::ptr_eq(&self.before.record, &live.record) && self.before.seen_at == live.seen_at
    }
}

impl Turn<'_> {
    pub(in crate::embedded) fn insert(&mut self, new: New, limit: Option<Limit>, now: Moment) -> Inserted {
        let inserted = self.add_beside(new, limit, now, None);
        self.tell_yielded(&inserted);
        inserted
    }

    pub(in crate::embedded) fn replace(
        &mut self,
        old: SessionId,
        expect: Revision,
        new: New,
        limit: Option<Limit>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        match self.known(old)?.map(|known| known.is) {
            Some(Is::Live(live)) if live.revision == expect => {}
            Some(Is::Live(live)) => return Ok(Replaced::Conflict(live)),
            _ => return Ok(Replaced::Gone),
        }
        let inserted = self.add_beside(new, limit, now, Some(old));
        self.tell_yielded(&inserted);
        if matches!(inserted, Inserted::Done(_)) {
            self.end_now(old, EndReason::Superseded);
            self.note(Notice::Ended(old));
        }
        Ok(Replaced::Inserted(inserted))
    }

    pub(in crate::embedded) fn commit(
        &mut self,
        id: SessionId,
        expect: Revision,
        (change, ready): (&Change, Option<Ready>),
        now: Moment,
    ) -> Result<Committed, StoreError> {
        let (index, live) = match self.known(id)? {
            None => return Ok(Committed::Gone(None)),
            Some(Known { index, is: Is::Live(live), .. }) => (index, live),
            Some(Known { is: Is::Ended(reason), .. }) => return Ok(Committed::Gone(Some(reason))),
            Some(_) => return Err(self.shared.unreadable(id)),
        };
        if live.revision != expect {
            return Ok(Committed::Conflict(live));
        }
        let ready = ready.filter(|ready| ready.is_from(&live));
        let Ready { before, after, sealed } = ready.map_or_else(|| Ready::seal(live, change, self.shared), Ok)?;
        let yielding = self.yielding_to_first_use(&before.record, change, now);
        for other in &yielding {
            self.end_now(*other, EndReason::Limit);
            self.note(Notice::Ended(*other));
        }
        let revision = after.revision;
        self.change(index, after, sealed);
        if change.is_more_than_touch() {
            self.note(Notice::Changed(id, revision));
        }
        Ok(Committed::Done(revision, yielding))
    }

    pub(in crate::embedded) fn end(
        &mut self,
        id: SessionId,
        expect: Option<Revision>,
        reason: EndReason,
    ) -> Result<Ending, StoreError> {
        // Without an expectation the record is not needed: a session whose record cannot be opened can be ended.
        let live = match expect {
            None => self.is_live(id),
            Some(expect) => match self.known(id)?.map(|known| known.is) {
                Some(Is::Live(live)) if live.revision != expect => return Ok(Ending::Conflict(live)),
                found => matches!(found, Some(Is::Live(_))),
            },
        };
        if !live {
            return Ok(Ending::Already);
        }
        self.end_now(id, reason);
        self.note(Notice::Ended(id));
        Ok(Ending::Done)
    }

    pub(in crate::embedded) fn end_subject(
        &mut self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Epoch, StoreError> {
        let spared = except.map(|id| self.known(id)).transpose()?.flatten();
        let spared =
            spared.filter(|known| Self::record_of(known).is_some_and(|record| record.subject() == Some(subject)));
        let epoch = self.shared.table.shard_of(subject.bucket()).epoch(subject).0.after(now);
        if let Some(Known { index, is: Is::Live(live), .. }) = spared {
            let after = live.spared(epoch);
            let sealed = stored::encode(&after, &self.shared.sealer)?;
            self.change(index, after, sealed);
        }
        self.move_subject(subject, Moved { epoch, reason, at: now, in_flight: true });
        self.note(Notice::SubjectEnded(subject));
        Ok(epoch)
    }

    pub(in crate::embedded) fn end_all(&mut self, reason: EndReason, now: Moment) -> Epoch {
        let epoch = self.shared.table.global().epoch.after(now);
        self.move_global(Global { epoch, reason, in_flight: true }, now);
        self.note(Notice::AllEnded);
        epoch
    }

    /// Adds a session, if its id is free, its epochs are the current ones, and it fits; `leaving` holds no place.
    fn add_beside(&mut self, new: New, limit: Option<Limit>, now: Moment, leaving: Option<SessionId>) -> Inserted {
        let (record, global) = (&new.record, self.shared.table.global().epoch);
        if record.epochs.global != global {
            return Inserted::SubjectMoved;
        }
        let shard = self.shared.table.shard_of(record.id.bucket());
        if shard.find(record.id).is_some() {
            return Inserted::Exists;
        }
        let mut yielding = Vec::new();
        if let Some(subject) = record.subject() {
            if record.epochs.subject != shard.epoch(subject).0 {
                return Inserted::SubjectMoved;
            }
            let rivals = || shard.rivals(subject, global, now).into_iter().filter(|rival| Some(rival.id) != leaving);
            match limit.map(|limit| limit.make_room(rivals())) {
                None => {}
                Some(Some(ids)) => yielding = ids,
                Some(None) => return Inserted::OverLimit,
            }
        }
        drop(shard);
        for id in &yielding {
            self.end_now(*id, EndReason::Limit);
        }
        self.add(new);
        Inserted::Done(yielding)
    }

    /// Which sessions end because this one is used for the first time.
    fn yielding_to_first_use(&self, record: &Record, change: &Change, now: Moment) -> Vec<SessionId> {
        let (Some(Some(limit)), Some(subject)) = (change.first_use, record.subject()) else {
            return Vec::new();
        };
        let shard = self.shared.table.shard_of(record.id.bucket());
        limit.yield_to_first_use(record.id, shard.rivals(subject, record.epochs.global, now))
    }

    fn is_live(&self, id: SessionId) -> bool {
        let table = &self.shared.table;
        let global = table.global().pair();
        let known = table.shard_of(id.bucket()).known(id, global, None);
        matches!(known, Some(Known { is: Is::Live(_) | Is::Cold, .. }))
    }

    fn tell_yielded(&mut self, inserted: &Inserted) {
        if let Inserted::Done(yielded) = inserted {
            for id in yielded {
                self.note(Notice::Ended(*id));
            }
        }
    }
}
