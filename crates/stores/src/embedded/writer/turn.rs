//! One batch in the making: what was changed in memory and is not on the disk yet.

use std::sync::Arc;

use counterfoil_core::rules::EndReason;
use counterfoil_core::seal::ExternalRef;
use counterfoil_core::store::{Live, Notice, StoreError};
use counterfoil_core::stored::{self, StoredRecord, Tombstone};
use counterfoil_core::{Moment, Record, SessionId, SubjectRef};

use super::sweep::ClockWatch;
use crate::embedded::disk::{Batch, Disk, Space};
use crate::embedded::epochs;
use crate::embedded::error::DiskError;
use crate::embedded::shared::Shared;
use crate::embedded::table::{Global, Is, Known, Moved, State, Whose};

/// One batch in the making. Each verb checks, then changes the table and notes what is to be written.
pub(in crate::embedded) struct Turn<'a> {
    pub(super) shared: &'a Shared,
    pub(super) disk: &'a dyn Disk,
    pub(super) batch: Batch,
    pub(super) clock: &'a mut ClockWatch,
    rows: Vec<SessionId>,
    subjects: Vec<SubjectRef>,
    global: bool,
    notices: Vec<Notice>,
}

/// How much of the last activity is in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touches {
    /// As much as one batch takes.
    Some,
    /// All of it.
    Written,
}

impl<'a> Turn<'a> {
    pub(super) fn new(shared: &'a Shared, disk: &'a dyn Disk, clock: &'a mut ClockWatch) -> Self {
        Self {
            shared,
            disk,
            batch: Batch::default(),
            clock,
            rows: Vec::new(),
            subjects: Vec::new(),
            global: false,
            notices: Vec::new(),
        }
    }

    /// Writes everything, durably.
    pub(super) fn write(&self) -> Result<(), DiskError> {
        if self.batch.is_empty() { Ok(()) } else { self.disk.write(&self.batch) }
    }

    /// All of it is on the disk: answers may rest on it.
    pub(super) fn land(&mut self) {
        let table = &self.shared.table;
        for id in self.rows.drain(..) {
            let mut shard = table.shard_of(id.bucket());
            if let Some(row) = shard.find(id).and_then(|index| shard.row_mut(index)) {
                row.in_flight = false;
            }
            shard.shrink(table.budget_of_shard());
        }
        for subject in self.subjects.drain(..) {
            table.shard_of(subject.bucket()).epoch_landed(subject);
        }
        if std::mem::take(&mut self.global) {
            table.set_global(Global { in_flight: false, ..table.global() });
        }
    }

    /// Tells the watchers what happened.
    pub(super) fn tell(&mut self) {
        for notice in self.notices.drain(..) {
            self.shared.notices.tell(notice);
        }
    }

