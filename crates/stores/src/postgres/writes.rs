//! What the writing verbs send: records sealed here, with what the database decides by beside them.

use counterfoil_core::rules::EndReason;
use counterfoil_core::store::{Epoch, Inserted, Limit, Live, Notice, OverLimit, Replaced, Revision, StoreError};
use counterfoil_core::stored::{Head, StoredRecord, closing_of};
use counterfoil_core::{Change, Moment, Record, SessionId, SubjectRef};

use super::PostgresStore;
use super::answer::{Decided, Fields, Found, Judges, open, unexpected};
use super::columns::{Columns, millis, number, unused_at};
use super::error::PostgresError;
use super::statement::Ask;

impl PostgresStore {
    /// Notes activity; `false` if the session was changed meanwhile.
    pub(super) async fn touch(
        &self,
        live: &Live,
        sealed: &[u8],
        seen_at: Moment,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let change = Change { seen_at: Some(seen_at), ..Change::default() };
        let (_, decided) = self.try_commit(live, sealed, &change, now).await?;
        Ok(matches!(decided, Decided::Done(_)))
    }

    /// Makes of a record what `change` makes of it, if it is still this one.
    pub(super) async fn try_commit(
        &self,
        before: &Live,
        sealed: &[u8],
        change: &Change,
        now: Moment,
    ) -> Result<(Revision, Decided), StoreError> {
        let id = before.record.id;
        let (after, bytes) = self.changed(before, sealed, change)?;
        let head = Head::of(&after);
        let limit = change.first_use.flatten().and_then(|limit| Some((self.lock_of(head.subject?), most(limit))));
        let (lock, max) = limit.unzip();
        let row = self
            .ask_one(
                "commit",
                Ask::Commit,
                &[
                    &&id.as_bytes()[..],
                    &before.revision.0.cast_signed(),
                    &closing_of(sealed),
                    &bytes,
                    &after.revision.0.cast_signed(),
                    &millis(after.seen_at),
                    &head.presented,
                    &unused_at(&head),
                    &!change.is_more_than_touch(),
                    &millis(now),
                    &lock,
                    &max,
                ],
            )
            .await?;
        let decided = Decided::read(&row)?;
        if matches!(decided, Decided::Done(_)) {
            self.recent.put(bytes, &after);
        }
        Ok((after.revision, decided))
    }

    fn changed(&self, before: &Live, sealed: &[u8], change: &Change) -> Result<(Live, Vec<u8>), StoreError> {
        let id = before.record.id;
        let corrupt = |cause| PostgresError::record(id, cause);
        let stored = StoredRecord::from_bytes(sealed).map_err(corrupt)?;
        let after = before.changed(change);
        let sealed = if change.is_more_than_touch() {
            stored.with(&before.record, &after, &self.sealer)?
        } else {
            stored.seen(after.seen_at, &self.sealer).map_err(corrupt)?
        };
        let bytes = sealed.to_bytes();
        Ok((after, bytes))
    }