    pub(super) fn note(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// What the table knows of `id`, its record in memory if it is live.
    pub(super) fn known(&self, id: SessionId) -> Result<Option<Known>, StoreError> {
        let table = &self.shared.table;
        let global = table.global().pair();
        let known = table.shard_of(id.bucket()).known(id, global, None);
        match known {
            Some(Known { is: Is::Unreadable, .. }) => Err(self.shared.unreadable(id)),
            Some(Known { is: Is::Cold, .. }) => {
                let read = self.shared.warm(self.disk, id)?;
                Ok(table.shard_of(id.bucket()).known(id, global, read.as_ref()))
            }
            known => Ok(known),
        }
    }

    /// Adds a session to the table and the batch.
    pub(super) fn add(&mut self, new: super::New) {
        let id = new.record.id;
        let mut row = new.row;
        row.in_flight = true;
        let subject = new.record.subject();
        self.shared.table.shard_of(id.bucket()).add(row, subject, Some(new.record));
        self.rows.push(id);
        self.batch.put(Space::Sessions, id.as_bytes(), new.sealed);
        for reference in new.references {
            self.batch.put(Space::References, &reference_key(reference, id), Vec::new());
        }
    }

    /// Puts `after` in the place of a session's state.
    pub(super) fn change(&mut self, index: u32, after: Live, sealed: Vec<u8>) {
        let id = after.record.id;
        let mut shard = self.shared.table.shard_of(id.bucket());
        if let Some(row) = shard.row_mut(index) {
            row.seen_at = row.seen_at.max(after.seen_at);
            (row.revision, row.epochs, row.in_flight) = (after.revision, after.record.epochs, true);
            row.limits = after.record.limits;
            if let (State::Live(traits), Some(member)) = (&mut row.state, after.record.member()) {
                traits.whose = if member.presented { Whose::Presented } else { Whose::Provisional };
            }
        }
        shard.keep(index, after.record);
        drop(shard);
        self.rows.push(id);
        self.batch.put(Space::Sessions, id.as_bytes(), sealed);
    }

    /// Makes a tombstone of a live session.
    pub(super) fn end_now(&mut self, id: SessionId, reason: EndReason) {
        let mut shard = self.shared.table.shard_of(id.bucket());
        let Some(index) = shard.find(id) else { return };
        let Some(row) = shard.row(index) else { return };
        let (forget_at, state) = (row.forget_at(), row.state);
        drop(shard);
        self.forget_references(id, state);
        shard = self.shared.table.shard_of(id.bucket());
        shard.end(index, reason);
        drop(shard);
        self.rows.push(id);
        let stone = Tombstone { id, reason, forget_at };
        self.batch.put(Space::Sessions, id.as_bytes(), stone.to_bytes(&self.shared.sealer));
    }

    /// Takes a session's names elsewhere out of the index. Where its record cannot be read they stay, and lead to nothing.
    pub(super) fn forget_references(&mut self, id: SessionId, state: State) {
        if !matches!(state, State::Live(traits) if traits.referenced) {
            return;
        }
        let Ok(record) = self.shared.record(self.disk, id) else { return };
        for reference in references(&record, self.shared) {
            self.batch.remove(Space::References, &reference_key(reference, id));
        }
    }

    pub(super) fn move_subject(&mut self, subject: SubjectRef, moved: Moved) {
        self.shared.table.shard_of(subject.bucket()).set_epoch(subject, moved);
        self.subjects.push(subject);
        epochs::put_subject(&mut self.batch, subject, &moved);
    }

    pub(super) fn move_global(&mut self, global: Global, now: Moment) {
        self.shared.table.set_global(global);
        self.global = true;
        epochs::put_global(&mut self.batch, global.epoch, global.reason, now);
    }

    /// Writes the last activity of sessions that were used, a bounded number.
    pub(super) fn write_touches(&mut self) -> Touches {
        let (mut touched, mut all) = (Vec::new(), Touches::Written);
        for mut shard in self.shared.table.shards() {
            let before = touched.len();
            touched.append(&mut shard.take_touched(TOUCHES));
            if touched.len() - before == TOUCHES {
                all = Touches::Some;
            }
        }
        for (id, seen_at) in touched {
            // One that cannot be read is no reason to keep the others from being written.
            if let Ok(Some(sealed)) = self.touched(id, seen_at) {
                self.batch.put(Space::Sessions, id.as_bytes(), sealed);
            }
        }
        all
    }

    /// A session as the disk has it, but seen later. What another key sealed than the one that signs now is sealed anew.
    fn touched(&self, id: SessionId, seen_at: Moment) -> Result<Option<Vec<u8>>, StoreError> {
        let (sealer, unreadable) = (&self.shared.sealer, |error| DiskError::record(id, error).into_store_error());
        let Some(bytes) = self.disk.get(Space::Sessions, id.as_bytes())? else { return Ok(None) };
        let stored = StoredRecord::from_bytes(&bytes).map_err(unreadable)?;
        if stored.id() == id && stored.keys().all(|key| key == sealer.signing_id()) {
            return Ok(Some(stored.seen(seen_at, sealer).map_err(unreadable)?.to_bytes()));
        }
        let Some(Known { is: Is::Live(live), .. }) = self.known(id)? else { return Ok(None) };
        Ok(Some(stored::encode(&live, sealer)?))
    }

    pub(super) fn record_of(known: &Known) -> Option<&Arc<Record>> {
        match &known.is {
            Is::Live(live) => Some(&live.record),
            _ => None,
        }
    }
}

/// The keyed hashes of a record's names elsewhere.
pub(in crate::embedded) fn references(record: &Record, shared: &Shared) -> Vec<ExternalRef> {
    let references = record.member().map(|member| member.references.as_slice()).unwrap_or_default();
    references.iter().map(|reference| shared.sealer.external(&reference.kind, &reference.value)).collect()
}

/// The key in [`Space::References`].
pub(in crate::embedded) fn reference_key(reference: ExternalRef, id: SessionId) -> Vec<u8> {
    [reference.as_bytes().as_slice(), id.as_bytes()].concat()
}

/// How many touches of a shard one batch takes: with 64 shards, 8,192.
const TOUCHES: usize = 128;