    /// `insert` and `replace`.
    pub(super) async fn add(
        &self,
        verb: &'static str,
        record: Record,
        limit: Option<Limit>,
        old: Option<(SessionId, Revision)>,
        now: Moment,
    ) -> Result<Replaced, StoreError> {
        let id = record.id;
        let names: Vec<_> = record.member().into_iter().flat_map(|member| &member.references).collect();
        let names: Vec<_> =
            names.iter().map(|name| self.sealer.external(&name.kind, &name.value).as_bytes().to_vec()).collect();
        let live = Live::born(record);
        let sealed = StoredRecord::seal(&live, &self.sealer)?.to_bytes();
        let head = Head::of(&live);
        let columns = Columns::of(&head);
        let subject = head.subject.map(|subject| subject.as_bytes().to_vec());
        let (old_id, expect) = old.map(|(id, expect)| (id.as_bytes().to_vec(), expect.0.cast_signed())).unzip();
        let row = self
            .ask_one(
                verb,
                Ask::Add,
                &[
                    &&id.as_bytes()[..],
                    &subject,
                    &head.subject.map(|subject| self.lock_of(subject)),
                    &columns.created_at,
                    &columns.global_epoch,
                    &columns.subject_epoch,
                    &columns.idle,
                    &columns.unused_at,
                    &columns.absolute_at,
                    &columns.remember_at,
                    &columns.forget_at,
                    &columns.look_at,
                    &head.presented,
                    &sealed,
                    &names,
                    &millis(now),
                    &limit.map(most),
                    &limit.is_some_and(|limit| limit.over == OverLimit::Refuse),
                    &old_id,
                    &expect,
                ],
            )
            .await?;
        let inserted = match Decided::read(&row)? {
            Decided::Done(yielded) => {
                self.recent.put(sealed, &live);
                self.tell(yielded.iter().map(|id| Notice::Ended(*id)));
                self.tell(old.map(|(old, _)| Notice::Ended(old)));
                Inserted::Done(yielded)
            }
            Decided::Exists => Inserted::Exists,
            Decided::OverLimit => Inserted::OverLimit,
            Decided::Moved => Inserted::SubjectMoved,
            Decided::Gone(_) => return Ok(Replaced::Gone),
            Decided::Conflict(current) => {
                let (old, _) = old.ok_or(unexpected("a conflict without an old session"))?;
                return Ok(Replaced::Conflict(open(old, &current, &self.sealer)?));
            }
        };
        Ok(Replaced::Inserted(inserted))
    }

    /// `None` if the spared session, or the epoch it was sealed for, moved meanwhile.
    pub(super) async fn try_end_subject(
        &self,
        subject: SubjectRef,
        except: Option<SessionId>,
        reason: EndReason,
        now: Moment,
    ) -> Result<Option<Epoch>, StoreError> {
        let spared = match except {
            Some(id) => self.spared(id, subject, now).await?,
            None => None,
        };
        let id = spared.as_ref().map(|spared| spared.id.as_bytes().to_vec());
        let row = self
            .ask_one(
                "end_subject",
                Ask::EndSubject,
                &[
                    &&subject.as_bytes()[..],
                    &self.lock_of(subject),
                    &reason.as_str(),
                    &millis(now),
                    &millis(now + Epoch::KEPT),
                    &id,
                    &spared.as_ref().map(|spared| number(spared.epoch.0)),
                    &spared.as_ref().map(|spared| &spared.tag),
                    &spared.as_ref().map(|spared| &spared.sealed),
                    &spared.as_ref().map(|spared| spared.revision.0.cast_signed()),
                ],
            )
            .await?;
        if let Some(id) = except {
            self.recent.drop(id);
        }
        Ok(if Fields(&row).text(0)? == Some("done") { Fields(&row).epoch(1)? } else { None })
    }

    /// The session that is not to end, sealed for the epoch that follows.
    async fn spared(&self, id: SessionId, subject: SubjectRef, now: Moment) -> Result<Option<Spared>, StoreError> {
        let Found::Live(live, before) = self.find("end_subject", id, now, Judges::SubjectAlone).await? else {
            return Ok(None);
        };
        if live.record.subject() != Some(subject) {
            return Ok(None);
        }
        // It is of the current epoch, or of a later one where that was forgotten, or it would have ended.
        let epoch = live.record.epochs.subject.after(now);
        let after = live.spared(epoch);
        let stored = StoredRecord::from_bytes(&before).map_err(|cause| PostgresError::record(id, cause))?;
        let sealed = stored.with(&live.record, &after, &self.sealer)?.to_bytes();
        Ok(Some(Spared { id, epoch, tag: closing_of(&before).to_vec(), sealed, revision: after.revision }))
    }

    /// The lock under which a subject's sessions are counted.
    fn lock_of(&self, subject: SubjectRef) -> i64 {
        let hash = subject.as_bytes().last_chunk().copied().unwrap_or_default();
        i64::from_be_bytes(hash) ^ self.lock
    }
}

/// A session that is not to end with its subject's others.
struct Spared {
    id: SessionId,
    /// The epoch it is sealed for.
    epoch: Epoch,
    /// Closes the record as it was.
    tag: Vec<u8>,
    sealed: Vec<u8>,
    revision: Revision,
}

fn most(limit: Limit) -> i64 {
    limit.max.get().into()
}
